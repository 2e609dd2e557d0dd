"""What an operator does from the command line, through the same commands as everybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from registry.access.authorizer import authorizer
from registry.access.principals import OPERATOR_PRINCIPAL
from registry.access.rulebook_store import load_edition
from registry.commands.command import execute_command
from registry.db.session import close_database, open_database
from registry.ledger import invariants as checking
from registry.ledger.invariants import CheckResult
from registry.parties.bootstrap import FirstOfficer
from registry.parties.operations import bootstrap, register_client
from registry.parties.records import Organisation
from registry.parties.rules import OrganisationKind
from server.background.expiry_sweeper import sweep
from server.settings import ConfigurationError

BOOTSTRAP_KEY = "bootstrap"


@asynccontextmanager
async def _open_registry(url: str) -> AsyncIterator[None]:
    await open_database(url, maxsize=2)
    try:
        authorizer.activate(await load_edition())
        yield
    finally:
        await close_database()


async def bootstrap_registry(
    url: str, name: str, division: str, *, officers: tuple[str, str]
) -> bool:
    """Register the province and its first two officers, each given as ``subject=name``.

    False where the same was done before.

    Raises:
        Unfit: an officer is not written so.
        Refused: the registry has organisations already, or the input is bad.

    """
    founders = []
    for officer in officers:
        subject, _, person = officer.partition("=")
        if not (subject and person):
            raise ConfigurationError(f"An officer is written as subject=name, not {officer!r}.")
        founders.append(FirstOfficer(subject, person))
    async with _open_registry(url):
        args = {"name": name, "division": division, "founders": founders}
        outcome = await execute_command(bootstrap, OPERATOR_PRINCIPAL, args, key=BOOTSTRAP_KEY)
    return not outcome.is_replay


async def register_first_party_client(url: str, name: str) -> bool:
    """Register a first-party client, bound by no scopes; False where this was done before.

    Without one nobody can do anything: what a client may do for a person is what it was granted.

    Raises:
        Unfit: the registry has no province yet.
        Refused: a bad name, or another client has it.

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
    """What the checks found, as lines, and whether all is sound; offending accounts are frozen."""
    async with _open_registry(url):
        findings = await checking.verify_ledger()
        frozen = await checking.freeze_offenders(findings) if restrict else ()
    lines = [line for finding in findings for line in _finding_lines(finding)]
    lines += [f"frozen: account {account}" for account in frozen]
    return lines, all(finding.is_satisfied for finding in findings)


def _finding_lines(finding: CheckResult) -> list[str]:
    said = [f"{'ok  ' if finding.is_satisfied else 'FAIL'} {finding.check}: {finding.claim.en}"]
    said += [
        "     " + ", ".join(f"{name}={value}" for name, value in offence.items())
        for offence in finding.violations
    ]
    return [*said, "     and more"] if finding.more else said


async def expire_overdue(url: str) -> int:
    """How many cases expired in one sweep."""
    async with _open_registry(url):
        return await sweep()
