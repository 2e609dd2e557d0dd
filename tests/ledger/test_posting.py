"""``post_entry`` against a real PostgreSQL: all or nothing, and nothing but it."""

import asyncio
from datetime import date, datetime

import asyncpg
import pytest

from registry.concepts import verify_registry
from registry.db.session import fetch_all, fetch_one, transaction, with_retries
from registry.kernel.calendar import CHINA
from registry.kernel.errors import Duplicate, Insufficient, Malformed, NotFound, NotInForce
from registry.ledger.journal import (
    ensure_account,
    ensure_instrument,
)
from registry.ledger.reversals import postings_of
from registry.ledger.rules import (
    ISSUANCE_ACCOUNT,
    MONEY_INSTRUMENT,
    OUTSIDE_ACCOUNT,
    AccountKind,
    Acquisition,
    EntryKind,
    Posting,
    Right,
)
from tests.ledger.balances import available_quantity, balance_at, balance_effective_at
from tests.ledger.ledger_builders import (
    HOUR,
    OPENING,
    count_rows,
    create_holder,
    create_right,
    create_two_holders,
    give_stock,
    holdings_of,
    make_posting,
    post_in_transaction,
    write_entry,
)

pytestmark = pytest.mark.usefixtures("database")
SETTLED = EntryKind.SETTLEMENT


async def failed_checks() -> list[str]:
    return [finding.check for finding in await verify_registry() if not finding.is_satisfied]


async def test_an_entry_moves_its_postings_and_nothing_else() -> None:
    right, seller, buyer = await create_two_holders(1000)

    entry = await post_in_transaction(SETTLED, make_posting(seller, buyer, right, 356))

    assert await holdings_of(right, seller, buyer) == [644, 356]
    assert await available_quantity(ISSUANCE_ACCOUNT, right.id) == -1000
    assert await postings_of(entry) == (make_posting(seller, buyer, right, 356),)


async def test_a_short_seller_changes_nothing_and_is_named() -> None:
    right, seller, buyer = await create_two_holders(29)
    other = await create_right("NOX")
    await give_stock(seller, other, 10)
    before = await count_rows("entry")

    with pytest.raises(Insufficient) as refusal:
        await post_in_transaction(
            SETTLED, make_posting(seller, buyer, other, 10), make_posting(seller, buyer, right, 30)
        )

    assert right.code in refusal.value.message.en
    assert "0.029 t" in refusal.value.message.en
    assert "0.001 t" in refusal.value.message.en
    assert "不足0.001吨" in refusal.value.message.zh
    assert await holdings_of(right, seller, buyer) == [29, 0]
    assert await holdings_of(other, seller, buyer) == [10, 0]
    assert await count_rows("entry") == before


async def test_nothing_is_taken_before_it_came_in() -> None:
    right, seller, buyer = await create_two_holders(10)

    with pytest.raises(Insufficient):
        await post_in_transaction(
            SETTLED, make_posting(buyer, seller, right, 5), make_posting(seller, buyer, right, 5)
        )
    await post_in_transaction(
        SETTLED, make_posting(seller, buyer, right, 5), make_posting(buyer, seller, right, 5)
    )

    assert await holdings_of(right, seller, buyer) == [10, 0]


async def test_one_balance_spent_by_sixteen_at_once_is_spent_once() -> None:
    right, seller, _ = await create_two_holders(1000)
    buyers = [(await create_holder())[1] for _ in range(16)]

    outcomes = await asyncio.gather(
        *(
            post_in_transaction(SETTLED, make_posting(seller, buyer, right, 300))
            for buyer in buyers
        ),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, Insufficient)]
    assert len(refused) == 13
    assert sum(await holdings_of(right, *buyers)) == 900
    assert await holdings_of(right, seller) == [100]
    assert await failed_checks() == []


