"""What an operator does from the command line, through the same commands as everybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from registry.access.authorizer import gate
from registry.access.principals import OPERATOR
from registry.access.rulebook_store import load_edition
from registry.commands.command import command
from registry.db.session import close_database, open_database
from registry.ledger import invariants as checking
from registry.ledger.invariants import Finding
from registry.parties.bootstrap import Founder
from registry.parties.operations import bootstrap, register_client
from registry.parties.records import Organisation
from registry.parties.rules import OrganisationKind
from server.background.expiry_sweeper import sweep
from server.settings import Unfit

FOUNDING_KEY = "bootstrap"


@asynccontextmanager
async def _open(url: str) -> AsyncIterator[None]:
    await open_database(url, maxsize=2)
    try:
        gate.use(await load_edition())
        yield
    finally:
        await close_database()


async def found(url: str, name: str, division: str, *, officers: tuple[str, str]) -> bool:
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
            raise Unfit(f"An officer is written as subject=name, not {officer!r}.")
        founders.append(Founder(subject, person))
    async with _open(url):
        args = {"name": name, "division": division, "founders": founders}
        outcome = await command(bootstrap, OPERATOR, args, key=FOUNDING_KEY)
    return not outcome.replayed


async def admitted(url: str, name: str) -> bool:
    """Let in a program of the house, bound by no scopes; False where this was done before.

    Without one nobody can do anything: what a client may do for a person is what it was granted.

    Raises:
        Unfit: the registry has no province yet.
        Refused: a bad name, or another client has it.

    """
    async with _open(url):
        province = await Organisation.filter(kind=OrganisationKind.PROVINCE).first()
        if province is None:
            raise Unfit("The registry has no province yet: run `biandan bootstrap` first.")
        args = {"organisation": province.id, "name": name, "scopes": [], "house": True}
        outcome = await command(register_client, OPERATOR, args, key=f"admit {name}")
    return not outcome.replayed


async def report(url: str, *, restrict: bool) -> tuple[list[str], bool]:
    """What the checks found, as lines, and whether all is sound; offending accounts are frozen."""
    async with _open(url):
        findings = await checking.verify()
        frozen = await checking.restrict(findings) if restrict else ()
    lines = [line for finding in findings for line in _lines(finding)]
    lines += [f"frozen: account {account}" for account in frozen]
    return lines, all(finding.sound for finding in findings)


def _lines(finding: Finding) -> list[str]:
    said = [f"{'ok  ' if finding.sound else 'FAIL'} {finding.check}: {finding.claim.en}"]
    said += [
        "     " + ", ".join(f"{name}={value}" for name, value in offence.items())
        for offence in finding.offences
    ]
    return [*said, "     and more"] if finding.more else said


async def swept(url: str) -> int:
    """How many cases expired in one sweep."""
    async with _open(url):
        return await sweep()
