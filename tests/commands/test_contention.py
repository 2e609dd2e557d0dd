"""A command under contention waits, retries, or gives up with a clear refusal."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from registry.commands.command import CommandResult, execute_command
from registry.commands.operation import Operation
from registry.db.session import MAX_ATTEMPTS, fetch_all
from registry.kernel.errors import (
    ConditionsUnmet,
    Forbidden,
    NotFound,
    Overloaded,
)
from registry.ledger.operations import impose_freeze
from registry.parties.operations import end_appointment, impose_sanction
from registry.transfers.offer import offer_transfer
from tests.support.builders import create_officer, create_officer_of, principal_of
from tests.support.waiting import wait_until_blocked
from tests.transfers.builders import STOCK_UNITS, UNITS, TradingFixture

AT_ONCE = 8
SANCTIONED = (Forbidden, ConditionsUnmet, NotFound)
"""Expected results under a sanction; an ended appointment sees nothing."""

# A writer waits with all its locks.
NOBODY_WRITES = "LOCK TABLE audit_entry IN SHARE MODE"
ALONE = "SELECT pg_advisory_xact_lock(uuid_hash_extended($1, 0))"
SHARED = "SELECT pg_advisory_xact_lock_shared(uuid_hash_extended($1, 0))"
"""The locks of an organisation."""

WHY = {"reason": "test", "source": "test"}

# Fails a number of times, counted outside of what is rolled back.
_FAILING = """
    CREATE SEQUENCE failures;
    GRANT ALL ON SEQUENCE failures TO PUBLIC;
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('failures') <= {times} THEN RAISE 'again' USING ERRCODE = '{state}'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER failing BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION fail()
"""


def send_command(
    market: TradingFixture, who: str, operation: Operation[Any], **args: object
) -> "asyncio.Task[CommandResult[Any]]":
    return asyncio.create_task(
        execute_command(operation, market.people[who], args, key=str(uuid4()))
    )


@asynccontextmanager
async def hold_lock(
    lock_holder: asyncpg.Connection, sql: str, *args: object
) -> AsyncIterator[None]:
    """A lock of another session, kept while the body runs."""
    async with lock_holder.transaction():
        await lock_holder.execute(sql, *args)
        yield


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_what_fails_by_chance_is_done_once_in_the_end(
    market: TradingFixture, owner: asyncpg.Connection, state: str
) -> None:
    case = await market.draft()
    await owner.execute(_FAILING.format(times=MAX_ATTEMPTS - 1, state=state))

    outcome = await send_command(market, "seller", offer_transfer, id=case.id)

    assert outcome.record.state == "offered"
    assert await market.rights() == {"seller holding": STOCK_UNITS - UNITS, "seller escrow": UNITS}
    assert await owner.fetchval("SELECT last_value FROM failures") == MAX_ATTEMPTS
    assert await audit_entries_of(case.id) == ["draft_transfer", "offer_transfer"]


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_what_never_succeeds_ends_as_busy_and_leaves_nothing(
    market: TradingFixture, owner: asyncpg.Connection, state: str
) -> None:
    case = await market.draft()
    await owner.execute(_FAILING.format(times=1_000, state=state))

    with pytest.raises(Overloaded) as refusal:
        await market.execute("seller", offer_transfer, case.id)

    assert refusal.value.retryable
    assert await owner.fetchval("SELECT last_value FROM failures") == MAX_ATTEMPTS
    assert await market.rights() == {"seller holding": STOCK_UNITS}
    assert await audit_entries_of(case.id) == ["draft_transfer"]
    assert await owner.fetchval("SELECT count(*) FROM idempotency_key") == 1


async def test_the_victim_of_a_deadlock_begins_again(
    market: TradingFixture, owner: asyncpg.Connection, lock_holder: asyncpg.Connection
) -> None:
    case = await market.draft()
    begun = lock_holder.transaction()
    await begun.start()
    await lock_holder.execute("SELECT 1 FROM transfer WHERE id = $1 FOR UPDATE", case.id)
    offer = send_command(market, "seller", offer_transfer, id=case.id)
    await wait_until_blocked(owner)

    # The offer holds its organisation and waits for the case; this closes the circle, which the
    # one finds who has waited longer.
    await lock_holder.execute(ALONE, market.seller.id)
    await begun.commit()

    assert (await offer).record.state == "offered"
    assert await audit_entries_of(case.id) == ["draft_transfer", "offer_transfer"]


async def test_a_command_that_waits_too_long_is_refused_as_overloaded(
    market: TradingFixture, owner: asyncpg.Connection, lock_holder: asyncpg.Connection
) -> None:
    case = await market.draft()
    async with hold_lock(lock_holder, "SELECT 1 FROM transfer WHERE id = $1 FOR UPDATE", case.id):
        offer = send_command(market, "seller", offer_transfer, id=case.id)
        await wait_until_blocked(owner)
        await owner.execute(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )

        with pytest.raises(Overloaded):
            await offer


async def test_a_case_that_the_caller_does_not_see_is_not_waited_for(
    market: TradingFixture, lock_holder: asyncpg.Connection
) -> None:
    case = await market.draft()
    market.people["stranger"] = await principal_of(await create_officer_of("enterprise"))

    async with hold_lock(lock_holder, "SELECT 1 FROM transfer WHERE id = $1 FOR UPDATE", case.id):
        with pytest.raises(NotFound):
            await market.execute("stranger", offer_transfer, case.id)


async def test_a_key_whose_command_is_rolled_back_is_free_for_the_one_that_waits(
    market: TradingFixture, owner: asyncpg.Connection, lock_holder: asyncpg.Connection
) -> None:
    case, seller = await market.draft(), market.people["seller"]
    begun = lock_holder.transaction()
    await begun.start()
    await lock_holder.execute(
        "INSERT INTO idempotency_key SELECT organisation_id, person_id, role, 'key', 'x', id"
        " FROM appointment WHERE id = $1",
        seller.appointment_id,
    )
    offer = asyncio.create_task(execute_command(offer_transfer, seller, {"id": case.id}, key="key"))
    await wait_until_blocked(owner)
    await begun.rollback()

    outcome = await offer
    assert (outcome.is_replay, outcome.record.state) == (False, "offered")


Measure = Callable[[TradingFixture], "asyncio.Task[CommandResult[Any]]"]


def sanction_buyer(market: TradingFixture) -> "asyncio.Task[CommandResult[Any]]":
    return send_command(
        market,
        "province",
        impose_sanction,
        organisation=market.buyer.id,
        kind="penalty_period",
        **WHY,
    )


def freeze_seller(market: TradingFixture) -> "asyncio.Task[CommandResult[Any]]":
    return send_command(market, "province", impose_freeze, organisation=market.seller.id, **WHY)


def dismiss(market: TradingFixture) -> "asyncio.Task[CommandResult[Any]]":
    appointment = market.people["seller"].appointment_id
    return send_command(market, "seller_second", end_appointment, id=appointment)


@pytest.mark.parametrize("measure", [sanction_buyer, freeze_seller, dismiss])
async def test_no_command_that_asked_after_a_measure_is_served_before_it(
    market: TradingFixture,
    owner: asyncpg.Connection,
    lock_holder: asyncpg.Connection,
    measure: Measure,
) -> None:
    cases = [await market.draft(quantity="1.000") for _ in range(AT_ONCE)]
    async with lock_holder.transaction():
        for organisation in (market.seller.id, market.buyer.id):
            await lock_holder.execute(SHARED, organisation)
        taken = measure(market)
        await wait_until_blocked(owner)
        offers = [send_command(market, "seller", offer_transfer, id=case.id) for case in cases]
        await wait_until_blocked(owner, 1 + AT_ONCE)

    await taken
    found = await asyncio.gather(*offers, return_exceptions=True)

    assert all(isinstance(each, SANCTIONED) for each in found), found
    assert await market.rights() == {"seller holding": STOCK_UNITS}


async def test_an_appointment_that_ends_during_the_wait_does_not_act(
    market: TradingFixture, owner: asyncpg.Connection, lock_holder: asyncpg.Connection
) -> None:
    case = await market.draft()
    ends_at = await owner.fetchval("SELECT registry_now() + interval '1 second'")
    officer = await create_officer(market.seller, valid_until=ends_at)
    async with hold_lock(lock_holder, ALONE, market.seller.id):
        offer = asyncio.create_task(
            execute_command(
                offer_transfer, await principal_of(officer), {"id": case.id}, key="late"
            )
        )
        await wait_until_blocked(owner)
        while not await owner.fetchval("SELECT registry_now() > $1", ends_at):
            await asyncio.sleep(0.05)

    with pytest.raises(SANCTIONED):
        await offer

    assert await market.rights() == {"seller holding": STOCK_UNITS}


async def test_a_command_waits_for_no_measure_against_others(
    market: TradingFixture, lock_holder: asyncpg.Connection
) -> None:
    case = await market.draft()
    async with hold_lock(lock_holder, ALONE, uuid4()):
        outcome = await send_command(market, "seller", offer_transfer, id=case.id)

    assert outcome.record.state == "offered"


@pytest.mark.parametrize("measure", [sanction_buyer, freeze_seller, dismiss])
async def test_a_measure_that_commits_first_binds_a_command_that_waited_for_it(
    market: TradingFixture,
    owner: asyncpg.Connection,
    lock_holder: asyncpg.Connection,
    measure: Measure,
) -> None:
    case = await market.draft()
    async with hold_lock(lock_holder, NOBODY_WRITES):
        taken = measure(market)
        await wait_until_blocked(owner)
        offer = send_command(market, "seller", offer_transfer, id=case.id)
        await wait_until_blocked(owner, 2)

    await taken
    with pytest.raises(SANCTIONED):
        await offer

    assert await market.rights() == {"seller holding": STOCK_UNITS}


@pytest.mark.parametrize("measure", [sanction_buyer, freeze_seller, dismiss])
async def test_a_command_that_commits_first_is_not_undone_by_the_measure_that_waited(
    market: TradingFixture,
    owner: asyncpg.Connection,
    lock_holder: asyncpg.Connection,
    measure: Measure,
) -> None:
    case = await market.draft()
    async with hold_lock(lock_holder, NOBODY_WRITES):
        offer = send_command(market, "seller", offer_transfer, id=case.id)
        await wait_until_blocked(owner)
        taken = measure(market)
        await wait_until_blocked(owner, 2)

    await taken
    assert (await offer).record.state == "offered"

    assert await market.rights() == {"seller holding": STOCK_UNITS - UNITS, "seller escrow": UNITS}


@pytest.mark.parametrize("measure", [sanction_buyer, freeze_seller, dismiss])
async def test_of_two_at_once_the_one_that_commits_first_wins(
    market: TradingFixture, owner: asyncpg.Connection, measure: Measure
) -> None:
    cases = [await market.draft(quantity="1.000") for _ in range(AT_ONCE)]

    offers = [send_command(market, "seller", offer_transfer, id=case.id) for case in cases[:3]]
    await asyncio.sleep(0.01)
    taken = measure(market)
    offers += [send_command(market, "seller", offer_transfer, id=case.id) for case in cases[3:]]
    found = await asyncio.gather(*offers, return_exceptions=True)
    act = (await taken).audit_entry_id

    done = [each for each in found if not isinstance(each, BaseException)]
    assert all(isinstance(each, SANCTIONED) for each in found if isinstance(each, BaseException))
    late = await fetch_all(
        "SELECT a.id FROM audit_entry a JOIN audit_entry m ON m.id = $1"
        " WHERE a.operation = 'offer_transfer'"
        " AND a.written_at > m.written_at",
        act,
    )
    assert late == []
    assert (await market.rights()).get("seller escrow", 0) == 1_000 * len(done)


async def audit_entries_of(case: UUID) -> list[str]:
    found = await fetch_all(
        "SELECT operation FROM audit_entry WHERE object_id = $1 ORDER BY written_at", case
    )
    return [act["operation"] for act in found]
