"""A document is found by text or hash, validated and charged for, over real HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import httpx2
import pytest

import tests.support.live_server
from registry.kernel.errors import Overloaded
from registry.parties.persisted_queries import PersistedQueryLookup
from registry.parties.records import Client
from schema.documents.cache import INVALID_DOCUMENT_COST
from schema.framework.global_ids import to_global_id
from server.graphql.persisted_queries import CACHE_SIZE, TTL_SECONDS, PersistedQueryCache
from server.graphql.request import GRAPHQL, JSON, GraphQLRequest, RequestError
from server.settings import Settings
from tests.support.cluster import Database
from tests.support.live_server import CLIENT, SIGNER, Portal, open_portal

PROVINCE, APPROVER = "demo-province-initiator", "demo-province-approver"
PARTNER = "partner"
TEXT = "{ viewer { role rateLimit { limit cost remaining resetAt } } }"
HASH = sha256(TEXT.encode()).hexdigest()
BY_HASH: dict[str, Any] = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}}

REGISTER = """mutation ($id: ID!, $text: String!) { registerPersistedQuery(input: {
    id: $id, text: $text, idempotencyKey: "r" }) { __typename } }"""
RETIRE = """mutation ($id: ID!, $hash: String!) { retirePersistedQuery(input: {
    id: $id, sha256: $hash, idempotencyKey: "t" }) { __typename } }"""
RESTRICT = """mutation ($id: ID!) { restrictToPersistedQueries(input: {
    id: $id, persistedQueriesOnly: true, idempotencyKey: "c" }) {
    __typename ... on ClientPayload { client {
        persistedQueriesOnly persistedQueries { sha256 bytes retiredAt } } } } }"""
REGISTER_CLIENT = """mutation ($organisation: ID!) { registerClient(input: {
    organisation: $organisation, name: "partner", scopes: [], idempotencyKey: "p" }) {
    ... on ClientPayload { client { id } } } }"""


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
async def portal(
    founding_database: Database, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> AsyncIterator[Portal]:
    monkeypatch.setattr(tests.support.live_server, "SETTINGS", settings)
    async with open_portal() as running:
        yield running


@pytest.fixture
async def partner(portal: Portal) -> str:
    """The identifier of a program that acts for itself and has registered one document."""
    owner = await Client.get(name=CLIENT)
    body = to_global_id("Organisation", owner.organisation_id)
    made = await portal.data(REGISTER_CLIENT, {"organisation": body}, subject=PROVINCE)
    id = str(made["registerClient"]["client"]["id"])
    done = await portal.data(REGISTER, {"id": id, "text": TEXT}, subject=PROVINCE)
    assert done == {"registerPersistedQuery": {"__typename": "ClientPayload"}}
    return id


async def send(portal: Portal, client: str = PARTNER, accept: str = GRAPHQL, **body: Any) -> Any:  # noqa: ANN401
    """The response to a body of a client that acts for itself; without one, of the public."""
    headers = {"accept": accept}
    if client:
        token = SIGNER.issue_token(client, client=client, seconds=600)
        headers["authorization"] = f"Bearer {token}"
    return await portal.http.post("/graphql", json=body, headers=headers)


def code(answer: httpx2.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


async def test_a_persisted_query_is_sent_by_its_hash(portal: Portal, partner: str) -> None:
    answer = await send(portal, **BY_HASH)
    with_text = await send(portal, query=TEXT, **BY_HASH)

    assert answer.json()["data"]["viewer"]["role"] == "PORTAL"
    assert with_text.json()["data"]["viewer"]["role"] == "PORTAL"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{ nothing }", "Cannot query field 'nothing' on type 'Query'"),
        ("{", "Syntax Error"),
        ("", "Syntax Error"),
        ("query A { viewer { role } } query A { __typename }", "only one operation named 'A'"),
        ("{" + " ".join(f"a{n}: __typename" for n in range(3_000)) + "}", "more than 2000 tokens"),
    ],
)
async def test_a_document_that_would_be_refused_is_not_registered(
    portal: Portal, partner: str, text: str, why: str
) -> None:
    document = REGISTER.replace("__typename", "... on Refusal { code message { en } field }")

    said = await portal.data(document, {"id": partner, "text": text}, subject=PROVINCE)

    refused = said["registerPersistedQuery"]
    assert (refused["code"], refused["field"]) == ("MALFORMED", "text")
    assert why in refused["message"]["en"]


async def test_a_document_of_several_operations_may_be_registered(
    portal: Portal, partner: str
) -> None:
    text = "query A { viewer { role } } query B { __typename } mutation C { __typename }"
    document = REGISTER.replace('"r"', '"r2"')

    said = await portal.data(document, {"id": partner, "text": text}, subject=PROVINCE)

    assert said == {"registerPersistedQuery": {"__typename": "ClientPayload"}}


@pytest.mark.parametrize("client", ["", CLIENT])
async def test_a_foreign_hash_is_reported_by_the_apq_convention(
    portal: Portal, partner: str, client: str
) -> None:
    newer, older = (
        await send(portal, client, **BY_HASH),
        await send(portal, client, JSON, **BY_HASH),
    )

    assert (newer.status_code, older.status_code) == (400, 200)
    assert code(newer) == code(older) == "PERSISTED_QUERY_NOT_FOUND"
    assert newer.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert "data" not in newer.json()


@pytest.mark.parametrize(
    "sent",
    [
        {"version": 2, "sha256Hash": HASH},
        {"version": 1, "sha256Hash": HASH[:-1]},
        {"version": 1, "sha256Hash": 3},
        {"version": 1},
        [],
        "x",
    ],
)
async def test_a_hash_of_another_form_is_malformed(portal: Portal, sent: object) -> None:
    answer = await send(portal, "", JSON, extensions={"persistedQuery": sent})

    assert answer.status_code == 400
    assert code(answer) == "MALFORMED"


async def test_a_document_that_is_not_the_one_of_its_hash_is_refused(
    portal: Portal, partner: str
) -> None:
    for client in (PARTNER, ""):
        answer = await send(portal, client, query="{ __typename }", **BY_HASH)
        assert (answer.status_code, code(answer)) == (400, "MALFORMED")


async def test_a_restricted_client_sends_only_its_persisted_queries(
    portal: Portal, partner: str
) -> None:
    confined = await portal.data(RESTRICT, {"id": partner}, subject=APPROVER)

    newer, older = (
        await send(portal, query="{ __typename }"),
        await send(portal, PARTNER, JSON, query="{ __typename }"),
    )

    assert confined["restrictToPersistedQueries"]["client"]["persistedQueriesOnly"] is True
    assert confined["restrictToPersistedQueries"]["client"]["persistedQueries"] == [
        {"sha256": HASH, "bytes": len(TEXT), "retiredAt": None}
    ]
    assert (newer.status_code, older.status_code) == (403, 200)
    assert code(newer) == code(older) == "PERSISTED_QUERIES_ONLY"
    assert (await send(portal, **BY_HASH)).json()["data"]["viewer"]["role"] == "PORTAL"
    assert (await send(portal, query=TEXT)).json()["data"]["viewer"]["role"] == "PORTAL"
    assert (await send(portal, CLIENT, query="{ __typename }")).status_code == 200


async def test_a_retired_document_is_refused_within_a_second(portal: Portal, partner: str) -> None:
    assert (await send(portal, **BY_HASH)).status_code == 200

    await portal.data(RETIRE, {"id": partner, "hash": HASH}, subject=PROVINCE)
    ends = time.monotonic() + TTL_SECONDS + 1
    sent = time.monotonic()
    while (await send(portal, **BY_HASH)).status_code == 200:
        assert sent < ends
        sent = time.monotonic()


async def test_the_response_reports_the_cost(portal: Portal) -> None:
    first = await send(portal, "", query=TEXT)
    second = await send(portal, "", query=TEXT, extensions={"cost": True})

    answered = second.json()["data"]["viewer"]["rateLimit"]
    assert answered["cost"] == 1
    assert answered["limit"] == Settings().rate_limit_points_per_minute // 10
    assert answered["resetAt"].endswith("+08:00")
    assert second.json()["extensions"]["cost"] == answered
    assert "extensions" not in first.json()


async def test_a_page_that_a_variable_names_costs_a_whole_page(portal: Portal) -> None:
    query = "query ($n: Int) { organisations(first: $n) { nodes { id } } }"

    answer = await send(portal, "", query=query, variables={"n": 1}, extensions={"cost": True})

    assert len(answer.json()["data"]["organisations"]["nodes"]) == 1
    assert answer.json()["extensions"]["cost"]["cost"] == 101


@pytest.mark.parametrize(
    "settings", [Settings(cost_per_operation_max=50, rate_limit_points_per_minute=500)]
)
async def test_an_exhausted_limit_reports_retry_after(portal: Portal) -> None:
    query = "{ organisations(first: 49) { nodes { id } } }"
    assert (await send(portal, "", query=query)).status_code == 200

    newer, older = await send(portal, "", query=query), await send(portal, "", JSON, query=query)
    dear = await send(portal, "", query="{ organisations(first: 50) { nodes { id } } }")
    signed_in = await send(portal, CLIENT, query=query)

    assert (newer.status_code, older.status_code) == (429, 200)
    assert code(newer) == code(older) == "RATE_LIMITED"
    assert 50 <= int(newer.headers["retry-after"]) <= 60
    assert newer.headers["retry-after"] in newer.json()["errors"][0]["message"]
    assert newer.json()["errors"][0]["extensions"]["retryable"] is True
    assert "messageZh" in newer.json()["errors"][0]["extensions"]
    assert code(dear) == "RATE_LIMITED"
    assert signed_in.status_code == 200


@pytest.mark.parametrize(
    "settings", [Settings(cost_per_operation_max=50, rate_limit_points_per_minute=500)]
)
async def test_an_operation_that_costs_too_much_is_too_large(portal: Portal) -> None:
    answer = await send(portal, CLIENT, query="{ organisations(first: 50) { nodes { id } } }")

    assert (answer.status_code, code(answer)) == (400, "TOO_LARGE")
    assert "cost 51; at most 50" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "settings", [Settings(cost_per_operation_max=20, rate_limit_points_per_minute=200)]
)
async def test_what_is_refused_is_charged_too(portal: Portal) -> None:
    for _ in range(20 // INVALID_DOCUMENT_COST):
        assert code(await send(portal, "", query="{")) == "MALFORMED"

    assert code(await send(portal, "", query="{")) == "RATE_LIMITED"
    assert code(await send(portal, "", **BY_HASH)) == "RATE_LIMITED"


class FakeQueryStore:
    """Persisted queries of clients, and the number of lookups."""

    def __init__(self, *sent: PersistedQueryLookup | Exception) -> None:
        self.sent = list(sent)
        self.asked = 0

    async def __call__(self, _client: str, _sha256: str) -> PersistedQueryLookup:
        self.asked += 1
        await asyncio.sleep(0)
        found = self.sent.pop(0) if len(self.sent) > 1 else self.sent[0]
        if isinstance(found, Exception):
            raise found
        return found


async def test_those_who_ask_at_the_same_time_ask_the_database_once() -> None:
    book, now = FakeQueryStore(PersistedQueryLookup(text="a")), [0.0]
    registered = PersistedQueryCache(book, clock=lambda: now[0])

    together = await asyncio.gather(*(registered.lookup("c", HASH) for _ in range(50)))
    for _ in range(50):
        await registered.lookup("c", HASH)
    asked_within_a_moment = book.asked
    now[0] += TTL_SECONDS
    await registered.lookup("c", HASH)

    assert together == [PersistedQueryLookup(text="a")] * 50
    assert (asked_within_a_moment, book.asked) == (1, 2)


async def test_a_cancelled_lookup_does_not_affect_the_others() -> None:
    registered = PersistedQueryCache(FakeQueryStore(PersistedQueryLookup(text="a")))
    first, second = (asyncio.create_task(registered.lookup("c", HASH)) for _ in range(2))
    await asyncio.sleep(0)

    first.cancel()

    assert await second == PersistedQueryLookup(text="a")


async def test_a_failure_is_raised_and_not_cached() -> None:
    registered = PersistedQueryCache(FakeQueryStore(Overloaded(), PersistedQueryLookup(text="a")))

    with pytest.raises(Overloaded):
        await registered.lookup("c", HASH)

    assert await registered.lookup("c", HASH) == PersistedQueryLookup(text="a")


async def test_a_flood_of_unknown_hashes_is_not_kept() -> None:
    registered = PersistedQueryCache(FakeQueryStore(PersistedQueryLookup()))

    for n in range(3 * CACHE_SIZE):
        await registered.lookup("c", f"{n:064}")

    assert len(registered._cache) <= CACHE_SIZE
    assert registered._in_flight == {}


async def test_a_failed_lookup_is_raised_to_the_client_of_the_cache() -> None:
    persisted_queries = PersistedQueryCache(FakeQueryStore(Overloaded()))

    with pytest.raises(Overloaded):
        await persisted_queries.document_text("c", request(query="{ echo }"))


@pytest.mark.parametrize(
    ("sent", "restricted", "persisted", "outcome"),
    [
        ({"query": "a"}, False, None, "a"),
        ({"sha256": HASH}, False, TEXT, TEXT),
        ({"sha256": HASH}, True, TEXT, TEXT),
        ({"query": TEXT, "sha256": HASH}, True, TEXT, TEXT),
        ({"sha256": HASH}, False, None, "PERSISTED_QUERY_NOT_FOUND"),
        ({"sha256": HASH}, True, None, "PERSISTED_QUERY_NOT_FOUND"),
        ({"query": "a"}, True, None, "PERSISTED_QUERIES_ONLY"),
    ],
)
async def test_what_a_client_may_send(
    sent: dict[str, str], *, restricted: bool, persisted: str | None, outcome: str
) -> None:
    found = PersistedQueryLookup(persisted_queries_only=restricted, text=persisted)
    persisted_queries = PersistedQueryCache(FakeQueryStore(found))

    try:
        answer = await persisted_queries.document_text("c", request(**sent))
    except RequestError as error:
        answer = error.code

    assert answer == outcome


def request(query: str | None = None, sha256: str = "") -> GraphQLRequest:
    return GraphQLRequest(query, None, {}, sha256, wants_cost=False)
