"""What is frozen stays, and nobody but ``post_entry`` writes the journal."""

import asyncio

import asyncpg
import pytest

from registry.db.session import row, transaction
from registry.kernel.errors import Frozen
from registry.ledger.journal import ensure_account
from registry.ledger.records import Account, Instrument
from registry.ledger.rules import AccountKind, EntryKind
from tests.ledger.ledger_builders import (
    HOUR,
    OPENING,
    a_holder,
    a_right,
    held,
    moved,
    posted,
    stocked,
    two_holders,
)
from tests.support.cluster import Database

pytestmark = pytest.mark.usefixtures("database")
SETTLED = EntryKind.SETTLEMENT

FREEZES = {
    "organisation": (False, False),
    "account": (True, False),
    "position": (True, True),
}


async def frozen(
    owner: asyncpg.Connection, account: Account, right: Instrument, target: str
) -> None:
    names_account, names_right = FREEZES[target]
    await owner.execute(
        "INSERT INTO freeze_order VALUES (gen_random_uuid(), $1, $2, $3, $4, 'a court', 'file 7',"
        " $5, $6, 'in_force', NULL, '', '', '', $2, $2, false, $5)",
        target,
        account.organisation_id,
        account.id if names_account else None,
        right.id if names_right else None,
        OPENING,
        OPENING + 10 * HOUR,
    )


@pytest.mark.parametrize("target", FREEZES)
async def test_nothing_leaves_what_is_frozen_while_it_is(
    owner: asyncpg.Connection, target: str
) -> None:
    right, seller, buyer = await two_holders(10)
    await frozen(owner, seller, right, target)
    sale = moved(seller, buyer, right, 1)

    with pytest.raises(Frozen) as refusal:
        await posted(SETTLED, sale, at=OPENING + HOUR)
    await posted(SETTLED, sale, at=OPENING - HOUR)
    await posted(SETTLED, sale, at=OPENING + 10 * HOUR)

    assert "a court" in refusal.value.message.en
    assert await held(right, seller, buyer) == [8, 2]


async def test_what_is_blocked_comes_home_to_a_frozen_holder_and_goes_nowhere_else(
    owner: asyncpg.Connection,
) -> None:
    right, seller, buyer = await two_holders(10)
    escrow = await ensure_account(seller.organisation_id, AccountKind.ESCROW)  # type: ignore[arg-type]
    await posted(EntryKind.BLOCK, moved(seller, escrow, right, 10))
    await frozen(owner, seller, right, "organisation")

    with pytest.raises(Frozen):
        await posted(SETTLED, moved(escrow, buyer, right, 10))
    await posted(EntryKind.RELEASE, moved(escrow, seller, right, 10))
    with pytest.raises(Frozen):
        await posted(EntryKind.BLOCK, moved(seller, escrow, right, 10))

    assert await held(right, seller, escrow, buyer) == [10, 0, 0]


async def test_a_frozen_position_leaves_the_others_free(owner: asyncpg.Connection) -> None:
    right, seller, buyer = await two_holders(10)
    other = await a_right("NOX")
    await stocked(seller, other, 10)
    await frozen(owner, seller, right, "position")

    await posted(SETTLED, moved(seller, buyer, other, 10))

    assert await held(other, seller, buyer) == [0, 10]


WRITES = [
    "INSERT INTO posting SELECT * FROM posting",
    "UPDATE posting SET quantity = 1",
    "DELETE FROM posting",
    "INSERT INTO balance SELECT * FROM balance",
    "UPDATE balance SET quantity = quantity + 1",
    "DELETE FROM balance",
    "INSERT INTO entry SELECT * FROM entry",
    "UPDATE entry SET note = 'x'",
    "DELETE FROM entry",
    "INSERT INTO bank_reference SELECT * FROM bank_reference",
    "UPDATE act SET rule = 'T-12'",
    "DELETE FROM act",
    "TRUNCATE act",
    "UPDATE instrument SET scale = 2",
    "INSERT INTO city_cap SELECT * FROM city_cap",
    "TRUNCATE posting",
    "DROP TABLE posting",
    "SELECT check_caps(now(), '{}', '{}', '{}', '{}')",
]


@pytest.mark.parametrize("sql", WRITES)
async def test_the_application_writes_no_ledger_row_by_hand(database: Database, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction():
            await row(sql)


@pytest.mark.parametrize("table", ["posting", "entry", "instrument"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET {}"])
async def test_not_even_the_owner_edits_the_journal(
    owner: asyncpg.Connection, table: str, change: str
) -> None:
    await two_holders(10)
    column = {"posting": "quantity = 1", "entry": "note = 'x'", "instrument": "unit = 'x'"}[table]

    with pytest.raises(asyncpg.PostgresError) as refusal:
        await owner.execute(change.format(table, column))

    assert refusal.value.sqlstate == "BD009"


async def test_the_reader_cannot_post(database: Database) -> None:
    reader = await asyncpg.connect(database.reader_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(
                "SELECT post_entry(gen_random_uuid(), gen_random_uuid(), 'opening', now(), NULL,"
                " NULL, '', NULL, false, NULL, '{}', '{}', '{}', '{}')"
            )
    finally:
        await reader.close()


async def test_an_account_keeps_its_holder_and_follows_him_when_he_moves(
    owner: asyncpg.Connection,
) -> None:
    organisation, account = await a_holder(city="130200")
    other, _ = await a_holder()

    await owner.execute(
        "UPDATE organisation SET city = '131000', county = '131022' WHERE id = $1", organisation.id
    )
    with pytest.raises(asyncpg.PostgresError) as refusal:
        await owner.execute(
            "UPDATE account SET organisation_id = $1 WHERE id = $2", other.id, account.id
        )

    assert refusal.value.sqlstate == "BD009"
    moved_account = await Account.get(id=account.id)
    assert (moved_account.city, moved_account.county) == ("131000", "131022")


async def test_an_organisation_has_one_account_of_a_kind_however_many_open_it() -> None:
    organisation, _ = await a_holder()

    opened = await asyncio.gather(
        *(ensure_account(organisation.id, AccountKind.ESCROW) for _ in range(8))
    )

    assert len({account.id for account in opened}) == 1
