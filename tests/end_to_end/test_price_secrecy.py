"""Before settlement no account shows the price that a transfer hides from the viewer."""

from typing import Any

from registry.ledger.rules import MONEY_INSTRUMENT
from schema.framework.global_ids import to_global_id
from tests.end_to_end.test_transfer_journey import approved, sale
from tests.end_to_end.users import USERS, DemoUser
from tests.support.live_server import Portal

__all__ = ["sale"]  # The fixture.

PRICE = "query ($id: ID!) { node(id: $id) { ... on Transfer { price sum bankReference } } }"
ACCOUNTS = """query ($money: ID!, $after: String) {
    accounts(first: 50, after: $after) { pageInfo { hasNextPage endCursor } nodes {
        id kind money { quantity }
        statement(instrument: $money, first: 20,
            since: "2020-01-01T00:00:00Z", until: "2030-01-01T00:00:00Z") { change balance }
        history(first: 5) { nodes { operation } } } }
    reversals(first: 20) { nodes { id postings { quantity } } } }"""


async def _shown(portal: Portal, user: DemoUser) -> list[dict[str, Any]]:
    """Everything that accounts and reversals show to the user."""
    pages: list[dict[str, Any]] = []
    after = None
    while not pages or pages[-1]["accounts"]["pageInfo"]["hasNextPage"]:
        money = to_global_id("Instrument", MONEY_INSTRUMENT)
        answer = await user.ask(portal, ACCOUNTS, {"money": money, "after": after})
        assert "errors" not in answer, answer["errors"]
        pages.append(answer["data"])
        after = pages[-1]["accounts"]["pageInfo"]["endCursor"]
    return pages


async def _sees_price(portal: Portal, user: DemoUser, case: str) -> bool:
    answer = await user.ask(portal, PRICE, {"id": case})
    node = answer["data"]["node"]
    return bool(node and node["price"])


async def test_no_account_shows_a_payment_to_whom_the_price_is_hidden(
    portal: Portal, sale: dict[str, Any]
) -> None:
    case = await approved(portal, sale)
    await case.step("centre-initiator", "contractTransfer", contractNumber="TEST-1")
    before = {name: await _shown(portal, user) for name, user in USERS.items()}

    payment = {"money": "15200.00", "reference": "TEST0001"}
    await case.step("centre-initiator", "recordPayment", **payment)

    changed = {name for name, user in USERS.items() if before[name] != await _shown(portal, user)}
    informed = {name for name, user in USERS.items() if await _sees_price(portal, user, case.id)}
    assert changed <= informed, changed - informed
    assert {"centre-initiator", "enterprise-4-initiator", "langfang-initiator"} <= changed
    assert "auditor" not in informed


async def test_the_users_of_that_test_have_every_role(portal: Portal) -> None:
    answers = [await user.ask(portal, "{ viewer { role } }") for user in USERS.values()]
    roles = {answer["data"]["viewer"]["role"] for answer in answers if answer["data"]}

    assert roles >= {
        "PROVINCE",
        "CENTRE",
        "CITY",
        "COUNTY",
        "ENTERPRISE",
        "BANK",
        "GOVERNMENT",
        "VERIFIER",
        "AUDITOR",
        "PORTAL",
        "PUBLIC",
    }
