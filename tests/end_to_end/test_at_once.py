"""Sixteen clients at once, over HTTP against a real PostgreSQL: nothing happens twice."""

import asyncio
from collections import Counter
from typing import Any

from registry.db.session import fetch_one
from schema.framework.global_ids import to_global_id
from tests.end_to_end.transfer_driver import Case
from tests.support.demo_databases import LoadedDemo
from tests.support.live_server import Portal

CLIENTS = 16


def find_case(portal: Portal, world: LoadedDemo, name: str) -> Case:
    return Case(portal, to_global_id("Transfer", world.report.object_ids[name]))


async def send_concurrently(case: Case, who: str, name: str, **said: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    """The answers to the same mutation sent by many clients."""
    return await asyncio.gather(*(case.send(who, name, **said) for _ in range(CLIENTS)))


async def test_the_same_key_at_once_accepts_once(portal: Portal, world: LoadedDemo) -> None:
    case = find_case(portal, world, "transfer-offered")

    answers = await send_concurrently(
        case, "enterprise-4-initiator", "acceptTransfer", idempotencyKey="one"
    )

    assert Counter(answer["__typename"] for answer in answers) == {"TransferPayload": CLIENTS}
    assert Counter(answer["replayed"] for answer in answers) == {False: 1, True: CLIENTS - 1}


async def test_many_approvals_at_once_are_one(portal: Portal, world: LoadedDemo) -> None:
    case = find_case(portal, world, "transfer-eligible")

    answers = await send_concurrently(case, "langfang-approver", "approveTransfer")

    codes = Counter(answer.get("code", "done") for answer in answers)
    assert codes == {"done": 1, "FORBIDDEN": CLIENTS - 1}


async def test_one_balance_is_spent_once_by_many_drafts(portal: Portal, world: LoadedDemo) -> None:
    sold = world.report.object_ids["transfer-draft"]
    held = await fetch_one(
        "SELECT t.instrument_id AS id, b.quantity FROM transfer t"
        " JOIN account a ON a.organisation_id = t.seller_id AND a.kind = 'holding'"
        " JOIN balance b ON b.account_id = a.id AND b.instrument_id = t.instrument_id"
        " WHERE t.id = $1",
        sold,
    )
    assert held is not None
    whole = f"{held['quantity'] // 1000}.{held['quantity'] % 1000:03}"
    sale = {
        "buyer": to_global_id("Organisation", world.report.object_ids["enterprise-2"]),
        "instrument": to_global_id("Instrument", held["id"]),
        "quantity": whole,
        "price": "9000.00",
    }
    drafts = await send_concurrently(
        Case(portal), "enterprise-3-initiator", "draftTransfer", **sale
    )
    cases = [Case(portal, draft["id"]) for draft in drafts]

    answers = await asyncio.gather(
        *(case.send("enterprise-3-initiator", "offerTransfer") for case in cases)
    )

    codes = Counter(answer.get("code", "done") for answer in answers)
    assert codes["done"] == 1
    assert codes["INSUFFICIENT"] + codes["CONDITIONS_UNMET"] == CLIENTS - 1
