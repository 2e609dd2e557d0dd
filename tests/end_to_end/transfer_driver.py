"""Carrying a transfer through the API: each step previewed, done, and sent again."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.support.live_server import Portal
from tests.support.payloads import flatten_payload

ANSWER = """{ __typename
    ... on TransferPayload { transfer { id state } replayed }
    ... on Preview { nextState postings { quantity } conditions { name met } }
    ... on Refusal { code rule field message { en zh } nearMisses { rule missing { en } }
        conditions { name met message { en } legalBasis { en } } } }"""
MUTATION = "mutation ($input: {input}!) {{ {name}(input: $input) {answer} }}"
INPUTS = {
    "draftTransfer": "DraftTransferInput",
    "offerTransfer": "OfferTransferInput",
    "withdrawTransfer": "ReasonedTransferInput",
    "rejectTransfer": "ReasonedTransferInput",
    "opineOnTransfer": "OpineOnTransferInput",
    "contractTransfer": "ContractTransferInput",
    "recordPayment": "RecordPaymentInput",
    "declareDefault": "DeclareDefaultInput",
    "proposeReversal": "ProposeReversalInput",
    "approveReversal": "ApproveReversalInput",
}
READ = """query ($id: ID!) { node(id: $id) { ... on Transfer {
    state price sum quantity maskedFields nextSteps deadlineAt number regime
    sellerOpinion buyerOpinion opinions { city { code } favourable }
    certificate { number revokedAt }
    history(first: 100, orderBy: OLDEST) { nodes {
        operation role rule stateBefore stateAfter at organisation { ... on Organisation { name } }
    } } } } }"""


@dataclass
class Case:
    """One transfer, carried on by people named by their subject without ``demo-``."""

    portal: Portal
    id: str = ""

    async def send(self, who: str, name: str, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """The answer to one mutation on the case."""
        sent = {"idempotencyKey": str(uuid4()), **({"id": self.id} if self.id else {}), **said}
        document = MUTATION.format(
            input=INPUTS.get(name, "TransferInput"), name=name, answer=ANSWER
        )
        data = await self.portal.data(document, {"input": sent}, subject=f"demo-{who}")
        return flatten_payload(data[name])

    async def step(self, who: str, name: str, **said: Any) -> str:  # noqa: ANN401 - likewise
        """The state after a step that was previewed, done, and sent again without effect."""
        key = str(uuid4())
        foreseen = await self.send(who, name, **said, preview=True)
        done = await self.send(who, name, **said, idempotencyKey=key)
        again = await self.send(who, name, **said, idempotencyKey=key)

        assert foreseen["__typename"] == "Preview", foreseen
        assert done["__typename"] == "TransferPayload", done
        assert foreseen["nextState"] == done["state"]
        assert (done["replayed"], again) == (False, {**done, "replayed": True})
        self.id = done["id"]
        return str(done["state"])

    async def expect_refusal(self, who: str, name: str, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - likewise
        """The refusal of a step, in both languages; the step changed nothing."""
        before = await self.read("auditor") if self.id else None
        answer = await self.send(who, name, **said)
        assert answer["__typename"] == "Refusal", answer
        assert answer["message"]["en"]
        assert answer["message"]["zh"]
        assert before == (await self.read("auditor") if self.id else None)
        return answer

    async def read(self, who: str) -> dict[str, Any] | None:
        """The case as a user sees it; None where it is invisible."""
        data = await self.portal.data(READ, {"id": self.id}, subject=f"demo-{who}" if who else "")
        found: dict[str, Any] | None = data["node"]
        return found


def unmet_conditions(refusal: dict[str, Any]) -> set[str]:
    """The conditions that stood against it."""
    return {each["name"] for each in refusal["conditions"] if not each["met"]}
