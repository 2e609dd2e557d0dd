"""Two processes serve one registry; what is withdrawn through one, the other refuses.

Commands are refused at once, for they read the caller from the database; queries within the window.
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

from registry.access.viewer_cache import FRESHNESS_SECONDS
from registry.parties.records import Client
from schema.framework.global_ids import to_global_id
from server.auth.demo_tokens import DemoTokenSigner, load_signer
from server.settings import Settings
from tests.robustness.server_processes import ServerProcess, temporary_state_dir
from tests.support.builders import create_client, get_province
from tests.support.cluster import Database
from tests.transfers.builders import TradingFixture

PROGRAM = "two-nodes"
VISIBLE_QUERY = "{ transfers(first: 5) { nodes { id } } }"
REFUSAL = "__typename ... on Refusal { code rule }"


@dataclass(frozen=True)
class Nodes:
    """Two nodes, and who may send requests to them."""

    http: tuple[httpx2.AsyncClient, httpx2.AsyncClient]
    market: TradingFixture
    signer: DemoTokenSigner
    client: Client

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
        """The response of a node to a request with an appointment and a new token."""
        caller = self.market.people[who]
        headers = {"authorization": f"Bearer {token or self.token(who)}"}
        if named:
            headers["biandan-appointment"] = str(caller.appointment_id)
        variables = {"input": {"idempotencyKey": str(uuid4()), **input}} if input else {}
        body = {"query": query, "variables": variables}
        answer: dict[str, Any] = (
            await self.http[node].post("/graphql", json=body, headers=headers)
        ).json()
        return answer

    def token(self, who: str) -> str:
        """A token that no node has seen."""
        subject = self.market.people[who].subject
        return self.signer.issue_token(subject, client=self.client.name, seconds=600)

    async def can_see(self, node: int, who: str, *, token: str = "") -> int:
        """The number of cases visible there."""
        answer = await self.ask(node, who, VISIBLE_QUERY, token=token)
        return len(answer["data"]["transfers"]["nodes"]) if answer.get("data") else 0

    async def sees_in_time(self, node: int, who: str, number: int) -> None:
        """A query sent after the freshness window shows that number of cases, if not before."""
        since = time.monotonic()
        while (sent := time.monotonic()) < since + 2 * FRESHNESS_SECONDS:
            if await self.can_see(node, who) == number:
                return
            assert sent < since + FRESHNESS_SECONDS

    async def execute(self, node: int, who: str, name: str, type: str, **input: object) -> str:
        """The result of a mutation: the kind of object, or the code of its refusal."""
        query = f"mutation ($input: {type}!) {{ {name}(input: $input) {{ {REFUSAL} }} }}"
        answer = await self.ask(node, who, query, input=input)
        assert "errors" not in answer, answer
        found: Mapping[str, str] = answer["data"][name]
        return found.get("code") or found["__typename"].removesuffix("Payload")


@pytest.fixture
async def nodes(clone: Database, market: TradingFixture) -> AsyncIterator[Nodes]:
    program = await create_client(await get_province(), name=PROGRAM, first_party=True)
    async with AsyncExitStack() as stack:
        state = stack.enter_context(temporary_state_dir())
        state.mkdir()
        signer = load_signer(Settings(), state)
        first, second = (_node(stack, state, clone) for _ in range(2))
        await asyncio.gather(*(asyncio.to_thread(process.start) for process in (first, second)))
        http = [
            await stack.enter_async_context(httpx2.AsyncClient(base_url=p.address, timeout=20))
            for p in (first, second)
        ]
        yield Nodes((http[0], http[1]), market, signer, program)


def _node(stack: AsyncExitStack, state: Path, clone: Database) -> ServerProcess:
    process = ServerProcess(state, DATABASE_URL=clone.application_url)
    stack.callback(process.kill)
    return process


async def offers(nodes: Nodes, node: int, case: UUID) -> str:
    id = to_global_id("Transfer", case)
    return await nodes.execute(node, "seller", "offerTransfer", "OfferTransferInput", id=id)


async def test_the_other_node_refuses_what_was_withdrawn_through_the_first(
    nodes: Nodes,
) -> None:
    market = nodes.market
    cases = [await market.draft(quantity="1.000") for _ in range(4)]
    measure = {"reason": "test", "source": "test"}
    barred = to_global_id("Organisation", market.seller.id)
    assert [await nodes.can_see(node, "seller") for node in (0, 1)] == [4, 4]
    assert [await offers(nodes, node, cases[node].id) for node in (0, 1)] == ["Transfer"] * 2

    # A freeze through the first node.
    freeze = await nodes.execute(
        0, "province", "imposeFreeze", "ImposeFreezeInput", organisation=barred, **measure
    )
    assert freeze == "Freeze"
    assert await offers(nodes, 1, cases[2].id) in {"FORBIDDEN", "CONDITIONS_UNMET"}

    # A dismissal.
    officer = to_global_id("Appointment", market.people["seller"].appointment_id)
    dismissed = await nodes.execute(
        0, "seller_second", "endAppointment", "EndAppointmentInput", id=officer
    )
    assert dismissed == "Appointment"
    assert await offers(nodes, 1, cases[3].id) == "NOT_FOUND"
    await nodes.sees_in_time(1, "seller", 0)
    unnamed = await nodes.ask(1, "seller", VISIBLE_QUERY, named=False)
    assert unnamed["errors"][0]["extensions"]["code"] == "APPOINTMENT_REQUIRED"

    # The program.
    assert await nodes.can_see(1, "buyer") == 2
    nodes.client.state = "revoked"
    await nodes.client.save()
    for node in (0, 1):
        await nodes.sees_in_time(node, "buyer", 0)


async def test_a_cached_viewer_expires_within_the_window(nodes: Nodes) -> None:
    await nodes.market.draft(quantity="1.000")
    token = nodes.token("seller")
    officer = to_global_id("Appointment", nodes.market.people["seller"].appointment_id)
    # Verified at each node the first time, known there the second.
    for node in (0, 1, 0, 1):
        assert await nodes.can_see(node, "seller", token=token) == 1

    dismissed = await nodes.execute(
        0, "seller_second", "endAppointment", "EndAppointmentInput", id=officer
    )
    since = time.monotonic()
    assert dismissed == "Appointment"

    late = []
    while (sent := time.monotonic()) < since + 2 * FRESHNESS_SECONDS:
        seen = [await nodes.can_see(node, "seller", token=token) for node in (0, 1)]
        if sent >= since + FRESHNESS_SECONDS:
            late.append(seen)
        await asyncio.sleep(0.05)

    assert late
    assert late == [[0, 0]] * len(late)