async def test_opposite_entries_at_once_do_not_wait_for_each_other_in_a_ring() -> None:
    right, one, other = await create_two_holders(1000)
    second = await create_right("NOX")
    await give_stock(other, second, 1000)
    there = (make_posting(one, other, right, 1), make_posting(other, one, second, 1))
    back = (make_posting(other, one, second, 1), make_posting(one, other, right, 1))

    await asyncio.gather(*(post_in_transaction(SETTLED, *way) for way in [there, back] * 20))

    assert await holdings_of(right, one, other) == [960, 40]
    assert await holdings_of(second, one, other) == [40, 960]
    assert await failed_checks() == []


async def test_two_entries_of_one_unit_of_work_in_opposite_order_are_tried_again() -> None:
    right, one, other = await create_two_holders(1000)
    await post_in_transaction(SETTLED, make_posting(one, other, right, 500))
    second = await create_right("NOX")
    await give_stock(one, second, 500)
    await give_stock(other, second, 500)

    async def both(one_way: Posting, other_way: Posting) -> None:
        async with transaction():
            await write_entry(SETTLED, [one_way])
            await asyncio.sleep(0.05)
            await write_entry(SETTLED, [other_way])

    ways = [make_posting(one, other, right, 1), make_posting(other, one, second, 1)]
    await asyncio.gather(
        with_retries(lambda: both(*ways)), with_retries(lambda: both(*reversed(ways)))
    )

    assert await holdings_of(right, one, other) == [498, 502]
    assert await failed_checks() == []


async def test_knowledge_never_runs_backwards() -> None:
    right, seller, buyer = await create_two_holders(10)
    later = OPENING + 5 * HOUR
    await post_in_transaction(SETTLED, make_posting(seller, buyer, right, 1), at=later)

    await post_in_transaction(SETTLED, make_posting(seller, buyer, right, 1), at=OPENING)

    lines = await fetch_all(
        "SELECT recorded_at, effective_at FROM posting WHERE $1 IN (source, target)"
        " ORDER BY recorded_at, effective_at DESC",
        seller.id,
    )
    assert [line["recorded_at"] for line in lines] == [OPENING, later, later]
    assert [line["effective_at"] for line in lines] == [OPENING, later, OPENING]


async def test_a_balance_is_asked_of_either_clock() -> None:
    right, seller, buyer = await create_two_holders(1000)
    first, second = OPENING + HOUR, OPENING + 3 * HOUR
    await post_in_transaction(SETTLED, make_posting(seller, buyer, right, 300), at=first)
    await post_in_transaction(
        SETTLED, make_posting(buyer, seller, right, 100), at=second, effective=OPENING
    )

    async def known(at: datetime) -> int:
        return await balance_at(seller.id, right.id, at)

    async def effective(at: datetime, known: datetime) -> int:
        return await balance_effective_at(seller.id, right.id, at, recorded_at=known)

    assert await known(OPENING - HOUR) == 0
    assert await known(OPENING) == 1000
    assert await known(first) == await known(second - HOUR) == 700
    assert await known(second) == 800
    assert await effective(OPENING, second) == 1100
    assert await effective(first, second) == 800
    assert await effective(OPENING, first) == 1000


async def test_a_past_balance_is_one_look_up_for_each_side(owner: asyncpg.Connection) -> None:
    right, seller, buyer = await create_two_holders(100_000)
    for _ in range(50):
        await post_in_transaction(SETTLED, make_posting(seller, buyer, right, 1))
    await owner.execute("ANALYZE posting; SET enable_seqscan = off")

    for side in ("source", "target"):
        plan = "\n".join(
            line["QUERY PLAN"]
            for line in await owner.fetch(
                f"EXPLAIN SELECT {side}_balance FROM posting WHERE {side} = '{seller.id}'"
                f" AND instrument = '{right.id}' AND recorded_at <= now()"
                f" ORDER BY recorded_at DESC, {side}_sequence DESC LIMIT 1"
            )
        )
        assert f"Index Only Scan Backward using posting_{side}_as_recorded" in plan
        assert "Sort" not in plan


