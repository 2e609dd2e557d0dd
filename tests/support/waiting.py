"""How tests wait on busy cores: for what happens, not for a time."""

import asyncio
import os

import asyncpg
import pytest

SECONDS_MAX = 60

_WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def wait_until_blocked(owner: asyncpg.Connection, number: int = 1) -> None:
    """Until this number of sessions of the test's database wait for a lock."""
    try:
        async with asyncio.timeout(SECONDS_MAX):
            while await owner.fetchval(_WAITING) < number:
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail("nobody waits for a lock")


def cpu_contention() -> float:
    """How many programs share a core with this one, where there are more programs than cores."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
