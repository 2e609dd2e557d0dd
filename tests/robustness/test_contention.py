"""What a command does when others want the same: it waits, begins again, or gives up clearly."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from registry.commands.command import Operation, Outcome, command
from registry.db.session import ATTEMPTS_MAX, rows
from registry.kernel.errors import Busy, ConditionsUnmet, Forbidden, NotFound
from registry.ledger.operations import impose_freeze
from registry.parties.operations import end_appointment, impose_sanction
from registry.transfers.offer import offer_transfer
from tests.support.waiting import waits
from tests.transfers.builders import HELD, UNITS, Market

AT_ONCE = 8
BARRED = (Forbidden, ConditionsUnmet, NotFound)
"""What becomes of business under a measure; whose appointment has ended sees nothing."""

# Whoever has something to write waits with all his locks.
NOBODY_WRITES = "LOCK TABLE act IN SHARE MODE"
WHY = {"reason": "test", "source": "test"}

# Fails a number of times, counted outside of what is rolled back.
_FAILING = """
    CREATE SEQUENCE failures;
    GRANT ALL ON SEQUENCE failures TO PUBLIC;
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('failures') <= {times} THEN RAISE 'again' USING ERRCODE = '{state}'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER failing BEFORE INSERT ON act FOR EACH ROW EXECUTE FUNCTION fail()
"""


def sent(
    market: Market, who: str, operation: Operation[Any], **args: object
) -> "asyncio.Task[Outcome[Any]]":
    return asyncio.create_task(command(operation, market.people[who], args, key=str(uuid4())))


@asynccontextmanager
async def held(holder: asyncpg.Connection, sql: str, *args: object) -> AsyncIterator[None]:
    """A lock of somebody else's, kept for as long as the body runs."""
    async with holder.transaction():
        await holder.execute(sql, *args)
        yield


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_what_fails_by_chance_is_done_once_in_the_end(
    market: Market, owner: asyncpg.Connection, state: str
) -> None:
    case = await market.draft()
    await owner.execute(_FAILING.format(times=ATTEMPTS_MAX - 1, state=state))

    outcome = await sent(market, "seller", offer_transfer, id=case.id)

    assert outcome.record.state == "offered"
    assert await market.rights() == {"seller holding": HELD - UNITS, "seller escrow": UNITS}
    assert await owner.fetchval("SELECT last_value FROM failures") == ATTEMPTS_MAX
    assert await acts_of(case.id) == ["draft_transfer", "offer_transfer"]


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_what_never_succeeds_ends_as_busy_and_leaves_nothing(
    market: Market, owner: asyncpg.Connection, state: str
) -> None:
    case = await market.draft()
    await owner.execute(_FAILING.format(times=1_000, state=state))

    with pytest.raises(Busy) as refusal:
        await market.do("seller", offer_transfer, case.id)

    assert refusal.value.transient
    assert await owner.fetchval("SELECT last_value FROM failures") == ATTEMPTS_MAX
    assert await market.rights() == {"seller holding": HELD}
    assert await acts_of(case.id) == ["draft_transfer"]
    assert await owner.fetchval("SELECT count(*) FROM idempotency_key") == 1


async def test_the_victim_of_a_deadlock_begins_again(
    market: Market, owner: asyncpg.Connection, holder: asyncpg.Connection
) -> None:
    case = await market.draft()
    begun = holder.transaction()
    await begun.start()
    await holder.execute("SELECT 1 FROM transfer WHERE id = $1 FOR UPDATE", case.id)
    offer = sent(market, "seller", offer_transfer, id=case.id)
    await waits(owner)

    # The offer holds its organisation and waits for the case; this closes the circle, which the
    # one finds who has waited longer.
    await holder.execute("SELECT 1 FROM organisation WHERE id = $1 FOR UPDATE", market.seller.id)
    await begun.commit()

    assert (await offer).record.state == "offered"
    assert await acts_of(case.id) == ["draft_transfer", "offer_transfer"]


async def test_whoever_waits_too_long_is_told_that_the_registry_is_busy(
    market: Market, owner: asyncpg.Connection, holder: asyncpg.Connection
) -> None:
    case = await market.draft()
    async with held(holder, "SELECT 1 FROM transfer WHERE id = $1 FOR UPDATE", case.id):
        offer = sent(market, "seller", offer_transfer, id=case.id)
        await waits(owner)
        await owner.execute(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )

        with pytest.raises(Busy):
            await offer


