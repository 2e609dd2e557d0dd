"""Turns: so many at once, beside what is quick or takes long; none is lost or given twice."""

import asyncio

import pytest

from registry.reading.concurrency_limit import (
    CONTENDED_STATEMENT_SECONDS,
    FAST_STATEMENT_SECONDS,
    MAX_TRACKED_STATEMENTS,
    SLOW_STATEMENT_SECONDS,
    ConcurrencyLimiter,
    FastStatementTracker,
)
from tests.support.waiting import SECONDS_MAX


async def _settled() -> None:
    """Whatever could go on without time has gone on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_concurrency_is_limited_and_the_next_waits_for_a_slot() -> None:
    turns = ConcurrencyLimiter(2)
    first, _ = await turns.acquire(), await turns.acquire()
    third = asyncio.create_task(turns.acquire())
    await _settled()
    assert (third.done(), turns.waiting_count) == (False, 1)

    turns.release(first)
    await _settled()

    assert (third.done(), turns.waiting_count) == (True, 0)


async def test_a_long_holder_lets_the_next_start() -> None:
    turns = ConcurrencyLimiter(1)
    turns.start(await turns.acquire())

    async with asyncio.timeout(SECONDS_MAX):
        turns.start(await turns.acquire())
        await turns.acquire()


async def test_a_slot_that_has_not_started_is_not_long() -> None:
    turns = ConcurrencyLimiter(1)
    await turns.acquire()
    next_ = asyncio.create_task(turns.acquire())

    await asyncio.sleep(3 * SLOW_STATEMENT_SECONDS)

    assert not next_.done()
    next_.cancel()


async def test_a_slot_that_was_passed_on_is_not_released_again() -> None:
    turns = ConcurrencyLimiter(1)
    long = await turns.acquire()
    turns.start(long)
    await turns.acquire()
    turns.release(long)
    turns.release(long)

    next_ = asyncio.create_task(turns.acquire())
    await _settled()

    assert not next_.done()
    next_.cancel()


async def test_a_cancelled_waiter_frees_its_slot() -> None:
    turns = ConcurrencyLimiter(1)
    first = await turns.acquire()
    gone, waits = asyncio.create_task(turns.acquire()), asyncio.create_task(turns.acquire())
    await _settled()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone

    turns.release(first)
    await _settled()

    assert (waits.done(), turns.waiting_count) == (True, 0)


def test_a_statement_is_quick_by_the_least_time_it_took() -> None:
    quick = FastStatementTracker()
    assert "a" not in quick

    for seconds in (1.0, FAST_STATEMENT_SECONDS / 2, 1.0):
        quick.record("a", seconds, alone=True)

    assert "a" in quick
    assert "b" not in quick


@pytest.mark.parametrize(("seconds", "alone"), [(FAST_STATEMENT_SECONDS * 2, True), (1.0, False)])
def test_what_became_slow_is_not_quick_for_ever(seconds: float, *, alone: bool) -> None:
    quick = FastStatementTracker()
    quick.record("a", FAST_STATEMENT_SECONDS, alone=True)

    quick.record("a", seconds, alone=alone)

    assert "a" not in quick


def test_contention_makes_nothing_slow_and_nothing_quick() -> None:
    quick = FastStatementTracker()
    quick.record("a", FAST_STATEMENT_SECONDS, alone=True)

    quick.record("a", CONTENDED_STATEMENT_SECONDS, alone=False)
    quick.record("b", 0.0, alone=False)

    assert ("a" in quick, "b" in quick) == (True, False)


def test_a_flood_of_statements_is_evicted_oldest_first() -> None:
    quick = FastStatementTracker()
    for number in range(MAX_TRACKED_STATEMENTS + 1):
        quick.record(str(number), 0.0, alone=True)

    assert ("0" in quick, "1" in quick, str(MAX_TRACKED_STATEMENTS) in quick) == (False, True, True)
