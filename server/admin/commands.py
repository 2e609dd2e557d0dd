"""The operator's commands. They change the registry only through its own commands."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import registry.agreements.operations  # noqa: F401 - its import registers what `verify` checks.
from registry.access.authorizer import authorizer
from registry.access.principals import OPERATOR_PRINCIPAL
from registry.access.rulebook_store import load_edition
from registry.commands.command import execute_command
from registry.concepts import open_registry, verify_registry
from registry.db.session import close_database
from registry.ledger.verification import CheckResult, freeze_offenders
from registry.parties.bootstrap import FirstOfficer
from registry.parties.operations import bootstrap, register_client
from registry.parties.records import Organisation
from registry.parties.rules import OrganisationKind
from server.background.expiry_sweeper import sweep
from server.settings import ConfigurationError

BOOTSTRAP_KEY = "bootstrap"


@asynccontextmanager
async def _open_registry(url: str) -> AsyncIterator[None]:
    async with _open_database(url):
        authorizer.activate(await load_edition())
        yield


@asynccontextmanager
async def _open_database(url: str) -> AsyncIterator[None]:
    """Without a rule book: a damaged one must not stop the check that finds it."""
    await open_registry(url, maxsize=2, demo_figures=False)
    try:
        yield
    finally:
        await close_database()


async def bootstrap_registry(
    url: str, name: str, division: str, *, officers: tuple[str, str]
) -> bool:
    """Register the province and its officers, given as ``subject=name``; False if done before."""
    first_officers = []
    for officer in officers:
        subject, _, person = officer.partition("=")
        if not (subject and person):
            raise ConfigurationError(f"An officer is written as subject=name, not {officer!r}.")
        first_officers.append(FirstOfficer(subject, person))
    async with _open_registry(url):
        args = {"name": name, "division": division, "first_officers": first_officers}
        outcome = await execute_command(bootstrap, OPERATOR_PRINCIPAL, args, key=BOOTSTRAP_KEY)
    return not outcome.is_replay


async def register_first_party_client(url: str, name: str) -> bool:
    """Register a first-party client, bound by no scopes; False where this was done before.

    Officers need a client program before they can register others.
    """
    async with _open_registry(url):
        province = await Organisation.filter(kind=OrganisationKind.PROVINCE).first()
        if province is None:
            raise ConfigurationError(
                "The registry has no province yet: run `biandan bootstrap` first."
            )
        args = {"organisation": province.id, "name": name, "scopes": [], "first_party": True}
        outcome = await execute_command(
            register_client, OPERATOR_PRINCIPAL, args, key=f"admit {name}"
        )
    return not outcome.is_replay


async def verify_report(url: str, *, restrict: bool) -> tuple[list[str], bool]:
    """The report as lines, and whether every check passed; ``restrict`` freezes the offenders."""
    async with _open_database(url):
        findings = await verify_registry()
        lines = [line for finding in findings for line in _finding_lines(finding)]
        if restrict:
            lines += await _freeze(findings)
    return lines, all(finding.is_satisfied for finding in findings)


async def _freeze(findings: Iterable[CheckResult]) -> list[str]:
    """Freeze what offends; nothing where no rule book is there to allow it."""
    try:
        authorizer.activate(await load_edition())
    except (LookupError, ValueError) as error:
        return [f"nothing is frozen: {error}"]
    return [f"frozen: account {account}" for account in await freeze_offenders(findings)]


def _finding_lines(finding: CheckResult) -> list[str]:
    lines = [f"{'ok  ' if finding.is_satisfied else 'FAIL'} {finding.check}: {finding.claim.en}"]
    lines += [
        "     " + ", ".join(f"{name}={value}" for name, value in offence.items())
        for offence in finding.violations
    ]
    return [*lines, "     and more"] if finding.more else lines


async def expire_overdue(url: str) -> int:
    """Expire the overdue cases once; the number of them."""
    async with _open_registry(url):
        return await sweep()
