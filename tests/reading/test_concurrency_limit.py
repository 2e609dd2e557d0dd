"""Turns: so many at once, beside what is quick or takes long; none is lost or given twice."""

import asyncio

import pytest

from registry.reading.concurrency_limit import (
    CROWD_SECONDS,
    LONG_SECONDS,
    QUICK_SECONDS,
    STATEMENTS_MAX,
    Quick,
    Turns,
)
from tests.support.waiting import SECONDS_MAX


async def _settled() -> None:
    """Whatever could go on without time has gone on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_so_many_work_at_once_and_the_next_waits_for_one_of_them() -> None:
    turns = Turns(2)
    first, _ = await turns.take(), await turns.take()
    third = asyncio.create_task(turns.take())
    await _settled()
    assert (third.done(), turns.waiting) == (False, 1)

    turns.give(first)
    await _settled()

    assert (third.done(), turns.waiting) == (True, 0)


async def test_whoever_takes_long_lets_the_next_begin() -> None:
    turns = Turns(1)
    turns.begin(await turns.take())

    async with asyncio.timeout(SECONDS_MAX):
        turns.begin(await turns.take())
        await turns.take()


async def test_a_turn_that_has_not_begun_is_not_long() -> None:
    turns = Turns(1)
    await turns.take()
    next_ = asyncio.create_task(turns.take())

    await asyncio.sleep(3 * LONG_SECONDS)

    assert not next_.done()
    next_.cancel()


async def test_a_turn_that_was_passed_on_is_not_given_again() -> None:
    turns = Turns(1)
    long = await turns.take()
    turns.begin(long)
    await turns.take()
    turns.give(long)
    turns.give(long)

    next_ = asyncio.create_task(turns.take())
    await _settled()

    assert not next_.done()
    next_.cancel()


async def test_whoever_gives_up_waiting_leaves_his_place_to_the_others() -> None:
    turns = Turns(1)
    first = await turns.take()
    gone, waits = asyncio.create_task(turns.take()), asyncio.create_task(turns.take())
    await _settled()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone

    turns.give(first)
    await _settled()

    assert (waits.done(), turns.waiting) == (True, 0)


def test_a_statement_is_quick_by_the_least_time_it_took() -> None:
    quick = Quick()
    assert "a" not in quick

    for seconds in (1.0, QUICK_SECONDS / 2, 1.0):
        quick.note("a", seconds, alone=True)

    assert "a" in quick
    assert "b" not in quick


@pytest.mark.parametrize(("seconds", "alone"), [(QUICK_SECONDS * 2, True), (1.0, False)])
def test_what_became_slow_is_not_quick_for_ever(seconds: float, *, alone: bool) -> None:
    quick = Quick()
    quick.note("a", QUICK_SECONDS, alone=True)

    quick.note("a", seconds, alone=alone)

    assert "a" not in quick


def test_a_crowd_makes_nothing_slow_and_nothing_quick() -> None:
    quick = Quick()
    quick.note("a", QUICK_SECONDS, alone=True)

    quick.note("a", CROWD_SECONDS, alone=False)
    quick.note("b", 0.0, alone=False)

    assert ("a" in quick, "b" in quick) == (True, False)


def test_a_flood_of_statements_is_forgotten_the_oldest_first() -> None:
    quick = Quick()
    for number in range(STATEMENTS_MAX + 1):
        quick.note(str(number), 0.0, alone=True)

    assert ("0" in quick, "1" in quick, str(STATEMENTS_MAX) in quick) == (False, True, True)
