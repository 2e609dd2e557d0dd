"""Frozen holdings do not move, and only ``post_entry`` writes the journal."""

import asyncio

import asyncpg
import pytest

from registry.db.session import fetch_one, transaction
from registry.kernel.errors import Frozen
from registry.ledger.journal import ensure_account
from registry.ledger.records import Account, Instrument
from registry.ledger.rules import AccountKind, EntryKind
from tests.ledger.ledger_builders import (
    HOUR,
    OPENING,
    create_holder,
    create_right,
    create_two_holders,
    give_stock,
    holdings_of,
    make_posting,
    post_in_transaction,
)
from tests.support.cluster import Database

pytestmark = pytest.mark.usefixtures("database")
SETTLED = EntryKind.SETTLEMENT

FREEZES = {
    "organisation": (False, False),
    "account": (True, False),
    "position": (True, True),
}


async def freeze_target(
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
    right, seller, buyer = await create_two_holders(10)
    await freeze_target(owner, seller, right, target)
    sale = make_posting(seller, buyer, right, 1)

    with pytest.raises(Frozen) as refusal:
        await post_in_transaction(SETTLED, sale, at=OPENING + HOUR)
    await post_in_transaction(SETTLED, sale, at=OPENING - HOUR)
    await post_in_transaction(SETTLED, sale, at=OPENING + 10 * HOUR)

    assert "a court" in refusal.value.message.en
    assert await holdings_of(right, seller, buyer) == [8, 2]


async def test_what_is_blocked_comes_home_to_a_frozen_holder_and_goes_nowhere_else(
    owner: asyncpg.Connection,
) -> None:
    right, seller, buyer = await create_two_holders(10)
    escrow = await ensure_account(seller.organisation_id, AccountKind.ESCROW)  # type: ignore[arg-type]
    await post_in_transaction(EntryKind.BLOCK, make_posting(seller, escrow, right, 10))
    await freeze_target(owner, seller, right, "organisation")

    with pytest.raises(Frozen):
        await post_in_transaction(SETTLED, make_posting(escrow, buyer, right, 10))
    await post_in_transaction(EntryKind.RELEASE, make_posting(escrow, seller, right, 10))
    with pytest.raises(Frozen):
        await post_in_transaction(EntryKind.BLOCK, make_posting(seller, escrow, right, 10))

    assert await holdings_of(right, seller, escrow, buyer) == [10, 0, 0]


async def test_a_frozen_position_leaves_the_others_free(owner: asyncpg.Connection) -> None:
    right, seller, buyer = await create_two_holders(10)
    other = await create_right("NOX")
    await give_stock(seller, other, 10)
    await freeze_target(owner, seller, right, "position")

    await post_in_transaction(SETTLED, make_posting(seller, buyer, other, 10))

    assert await holdings_of(other, seller, buyer) == [0, 10]


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
    "UPDATE audit_entry SET rule = 'T-12'",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
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
            await fetch_one(sql)


@pytest.mark.parametrize("table", ["posting", "entry", "instrument"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET {}"])
async def test_not_even_the_owner_edits_the_journal(
    owner: asyncpg.Connection, table: str, change: str
) -> None:
    await create_two_holders(10)
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


async def test_an_account_keeps_its_holder_and_moves_with_it(
    owner: asyncpg.Connection,
) -> None:
    organisation, account = await create_holder(city="130200")
    other, _ = await create_holder()

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
    organisation, _ = await create_holder()

    opened = await asyncio.gather(
        *(ensure_account(organisation.id, AccountKind.ESCROW) for _ in range(8))
    )

    assert len({account.id for account in opened}) == 1