async def test_a_right_is_in_force_on_its_last_day_in_china_and_not_after() -> None:
    right = await create_right(until=date(2027, 6, 7))
    (_, seller), (_, buyer) = await create_holder(), await create_holder()
    escrow = await ensure_account(seller.organisation_id, AccountKind.ESCROW)  # type: ignore[arg-type]
    await give_stock(seller, right, 10)
    last_moment = datetime(2027, 6, 7, 23, 59, tzinfo=CHINA)
    too_late = datetime(2027, 6, 8, 0, 0, tzinfo=CHINA)
    await post_in_transaction(
        EntryKind.BLOCK, make_posting(seller, escrow, right, 5), at=last_moment
    )

    with pytest.raises(NotInForce) as refusal:
        await post_in_transaction(SETTLED, make_posting(escrow, buyer, right, 1), at=too_late)
    await post_in_transaction(
        EntryKind.RELEASE, make_posting(escrow, seller, right, 5), at=too_late
    )
    await post_in_transaction(
        EntryKind.EXPIRY, Posting(seller.id, ISSUANCE_ACCOUNT, right.id, 10), at=too_late
    )

    assert "2027-06-07" in refusal.value.message.en
    assert await holdings_of(right, seller, escrow, buyer) == [0, 0, 0]


async def test_a_right_is_entered_but_not_disposed_of_before_its_first_day() -> None:
    right = await ensure_instrument(
        Right("SO2", "131000", Acquisition.PAID, valid_from=date(2022, 6, 8), demo=True)
    )
    (_, seller), (_, buyer) = await create_holder(), await create_holder()
    escrow = await ensure_account(seller.organisation_id, AccountKind.ESCROW)  # type: ignore[arg-type]
    await give_stock(seller, right, 10)

    for target in (escrow, buyer):
        with pytest.raises(NotInForce) as refusal:
            await post_in_transaction(EntryKind.BLOCK, make_posting(seller, target, right, 5))
        assert "from 2022-06-08 on" in refusal.value.message.en
    await post_in_transaction(
        EntryKind.BLOCK, make_posting(seller, escrow, right, 5), at=OPENING + 24 * HOUR
    )

    assert await holdings_of(right, seller, escrow, buyer) == [5, 5, 0]


async def test_a_city_never_holds_more_than_its_cap(owner: asyncpg.Connection) -> None:
    right = await create_right()
    _, one = await create_holder(city="131000")
    _, other = await create_holder(city="131000")
    await owner.execute(
        "INSERT INTO city_cap VALUES ('131000', 'SO2', '2022-01-01', 1000, 'a test', true)"
    )
    await give_stock(one, right, 600)

    with pytest.raises(Insufficient) as refusal:
        await give_stock(other, right, 401)
    outcomes = await asyncio.gather(
        give_stock(one, right, 400), give_stock(other, right, 400), return_exceptions=True
    )

    assert refusal.value.message.zh == ("廊坊市的二氧化硫持有量将为1.001吨，超过总量上限1.000吨。")
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Insufficient", "UUID"]


async def test_no_entry_of_any_kind_lifts_a_city_above_its_cap(owner: asyncpg.Connection) -> None:
    right, from_elsewhere = await create_right(), await create_holder(city="130200")
    _, one = await create_holder(city="131000")
    _, other = await create_holder(city="131000")
    abroad = from_elsewhere[1]
    await give_stock(one, right, 600)
    gone = await post_in_transaction(SETTLED, make_posting(one, abroad, right, 500))
    await give_stock(abroad, right, 401)
    await owner.execute(
        "INSERT INTO city_cap VALUES ('131000', 'SO2', '2022-01-01', 500, 'a test', true)"
    )

    await post_in_transaction(SETTLED, make_posting(abroad, other, right, 400))
    with pytest.raises(Insufficient):
        await post_in_transaction(SETTLED, make_posting(abroad, other, right, 1))
    with pytest.raises(Insufficient):
        await post_in_transaction(
            EntryKind.REVERSAL, make_posting(abroad, one, right, 500), reverses=gone
        )
    await owner.execute("UPDATE city_cap SET cap = 1")
    await post_in_transaction(SETTLED, make_posting(other, one, right, 400))
    await post_in_transaction(SETTLED, make_posting(one, abroad, right, 100))

    assert await holdings_of(right, one, other, abroad) == [400, 0, 601]


