"""How soon a sanction takes effect while commands of the same organisation come without pause.

    python -m benchmarks.measures

Eight clients of this process and eight of a serving process preview settlements of one seller. Each
preview shares the lock of the seller. An officer of its city imposes a sanction and lifts it, ten
times. The command ends with 1 if a sanction took longer than a second.
"""

import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import uvloop

from benchmarks.settlement_load import (
    PROVINCE,
    SETTLE,
    SETTLE_MUTATION,
    Load,
    ReadyTransfer,
    cluster,
    officer_of,
    open_connection,
    populate,
)
from registry.commands.command import execute_command
from registry.parties.operations import impose_sanction, lift_sanction
from schema.framework.global_ids import to_global_id

CLIENTS = 8
"""Clients of each process."""

TIMES = 10
SECONDS_MAX = 1.0
SELLER = UUID("000b0000-0000-4000-8000-000000000001")
TERMS = {"kind": "penalty_period", "reason": "benchmark", "source": "benchmark"}

Send = Callable[[], Awaitable[object]]


async def main() -> bool:
    """Measure and print; whether each sanction was in force in time."""
    with cluster() as running:
        async with populate(running) as population, contextlib.AsyncExitStack() as stack:
            load = Load(2 * CLIENTS, is_single_seller=True)
            ready = await population.ensure_ready(SETTLE.state, load, 2 * CLIENTS)
            posts = [
                await stack.enter_async_context(open_connection(population)) for _ in range(CLIENTS)
            ]
            senders = [_by_http(post, case) for post, case in zip(posts, ready, strict=False)]
            senders += [_by_frame(case) for case in ready[CLIENTS : 2 * CLIENTS]]
            seconds, commands = await _measure_under_load(senders, ready[0].city)
    print(  # noqa: T201 - its result
        f"{commands} commands meanwhile; a sanction took {statistics.median(seconds) * 1000:.0f} ms"
        f" (median), {max(seconds) * 1000:.0f} ms (longest of {TIMES})"
    )
    return max(seconds) <= SECONDS_MAX


async def _measure_under_load(senders: list[Send], city: str) -> tuple[list[float], int]:
    sent = 0

    async def hammer(send: Send) -> None:
        nonlocal sent
        while True:
            await send()
            sent += 1

    tasks = [asyncio.create_task(hammer(send)) for send in senders]
    try:
        await asyncio.sleep(1)
        return [await _impose_and_lift(city) for _ in range(TIMES)], sent
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


async def _impose_and_lift(city: str) -> float:
    """The seconds until a sanction was in force; it is lifted afterwards."""
    officer = officer_of(city)
    began = time.perf_counter()
    args = {"organisation": SELLER, **TERMS}
    imposed = await execute_command(impose_sanction, officer, args, key=str(uuid4()))
    seconds = time.perf_counter() - began
    args = {"id": imposed.record.id, "reason": "benchmark"}
    await execute_command(lift_sanction, officer, args, key=str(uuid4()))
    return seconds


def _by_frame(case: ReadyTransfer) -> Send:
    async def send() -> None:
        args = {"id": case.id}
        await execute_command(
            SETTLE.operation, officer_of(PROVINCE), args, key=str(uuid4()), preview=True
        )

    return send


def _by_http(post: Callable[[bytes], Awaitable[bytes]], case: ReadyTransfer) -> Send:
    input = {"id": to_global_id("Transfer", case.id), "idempotencyKey": "hammer", "preview": True}
    body = json.dumps({"query": SETTLE_MUTATION, "variables": {"input": input}}).encode()

    async def send() -> None:
        answer = await post(body)
        if b'"Preview"' not in answer:
            raise RuntimeError(answer.decode())

    return send


if __name__ == "__main__":
    sys.exit(0 if uvloop.run(main()) else 1)
