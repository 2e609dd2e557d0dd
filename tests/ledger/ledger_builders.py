"""Accounts, rights and entries for tests, posted by ``post_entry`` itself."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from registry.commands.command import execute_command
from registry.commands.operation import Operation
from registry.db.session import execute, fetch_one, transaction
from registry.kernel.calendar import CHINA
from registry.ledger.journal import ensure_account, ensure_instrument
from registry.ledger.records import Account, Instrument
from registry.ledger.rules import (
    ISSUANCE_ACCOUNT,
    AccountKind,
    Acquisition,
    EntryKind,
    Posting,
    Right,
)
from registry.parties.records import Appointment, Organisation
from tests.ledger.balances import available_quantity
from tests.support.builders import LANGFANG, create_organisation, principal_of

OPENING = datetime(2022, 6, 7, 10, tzinfo=CHINA)
HOUR = timedelta(hours=1)

_AUDIT_ENTRY = """
    INSERT INTO audit_entry
        (id, at, operation, kind, verb, object_id, role, edition, rule, facts, key,
        input)
    SELECT $1, $2, 'a_test', 'Account', 'view', $1, 'province', edition, number, '{}', 'a test',
        '{}'
    FROM rule_line WHERE number IS NOT NULL AND 'allow' = ANY (cells) LIMIT 1
"""
_POST = """
    SELECT post_entry($1, $2, $3, $4, $5, $6, '', NULL, false, $7,
        $8::uuid[], $9::uuid[], $10::uuid[], $11::bigint[])
"""


async def create_right(
    pollutant: str = "SO2", *, until: date | None = None, demo: bool = True
) -> Instrument:
    """A paid right of Langfang."""
    return await ensure_instrument(
        Right(pollutant, LANGFANG, Acquisition.PAID, valid_until=until, demo=demo)
    )


async def create_holder(**columns: object) -> tuple[Organisation, Account]:
    """A new enterprise with its holding account."""
    organisation = await create_organisation(**columns)  # type: ignore[arg-type]
    return organisation, await ensure_account(organisation.id, AccountKind.HOLDING)


async def post_in_transaction(
    kind: EntryKind,
    *postings: Posting,
    at: datetime = OPENING,
    effective: datetime | None = None,
    reverses: UUID | None = None,
    reference: str | None = None,
) -> UUID:
    """An entry with an act of its own, in a transaction of its own."""
    async with transaction():
        return await write_entry(
            kind, postings, at=at, effective=effective, reverses=reverses, reference=reference
        )


async def write_entry(
    kind: EntryKind,
    postings: Sequence[Posting],
    *,
    at: datetime = OPENING,
    effective: datetime | None = None,
    reverses: UUID | None = None,
    reference: str | None = None,
) -> UUID:
    """An entry with an act of its own, in the transaction there is."""
    entry, act = uuid4(), uuid4()
    await execute(_AUDIT_ENTRY, act, at)
    await execute(
        _POST,
        entry,
        act,
        kind.value,
        at,
        effective,
        reverses,
        reference,
        [posting.source for posting in postings],
        [posting.target for posting in postings],
        [posting.instrument for posting in postings],
        [posting.quantity for posting in postings],
    )
    return entry


async def give_stock(account: Account, instrument: Instrument, quantity: int) -> UUID:
    """The opening entry that gives an account its first stock."""
    return await post_in_transaction(
        EntryKind.OPENING, Posting(ISSUANCE_ACCOUNT, account.id, instrument.id, quantity)
    )


async def holdings_of(instrument: Instrument, *accounts: Account) -> list[int]:
    """The holdings of each account."""
    return [await available_quantity(account.id, instrument.id) for account in accounts]


async def count_rows(table: str) -> int:
    """How many rows a table has."""
    found = await fetch_one(f"SELECT count(*) AS number FROM {table}")
    assert found is not None
    return int(found["number"])


async def create_two_holders(stock: int) -> tuple[Instrument, Account, Account]:
    """A right, one who holds some of it, and one who holds none."""
    right = await create_right()
    _, seller = await create_holder()
    _, buyer = await create_holder()
    await give_stock(seller, right, stock)
    return right, seller, buyer


def make_posting(source: Account, target: Account, right: Instrument, quantity: int) -> Posting:
    """A posting between two accounts."""
    return Posting(source.id, target.id, right.id, quantity)


async def execute_as(operation: Operation[Any], who: Appointment, **args: object) -> UUID:
    outcome = await execute_command(operation, await principal_of(who), args, key=uuid4().hex)
    return UUID(str(outcome.record.pk))
