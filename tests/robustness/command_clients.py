"""Clients that send keyed commands without end, and remember which of them were answered."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

import httpx2

from schema.framework.global_ids import to_global_id
from server.auth.demo_tokens import DemoTokenSigner
from tests.support.payloads import flatten_payload
from tests.transfers.builders import TradingFixture

Input = dict[str, Any]

INPUTS = {
    "draftTransfer": "DraftTransferInput",
    "offerTransfer": "OfferTransferInput",
    "withdrawTransfer": "ReasonedTransferInput",
}
DOCUMENT = """mutation ($input: {input}!) {{ {name}(input: $input) {{ __typename
    ... on TransferPayload {{ transfer {{ id state }} replayed }}
    ... on Refusal {{ code message {{ en }} retryable }} }} }}"""
READ = "{ transfers(first: 3) { nodes { id state } } }"
LOTS = "0.001"
LOT_UNITS = 1


@dataclass
class SentCommand:
    """A command under its key, and the object of its answer; empty until it is answered."""

    who: str
    name: str
    input: Input
    id: str = ""
    replayed: bool = False

    @property
    def key(self) -> str:
        """Its idempotency key."""
        return str(self.input["idempotencyKey"])


@dataclass
class CommandClients:
    """Everything that the clients of one registry sent.

    Attributes:
        unanswered: why a command was not answered, counted by what came instead.

    """

    market: TradingFixture
    signer: DemoTokenSigner
    client: str
    sent: list[SentCommand] = field(default_factory=list)
    unanswered: Counter[str] = field(default_factory=Counter)
    tokens: dict[str, str] = field(default_factory=dict)

    def draft(self, who: str = "seller") -> SentCommand:
        """A sale of the smallest lot."""
        sale = {
            "buyer": to_global_id("Organisation", self.market.buyer.id),
            "instrument": to_global_id("Instrument", self.market.right.id),
            "quantity": LOTS,
            "price": "7500.00",
        }
        return self._new(who, "draftTransfer", sale)

    def offer(self, draft: SentCommand) -> SentCommand:
        """The drafted sale, offered."""
        return self._new(draft.who, "offerTransfer", {"id": draft.id})

    def withdraw(self, offer: SentCommand) -> SentCommand:
        """The offered sale, withdrawn."""
        return self._new(offer.who, "withdrawTransfer", {"id": offer.id, "reason": "test"})

    def _new(self, who: str, name: str, input: Input) -> SentCommand:
        made = SentCommand(who, name, {**input, "idempotencyKey": str(uuid4())})
        self.sent.append(made)
        return made

    async def send(self, http: httpx2.AsyncClient, sent: SentCommand) -> bool:
        """Send it; whether it was answered. A refusal that tells to repeat it is no answer."""
        body = {
            "query": DOCUMENT.format(name=sent.name, input=INPUTS[sent.name]),
            "variables": {"input": sent.input},
        }
        data = await self._post(http, sent.who, body)
        if data is None:
            return False
        result = flatten_payload(data[sent.name])
        if result["__typename"] == "Refusal":
            assert result["retryable"], result
            self.unanswered[result["code"]] += 1
            return False
        sent.id, sent.replayed = result["id"], result["replayed"]
        return True

    async def send_until(self, http: httpx2.AsyncClient, who: str, until: asyncio.Event) -> None:
        """Draft and offer, withdraw every third offer; begin anew where no answer came."""
        for number in count():
            if not await self._case(http, who, withdraws=number % 3 == 0):
                await asyncio.sleep(0.2)
            if until.is_set():
                return

    async def _case(self, http: httpx2.AsyncClient, who: str, *, withdraws: bool) -> bool:
        draft = self.draft(who)
        if not await self._reads(http, who) or not await self.send(http, draft):
            return False
        offer = self.offer(draft)
        if not await self.send(http, offer):
            return False
        return not withdraws or await self.send(http, self.withdraw(offer))

    async def _reads(self, http: httpx2.AsyncClient, who: str) -> bool:
        """Read a little; whether it was answered."""
        data = await self._post(http, who, {"query": READ})
        return data is not None

    async def _post(self, http: httpx2.AsyncClient, who: str, body: Input) -> Input | None:
        """The data of the answer; None where there is none, and then it is counted why."""
        try:
            answer = await http.post("/graphql", json=body, headers=self._headers(who))
        except httpx2.TransportError as error:
            self.unanswered[type(error).__name__] += 1
            return None
        found: Input = answer.json()
        if "errors" in found:
            self.unanswered[found["errors"][0].get("extensions", {}).get("code", "unmasked")] += 1
            return None
        data: Input = found["data"]
        return data

    def count_answered(self) -> int:
        """How many commands have been answered."""
        return sum(bool(sent.id) for sent in self.sent)

    async def repeat_unanswered(self, http: httpx2.AsyncClient) -> int:
        """Send every command without an answer once more, until it has one; how many there were."""
        left = [sent for sent in self.sent if not sent.id]
        for sent in left:
            for _ in range(100):
                if await self.send(http, sent):
                    break
                await asyncio.sleep(0.1)
            assert sent.id, f"{sent.name} gets no answer: {self.unanswered}"
        return len(left)

    def _headers(self, who: str) -> Mapping[str, str]:
        caller = self.market.people[who]
        if who not in self.tokens:
            self.tokens[who] = self.signer.issue_token(
                caller.subject, client=self.client, seconds=3600
            )
        return {
            "authorization": f"Bearer {self.tokens[who]}",
            "biandan-appointment": str(caller.appointment_id),
        }
