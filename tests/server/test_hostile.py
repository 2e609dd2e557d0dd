"""Hostile requests to the whole application, and their safe responses."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from registry.db.session import fetch_one
from registry.ledger.records import Instrument
from schema.framework.global_ids import to_global_id
from tests.support.cluster import Database
from tests.support.live_server import CLIENT, SIGNER, Portal, open_portal

PROVINCE = "demo-province-initiator"
STRANGER = "demo-enterprise-7-initiator"


@pytest.fixture
async def portal(founding_database: Database) -> AsyncIterator[Portal]:
    async with open_portal() as running:
        yield running


@pytest.fixture
async def owner(founding_database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the portal's own database as the owner of everything in it."""
    connection = await asyncpg.connect(founding_database.owner_url)
    yield connection
    await connection.close()


async def fetch_id(sql: str, *args: object) -> Any:  # noqa: ANN401 - as a database answers
    found = await fetch_one(sql, *args)
    assert found is not None
    return found["id"]


async def of_kind(kind: str) -> str:
    found = await fetch_id(
        "SELECT id FROM organisation WHERE kind = $1 ORDER BY name LIMIT 1", kind
    )
    return to_global_id("Organisation", found)


HOLDING = """
mutation ($input: OpenHoldingInput!) { openHolding(input: $input) {
  ... on Preview { postings { quantity } }
  ... on Refusal { code field message { en } }
} }
"""


async def holding_document(**changed: object) -> dict[str, object]:
    return {
        "input": {
            "organisation": await of_kind("enterprise"),
            "pollutant": "SO2",
            "quantity": "1.500",
            "source": "test",
            "validFrom": "2022-01-01",
            "validUntil": "2031-03-03",
            "idempotencyKey": "k",
            "preview": True,
            **changed,
        }
    }


async def test_a_preview_shows_what_is_held_for_the_first_time(portal: Portal) -> None:
    known = await Instrument.all().count()

    answer = await portal.data(HOLDING, await holding_document(), subject=PROVINCE)

    assert answer["openHolding"] == {"postings": [{"quantity": "1.500"}]}
    assert await Instrument.all().count() == known


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_no_command_has_such_a_key(portal: Portal, key: str, *, preview: bool) -> None:
    sent = await holding_document(idempotencyKey=key, preview=preview)

    refusal = (await portal.data(HOLDING, sent, subject=PROVINCE))["openHolding"]

    assert (refusal["code"], refusal["field"]) == ("MALFORMED", "idempotencyKey")


@pytest.mark.parametrize("text", ['"\\u{0}"', '"\\u0000"', '"\\u{d800}"'])
async def test_no_text_of_a_document_is_one_that_cannot_be_stored(
    portal: Portal, text: str
) -> None:
    answer = await portal.ask(
        f"{{ organisations(first: 1, where: {{ name: {{ eq: {text} }} }}) {{ nodes {{ id }} }} }}"
    )

    assert answer["errors"][0]["extensions"]["code"] == "MALFORMED"


async def test_a_list_goes_on_after_the_longest_name(
    portal: Portal, owner: asyncpg.Connection
) -> None:
    long = "\U00020000" * 200
    await owner.execute(
        "UPDATE organisation SET name = $1"
        " WHERE id = (SELECT id FROM organisation WHERE kind = 'enterprise' LIMIT 1)",
        long,
    )
    query = """query ($after: String) { organisations(first: 1, after: $after,
        where: { kind: ENTERPRISE, name: { eq: "%s" } }) {
        nodes { name } pageInfo { endCursor } } }""".replace("%s", long)

    found = (await portal.data(query))["organisations"]
    after = await portal.data(query, {"after": found["pageInfo"]["endCursor"]})

    assert found["nodes"] == [{"name": long}]
    assert after["organisations"]["nodes"] == []


async def test_what_is_issued_belongs_to_nobody(portal: Portal) -> None:
    query = """{ accounts(first: 100) { nodes { kind organisation { name } } } }"""

    accounts = (await portal.data(query, subject=PROVINCE))["accounts"]["nodes"]

    ownerless = {account["kind"] for account in accounts if account["organisation"] is None}
    assert ownerless == {"ISSUANCE", "OUTSIDE"}


async def test_no_lock_wait_reveals_an_object_to_a_stranger(
    portal: Portal, owner: asyncpg.Connection
) -> None:
    case = await fetch_id("SELECT id FROM transfer WHERE state = 'offered' LIMIT 1")
    query = """mutation ($id: ID!) { acceptTransfer(input: {
        id: $id, idempotencyKey: "k", preview: true }) { ... on Refusal { code } } }"""
    async with owner.transaction():
        await owner.execute(
            "SELECT 1 FROM transfer t JOIN organisation o ON o.id IN (t.seller_id, t.buyer_id)"
            " WHERE t.id = $1 FOR UPDATE",
            case,
        )

        # A waiting request would time out.
        answer = await portal.data(query, {"id": to_global_id("Transfer", case)}, subject=STRANGER)

    assert answer["acceptTransfer"] == {"code": "NOT_FOUND"}


CARDS = """{
  reserveTotals { organisation { name } quantity }
  organisations(first: 100) { nodes { name creditCode } }
  certificates(first: 100) { nodes { number } }
}"""


async def post_answered(portal: Portal, query: str, **token: Any) -> dict[str, Any]:  # noqa: ANN401
    """The data of the answer to a token of one's own making."""
    signed = SIGNER.issue_token(**{"client": CLIENT, "seconds": 60, **token})
    answer = (await portal.post(query, authorization=f"Bearer {signed}")).json()
    assert "errors" not in answer, answer["errors"]
    found: dict[str, Any] = answer["data"]
    return found


async def test_a_relation_to_an_organisation_is_its_public_card_whatever_the_scope(
    portal: Portal,
) -> None:
    query = """{ transfers(first: 9) { nodes {
        seller { name installedMw maskedFields
            history(first: 9) { nodes { organisationName } } }
    } } }"""

    scoped = await post_answered(portal, query, subject=PROVINCE, scope="Transfer:view")

    sellers = [node["seller"] for node in scoped["transfers"]["nodes"]]
    assert sellers
    assert all(seller["name"] for seller in sellers)
    assert {seller["installedMw"] for seller in sellers} == {None}
    assert all("installedMw" in seller["maskedFields"] for seller in sellers)


@pytest.mark.parametrize(
    "token",
    [
        {"subject": PROVINCE, "scope": "Transfer:view"},
        {"subject": PROVINCE, "scope": ""},
    ],
    ids=str,
)
async def test_nobody_sees_less_than_the_public(portal: Portal, token: dict[str, Any]) -> None:
    assert await post_answered(portal, CARDS, **token) == await portal.data(CARDS)


@pytest.mark.parametrize("subject", [PROVINCE, "unknown-client"])
async def test_a_client_that_is_not_registered_is_refused_by_its_name(
    portal: Portal, subject: str
) -> None:
    answer = await portal.ask(CARDS, subject=subject, client="unknown-client")

    assert {error["extensions"]["code"] for error in answer["errors"]} == {"CLIENT_NOT_REGISTERED"}
    assert "'unknown-client'" in answer["errors"][0]["message"]


async def test_a_revoked_client_can_do_nothing(portal: Portal, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE client SET state = 'revoked' WHERE name = $1", CLIENT)

    refusal = (await portal.data(HOLDING, await holding_document(), subject=PROVINCE))[
        "openHolding"
    ]

    assert refusal["code"] == "CLIENT_NOT_REGISTERED"
    answer = await portal.ask(CARDS, subject=PROVINCE)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"CLIENT_NOT_REGISTERED"}
