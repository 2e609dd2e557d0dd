"""How often each operation waits for the database, counted on the wire; ``-s`` prints it."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from registry.commands.command import Operation, execute_command
from registry.db.session import close_database, open_database
from registry.transfers.approval import approve_transfer, qualify_transfer
from registry.transfers.offer import accept_transfer
from registry.transfers.rules import State
from registry.transfers.settlement import settle_transfer
from tests.reading.wire import Wire, listen
from tests.support.builders import install_rules, stop_clock
from tests.support.cluster import Database
from tests.transfers.builders import FOUNDING_DAY, create_market

ANSWER = 1
"""Round trips of the answer, which one planned statement gives after COMMIT."""


@dataclass(frozen=True, slots=True)
class Budget:
    """An operation, who carries it out, the state it is carried out in, and its round trips."""

    operation: Operation[Any]
    who: str
    state: State
    command: int
    preview: int


BUDGETS = [
    Budget(approve_transfer, "city", State.ELIGIBLE, 99, 99),
    Budget(qualify_transfer, "centre", State.ACCEPTED, 99, 99),
    Budget(accept_transfer, "buyer", State.OFFERED, 99, 99),
    Budget(settle_transfer, "centre", State.PAID, 99, 99),
]


@pytest.fixture
async def wire(clone: Database, owner: asyncpg.Connection) -> AsyncIterator[Wire]:
    """The founding day's rules on one connection that is listened to."""
    await install_rules(owner)
    await stop_clock(owner, FOUNDING_DAY)
    async with listen(clone.application_url) as listening:
        await open_database(listening.url, maxsize=1)
        yield listening
        await close_database()


async def count(wire: Wire, work: Callable[[], Awaitable[object]]) -> int:
    wire.reset()
    await work()
    return wire.round_trips


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: budget.operation.name)
async def test_an_operation_keeps_its_budget(wire: Wire, budget: Budget) -> None:
    market = await create_market()
    cases = [(await market.case_in(budget.state)).id for _ in range(3)]

    async def carry_out(case: UUID, *, preview: bool = False) -> None:
        await execute_command(
            budget.operation, market.people[budget.who], {"id": case}, key=str(uuid4()),
            preview=preview,
        )  # fmt: skip

    async def foresee() -> None:
        await carry_out(cases[2], preview=True)

    await close_database()
    await open_database(wire.url, maxsize=1)
    cold = await count(wire, lambda: carry_out(cases[0]))
    warm = await count(wire, lambda: carry_out(cases[1]))
    statements = list(wire.executed)
    await foresee()
    preview = await count(wire, foresee)

    sys.stdout.write(f"\n{budget.operation.name}: {warm}, cold {cold}, preview {preview}\n")
    for sql in statements:
        sys.stdout.write("    " + " ".join(sql.split())[:150] + "\n")
    assert warm <= budget.command
    assert preview <= budget.preview
