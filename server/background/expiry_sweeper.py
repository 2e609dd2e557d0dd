"""Background task: expires cases whose time limit has passed.

Nothing depends on it: deadlines are judged as of now. It only brings blocked rights home sooner.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from registry.transfers.expiry import expire_if_overdue, find_overdue

SWEEP_INTERVAL_SECONDS = 30

_log = structlog.get_logger()


@asynccontextmanager
async def expiry_sweeper() -> AsyncIterator[None]:
    """Sweep now and then while the body runs. Every node may."""
    task = asyncio.create_task(_run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def sweep() -> int:
    """Let the cases expire whose time limit has passed, oldest first; how many did.

    One that fails is logged and left where it is: it does not hold up those behind it.
    """
    expired = 0
    for case in await find_overdue():
        try:
            expired += await expire_if_overdue(case)
        except Exception:  # noqa: BLE001 - a fault in one case is not one of the others
            _log.exception("case not swept", case=str(case))
    return expired


async def _run() -> None:
    while True:
        # In a task of its own: what fails in one sweep leaves nothing behind for the next.
        await asyncio.gather(asyncio.create_task(_sweep_once()), return_exceptions=True)
        await asyncio.sleep(SWEEP_INTERVAL_SECONDS)


async def _sweep_once() -> None:
    try:
        expired = await sweep()
    except Exception:  # noqa: BLE001 - the next sweep may succeed; a serving process goes on
        _log.exception("sweep failed")
    else:
        if expired:
            _log.info("swept", expired=expired)
