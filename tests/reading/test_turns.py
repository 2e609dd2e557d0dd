"""Turns: so many at once, beside those that take long; none is lost and none is given twice."""

import asyncio

import pytest

from registry.reading.turns import Turns
from tests.patience import SECONDS_MAX


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
    await turns.take()

    async with asyncio.timeout(SECONDS_MAX):
        await turns.take()
        await turns.take()


async def test_a_turn_that_was_passed_on_is_not_given_again() -> None:
    turns = Turns(1)
    long = await turns.take()
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
