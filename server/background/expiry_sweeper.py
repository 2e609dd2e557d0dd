"""Background task: expires cases whose time limit has passed.

Nothing depends on it: deadlines are judged as of now. It only brings blocked rights home sooner.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from registry.commands.concept import Sweeper
from registry.concepts import CONCEPTS
from registry.kernel.statistics import STATISTICS

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
    """Settle the objects that are due, of every concept, oldest first; how many were settled.

    An object that fails is logged and left as it is; the others are still settled.
    """
    sweepers = [sweeper for concept in CONCEPTS for sweeper in concept.sweepers]
    return sum([await _sweep_due(sweeper) for sweeper in sweepers])


async def _sweep_due(sweeper: Sweeper) -> int:
    settled = 0
    for id in await sweeper.find_due():
        try:
            settled += await sweeper.sweep(id)
        except Exception:  # noqa: BLE001 - one fault must not stop the other objects
            _log.exception("object not swept", sweeper=sweeper.name, id=str(id))
    return settled


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
        STATISTICS.note_success("expiry_sweeper")
        if expired:
            _log.info("swept", expired=expired)