async def test_money_enters_by_payment_with_a_reference_that_is_used_once() -> None:
    _, buyer = await create_holder()
    paid = Posting(OUTSIDE_ACCOUNT, buyer.id, MONEY_INSTRUMENT, 500)
    await post_in_transaction(EntryKind.PAYMENT, paid, reference="BANK-0001")

    with pytest.raises(Duplicate):
        await post_in_transaction(EntryKind.PAYMENT, paid, reference="BANK-0001")
    with pytest.raises(asyncpg.NotNullViolationError):
        await post_in_transaction(EntryKind.PAYMENT, paid)

    assert await available_quantity(buyer.id, MONEY_INSTRUMENT) == 500


async def test_a_reversed_payment_gives_its_reference_back() -> None:
    _, buyer = await create_holder()
    paid = Posting(OUTSIDE_ACCOUNT, buyer.id, MONEY_INSTRUMENT, 500)
    wrong = await post_in_transaction(EntryKind.PAYMENT, paid, reference="BANK-0001")
    undone = Posting(buyer.id, OUTSIDE_ACCOUNT, MONEY_INSTRUMENT, 500)

    await post_in_transaction(EntryKind.REVERSAL, undone, reverses=wrong)
    await post_in_transaction(EntryKind.PAYMENT, paid, reference="BANK-0001")
    with pytest.raises(Duplicate):
        await post_in_transaction(EntryKind.REVERSAL, undone, reverses=wrong)

    assert await available_quantity(buyer.id, MONEY_INSTRUMENT) == 500
    assert await failed_checks() == []


@pytest.mark.parametrize("kind", [EntryKind.SETTLEMENT, EntryKind.BLOCK, EntryKind.PAYMENT])
async def test_rights_begin_by_an_opening_or_a_conversion_alone(kind: EntryKind) -> None:
    right = await create_right()
    _, holder = await create_holder()

    with pytest.raises(asyncpg.PostgresError) as bug:
        await post_in_transaction(
            kind, Posting(ISSUANCE_ACCOUNT, holder.id, right.id, 1), reference="BANK-0001"
        )

    assert bug.value.sqlstate == "BD006"


@pytest.mark.parametrize("kind", [EntryKind.SETTLEMENT, EntryKind.OPENING, EntryKind.PAYOUT])
async def test_money_comes_in_by_payment_alone(kind: EntryKind) -> None:
    _, holder = await create_holder()

    with pytest.raises(asyncpg.PostgresError) as bug:
        await post_in_transaction(
            kind, Posting(OUTSIDE_ACCOUNT, holder.id, MONEY_INSTRUMENT, 1), reference="BANK-0001"
        )

    assert bug.value.sqlstate == "BD006"


async def test_an_unknown_account_is_not_found() -> None:
    right, seller, _ = await create_two_holders(10)

    with pytest.raises(NotFound):
        await post_in_transaction(SETTLED, Posting(seller.id, right.id, right.id, 1))


async def test_an_entry_cannot_take_effect_before_it_is_recorded() -> None:
    right, seller, buyer = await create_two_holders(10)

    with pytest.raises(Malformed):
        await post_in_transaction(
            SETTLED, make_posting(seller, buyer, right, 1), effective=OPENING + HOUR
        )


async def test_an_entry_without_audit_entry_is_not_kept() -> None:
    right, seller, buyer = await create_two_holders(10)

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with transaction():
            await fetch_one(
                "SELECT post_entry(gen_random_uuid(), gen_random_uuid(), 'settlement', now(), NULL,"
                " NULL, '', NULL, false, NULL, $1, $2, $3, $4)",
                [seller.id],
                [buyer.id],
                [right.id],
                [1],
            )

    assert await holdings_of(right, seller, buyer) == [10, 0]