Measure = Callable[[Market], "asyncio.Task[Outcome[Any]]"]


def bar_seller(market: Market) -> "asyncio.Task[Outcome[Any]]":
    return _bar(market, market.seller.id)


def bar_buyer(market: Market) -> "asyncio.Task[Outcome[Any]]":
    return _bar(market, market.buyer.id)


def _bar(market: Market, whom: UUID) -> "asyncio.Task[Outcome[Any]]":
    return sent(
        market, "province", impose_sanction, organisation=whom, kind="penalty_period", **WHY
    )


def freeze_seller(market: Market) -> "asyncio.Task[Outcome[Any]]":
    return sent(market, "province", impose_freeze, organisation=market.seller.id, **WHY)


def dismiss(market: Market) -> "asyncio.Task[Outcome[Any]]":
    appointment = market.people["seller"].appointment
    return sent(market, "seller_second", end_appointment, id=appointment)


@pytest.mark.parametrize("measure", [bar_seller, bar_buyer, freeze_seller])
async def test_a_measure_that_commits_first_binds_a_command_that_began_before_it(
    market: Market, owner: asyncpg.Connection, holder: asyncpg.Connection, measure: Measure
) -> None:
    case = await market.draft()
    officer = market.people["seller"].appointment
    async with held(holder, "SELECT 1 FROM appointment WHERE id = $1 FOR NO KEY UPDATE", officer):
        # It has asked for the time, and waits for its own officer.
        offer = sent(market, "seller", offer_transfer, id=case.id)
        await waits(owner)
        await measure(market)

    with pytest.raises(BARRED):
        await offer

    assert await market.rights() == {"seller holding": HELD}


@pytest.mark.parametrize("measure", [bar_seller, bar_buyer, freeze_seller, dismiss])
async def test_a_measure_that_commits_first_binds_a_command_that_waited_for_it(
    market: Market, owner: asyncpg.Connection, holder: asyncpg.Connection, measure: Measure
) -> None:
    case = await market.draft()
    async with held(holder, NOBODY_WRITES):
        taken = measure(market)
        await waits(owner)
        offer = sent(market, "seller", offer_transfer, id=case.id)
        await waits(owner, 2)

    await taken
    with pytest.raises(BARRED):
        await offer

    assert await market.rights() == {"seller holding": HELD}


@pytest.mark.parametrize("measure", [bar_seller, bar_buyer, freeze_seller, dismiss])
async def test_a_command_that_commits_first_is_not_undone_by_the_measure_that_waited(
    market: Market, owner: asyncpg.Connection, holder: asyncpg.Connection, measure: Measure
) -> None:
    case = await market.draft()
    async with held(holder, NOBODY_WRITES):
        offer = sent(market, "seller", offer_transfer, id=case.id)
        await waits(owner)
        taken = measure(market)
        await waits(owner, 2)

    await taken
    assert (await offer).record.state == "offered"

    assert await market.rights() == {"seller holding": HELD - UNITS, "seller escrow": UNITS}


@pytest.mark.parametrize("measure", [bar_seller, bar_buyer, freeze_seller, dismiss])
async def test_of_two_at_once_the_one_that_commits_first_wins(
    market: Market, owner: asyncpg.Connection, measure: Measure
) -> None:
    cases = [await market.draft(quantity="1.000") for _ in range(AT_ONCE)]

    offers = [sent(market, "seller", offer_transfer, id=case.id) for case in cases[:3]]
    await asyncio.sleep(0.01)
    taken = measure(market)
    offers += [sent(market, "seller", offer_transfer, id=case.id) for case in cases[3:]]
    found = await asyncio.gather(*offers, return_exceptions=True)
    act = (await taken).act_id

    done = [each for each in found if not isinstance(each, BaseException)]
    assert all(isinstance(each, BARRED) for each in found if isinstance(each, BaseException))
    late = await rows(
        "SELECT a.id FROM act a JOIN act m ON m.id = $1 WHERE a.operation = 'offer_transfer'"
        " AND a.written_at > m.written_at",
        act,
    )
    assert late == []
    assert (await market.rights()).get("seller escrow", 0) == 1_000 * len(done)


async def acts_of(case: UUID) -> list[str]:
    found = await rows("SELECT operation FROM act WHERE object_id = $1 ORDER BY written_at", case)
    return [act["operation"] for act in found]
