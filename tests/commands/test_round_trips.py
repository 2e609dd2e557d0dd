"""How often an operation waits for the database, counted on the wire.

``./dev run python -m pytest -q tests/commands/test_round_trips.py -s`` prints the counts.
"""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from registry.access.principals import Principal
from registry.concepts import open_registry
from registry.db.session import close_database
from registry.transfers.rules import State
from schema.framework.global_ids import to_global_id
from tests.reading.wire import Wire, listen
from tests.support.builders import create_client, get_province, install_rules, stop_clock
from tests.support.cluster import Database
from tests.support.live_server import CLIENT, Portal, open_portal
from tests.transfers.builders import FOUNDING_DAY, create_market

MUTATION = """mutation ($input: TransferInput!) { %sTransfer(input: $input) {
    __typename
    ... on TransferPayload {
        replayed auditEntry { operation }
        transfer { id state quantity seller { name } buyer { name } instrument { code } }
    }
    ... on Preview { nextState postings { quantity } conditions { name met } }
    ... on Refusal { code message { en } }
} }"""


@dataclass(frozen=True, slots=True)
class Budget:
    """An operation, the caller, the state before it, and the most round trips; a preview one more.

    Attributes:
        kept: the round trips that it takes today, which no change may add to unnoticed.

    """

    verb: str
    who: str
    state: State
    most: int
    kept: int


BUDGETS = [
    Budget("approve", "city", State.ELIGIBLE, 12, 9),
    Budget("qualify", "centre", State.ACCEPTED, 12, 10),
    Budget("accept", "buyer", State.OFFERED, 12, 10),
    Budget("settle", "centre", State.PAID, 10, 8),
]


@dataclass(frozen=True, slots=True)
class CountedPortal:
    """The application over HTTP, whose connections for commands and for answers are counted."""

    portal: Portal
    wires: tuple[Wire, Wire]

    async def count(
        self, budget: Budget, caller: Principal, case: UUID, *, preview: bool = False
    ) -> int:
        """Carry out the operation; its round trips."""
        for wire in self.wires:
            wire.reset()
        input = {
            "id": to_global_id("Transfer", case),
            "idempotencyKey": str(uuid4()),
            "preview": preview,
        }
        data = await self.portal.data(
            MUTATION % budget.verb,
            {"input": input},
            subject=caller.subject,
            appointment=caller.appointment_id,
        )
        answer = data[f"{budget.verb}Transfer"]
        assert answer["__typename"] == ("Preview" if preview else "TransferPayload"), answer
        return sum(wire.round_trips for wire in self.wires)


@pytest.fixture
async def counted(clone: Database, owner: asyncpg.Connection) -> AsyncIterator[CountedPortal]:
    """One connection for commands; the clock is stopped on the founding day."""
    await install_rules(owner)
    await stop_clock(owner, FOUNDING_DAY)
    async with listen(clone.application_url) as commands, listen(clone.reader_url) as answers:
        await open_registry(commands.url, maxsize=1)
        async with open_portal(planned=replace(clone, reader_url=answers.url)) as portal:
            yield CountedPortal(portal, (commands, answers))
        await close_database()


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: budget.verb)
async def test_an_operation_keeps_its_budget_of_round_trips(
    counted: CountedPortal, owner: asyncpg.Connection, budget: Budget
) -> None:
    market = await create_market()
    await create_client(await get_province(), name=CLIENT, first_party=True)
    caller = market.people[budget.who]
    first, *others, last = [(await market.case_in(budget.state)).id for _ in range(4)]
    # Connections without prepared statements, and reference data that was replaced.
    await close_database()
    await open_registry(counted.wires[0].url, maxsize=1)
    await owner.execute("UPDATE holiday SET needs_confirmation = needs_confirmation")

    cold = await counted.count(budget, caller, first)
    # A poll may see the new epoch in one of two, which then looks the client up anew.
    warm = min([await counted.count(budget, caller, case) for case in others])
    preview = min([await counted.count(budget, caller, last, preview=True) for _ in range(2)])

    sys.stdout.write(f"\n{budget.verb}: {warm}, cold {cold}, preview {preview}\n")
    assert warm == budget.kept <= budget.most
    assert preview <= budget.most + 1
