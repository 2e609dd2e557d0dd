"""Two processes serve one registry; what is withdrawn through one, the other refuses.

At once where it looks the caller up, within the freshness window where it remembers him.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from registry.access.viewer_cache import WINDOW_SECONDS
from registry.parties.records import Client
from schema.framework.global_ids import global_id
from server.auth.demo_tokens import DemonstrationSigner, open_signer
from server.settings import Settings
from tests.robustness.server_processes import Process, a_state
from tests.support.builders import a_client, the_province
from tests.support.cluster import Database
from tests.transfers.builders import Market

PROGRAM = "two-nodes"
SEEN = "{ transfers(first: 5) { nodes { id } } }"
REFUSAL = "__typename ... on Refusal { code rule }"


@dataclass(frozen=True)
class Nodes:
    """Two nodes, and who may send requests to them."""

    http: tuple[httpx2.AsyncClient, httpx2.AsyncClient]
    market: Market
    signer: DemonstrationSigner
    program: Client

    async def ask(
        self,
        node: int,
        who: str,
        query: str,
        *,
        named: bool = True,
        token: str = "",
        input: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """What a node answers somebody, who names his appointment and has a new token."""
        caller = self.market.people[who]
        headers = {"authorization": f"Bearer {token or self.token(who)}"}
        if named:
            headers["biandan-appointment"] = str(caller.appointment)
        variables = {"input": {"idempotencyKey": str(uuid4()), **input}} if input else {}
        body = {"query": query, "variables": variables}
        answer: dict[str, Any] = (
            await self.http[node].post("/graphql", json=body, headers=headers)
        ).json()
        return answer

    def token(self, who: str) -> str:
        """A token that no node has seen."""
        subject = self.market.people[who].subject
        return self.signer.token(subject, client=self.program.name, seconds=600)

    async def sees(self, node: int, who: str, *, token: str = "") -> int:
        """How many cases somebody sees there."""
        answer = await self.ask(node, who, SEEN, token=token)
        return len(answer["data"]["transfers"]["nodes"])

    async def does(self, node: int, who: str, name: str, type: str, **input: object) -> str:
        """What comes of a mutation: the kind of object, or the code of its refusal."""
        query = f"mutation ($input: {type}!) {{ {name}(input: $input) {{ {REFUSAL} }} }}"
        answer = await self.ask(node, who, query, input=input)
        assert "errors" not in answer, answer
        found: Mapping[str, str] = answer["data"][name]
        return found.get("code") or found["__typename"]


@pytest.fixture
async def nodes(clone: Database, market: Market) -> AsyncIterator[Nodes]:
    program = await a_client(await the_province(), name=PROGRAM, house=True)
    async with AsyncExitStack() as stack:
        state = stack.enter_context(a_state())
        state.mkdir()
        signer = open_signer(Settings(), state)
        first, second = (_node(stack, state, clone) for _ in range(2))
        await asyncio.gather(*(asyncio.to_thread(process.start) for process in (first, second)))
        http = [
            await stack.enter_async_context(httpx2.AsyncClient(base_url=p.address, timeout=20))
            for p in (first, second)
        ]
        yield Nodes((http[0], http[1]), market, signer, program)


def _node(stack: AsyncExitStack, state: Path, clone: Database) -> Process:
    process = Process(state, DATABASE_URL=clone.application_url)
    stack.callback(process.kill)
    return process


async def offers(nodes: Nodes, node: int, case: UUID) -> str:
    id = global_id("Transfer", case)
    return await nodes.does(node, "seller", "offerTransfer", "OfferTransferInput", id=id)


async def test_the_other_node_refuses_at_once_what_was_withdrawn_through_the_first(
    nodes: Nodes,
) -> None:
    market = nodes.market
    cases = [await market.draft(quantity="1.000") for _ in range(4)]
    measure = {"kind": "penalty_period", "reason": "test", "source": "test"}
    barred = global_id("Organisation", market.seller.id)
    assert [await nodes.sees(node, "seller") for node in (0, 1)] == [4, 4]
    assert [await offers(nodes, node, cases[node].id) for node in (0, 1)] == ["Transfer"] * 2

    # A sanction through the first node.
    sanction = await nodes.does(
        0, "province", "imposeSanction", "ImposeSanctionInput", organisation=barred, **measure
    )
    assert sanction == "Sanction"
    assert await offers(nodes, 1, cases[2].id) in {"FORBIDDEN", "CONDITIONS_UNMET"}

    # A dismissal.
    officer = global_id("Appointment", market.people["seller"].appointment)
    dismissed = await nodes.does(
        0, "seller_second", "endAppointment", "EndAppointmentInput", id=officer
    )
    assert dismissed == "Appointment"
    assert await nodes.sees(1, "seller") == 0
    assert await offers(nodes, 1, cases[3].id) == "NOT_FOUND"
    unnamed = await nodes.ask(1, "seller", SEEN, named=False)
    assert unnamed["errors"][0]["extensions"]["code"] == "APPOINTMENT_REQUIRED"

    # The program.
    assert await nodes.sees(1, "buyer") == 2
    nodes.program.state = "revoked"
    await nodes.program.save()
    assert [await nodes.sees(node, "buyer") for node in (0, 1)] == [0, 0]


async def test_what_a_node_remembers_of_somebody_is_gone_within_the_window(nodes: Nodes) -> None:
    await nodes.market.draft(quantity="1.000")
    token = nodes.token("seller")
    officer = global_id("Appointment", nodes.market.people["seller"].appointment)
    # Verified at each node the first time, known there the second.
    for node in (0, 1, 0, 1):
        assert await nodes.sees(node, "seller", token=token) == 1

    dismissed = await nodes.does(
        0, "seller_second", "endAppointment", "EndAppointmentInput", id=officer
    )
    since = time.monotonic()
    assert dismissed == "Appointment"

    late = []
    while (sent := time.monotonic()) < since + 2 * WINDOW_SECONDS:
        seen = [await nodes.sees(node, "seller", token=token) for node in (0, 1)]
        if sent >= since + WINDOW_SECONDS:
            late.append(seen)
        await asyncio.sleep(0.05)

    assert late
    assert late == [[0, 0]] * len(late)
