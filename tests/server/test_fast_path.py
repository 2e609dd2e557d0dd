"""The fast door: it answers what the view would, says nothing of its own, and sees what changed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import asyncpg
import orjson
import pytest
from httpx2 import Response

from registry.access.viewer_cache import FRESHNESS_SECONDS
from registry.db.session import execute, fetch_all
from schema.framework.global_ids import to_global_id
from schema.planning.planner import BoundOperation, Planner
from schema.root import build_api_schema
from server.composition import document_limits
from server.graphql import fast_path
from tests.support.cluster import Database
from tests.support.live_server import CLIENT, SETTINGS, Portal, open_portal

CITY, SELLER = "demo-langfang-approver", "demo-enterprise-1-initiator"
PEOPLE = ("", CITY, SELLER, "demo-auditor", "demo-province-approver")
FEED = """query ($first: Int!, $after: String) {
    transfers(first: $first, after: $after) {
        totalCount totalSum
        nodes { id state price seller { name } availableActions maskedFields }
        pageInfo { hasNextPage endCursor }
    }
}"""
PLANNED = (
    (FEED, {"first": 3}),
    ("{ __typename }", None),
    ("{ viewer { role now organisation { id ... on Organisation { name } } } }", None),
    ("{ workList(first: 9) { verb objectId object { id availableActions } } }", None),
    ("{ pollutants { code name } reserveTotals { quantity organisation { name } } }", None),
)
FALLBACK_QUERIES = (
    ("{ permissions { verb } }", None),
    ("{ transfers { nodes { id } } }", None),
    ("{ transfers(first: 101) { nodes { id } } }", None),
    ("{ node(id: 7) { id } }", None),
    ('{ node(id: "no") { id } }', None),
    ("{ nothing }", None),
    ("{", None),
    ("mutation { x }", None),
    (FEED, {"first": "three"}),
    (FEED, {"first": 3, "after": "bm90"}),
    ("{ viewer { rateLimit { cost } role } }", None),
)


@pytest.fixture
async def portals(
    founding_database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Portal, list[bytes]]]:
    """The application with the fast door, and what that door has answered."""
    answered: list[bytes] = []
    answer = fast_path.FastPathMiddleware._try_answer

    async def noted(self: fast_path.FastPathMiddleware, *asked: Any) -> bytes | None:  # noqa: ANN401
        found = await answer(self, *asked)
        if found is not None:
            answered.append(found)
        return found

    monkeypatch.setattr(fast_path.FastPathMiddleware, "_try_answer", noted)
    async with open_portal(fast=founding_database) as portal:
        yield portal, answered


async def post_query(
    portal: Portal, document: str, variables: dict[str, Any] | None, subject: str, **more: str
) -> Response:
    headers = {"authorization": f"Bearer {portal.token(subject)}"} if subject else {}
    return await portal.post(document, variables, **headers, **more)


@pytest.mark.parametrize(("document", "variables"), PLANNED)
async def test_the_fast_path_answers_as_the_view_does(
    portals: tuple[Portal, list[bytes]], document: str, variables: dict[str, Any] | None
) -> None:
    portal, answered = portals
    for subject in PEOPLE:
        answered.clear()
        # A token is verified by the view once; then the door knows it.
        await post_query(portal, document, variables, subject)
        quick = await post_query(portal, document, variables, subject)
        assert answered
        asked = {"query": document, "variables": variables, "extensions": {"cost": False, "x": 1}}
        headers = {"authorization": f"Bearer {portal.token(subject)}"} if subject else {}
        slow = await portal.http.post("/graphql", json=asked, headers=headers)

        assert answered == [*answered[:-1], quick.content]
        assert quick.status_code == slow.status_code == 200
        assert quick.json() == slow.json()
        assert {*quick.headers} == {*slow.headers}
        assert quick.headers["content-type"] == slow.headers["content-type"]


@pytest.mark.parametrize(("document", "variables"), FALLBACK_QUERIES)
async def test_what_it_cannot_answer_well_the_view_answers(
    portals: tuple[Portal, list[bytes]], document: str, variables: dict[str, Any] | None
) -> None:
    portal, answered = portals
    await post_query(portal, "{ __typename }", None, CITY)
    await post_query(portal, "{ __typename }", None, CITY)
    answered.clear()

    said = await post_query(portal, document, variables, CITY)

    assert answered == []
    assert orjson.loads(said.content).keys() <= {"data", "errors"}


async def test_a_persisted_query_is_sent_by_its_hash(
    portals: tuple[Portal, list[bytes]],
) -> None:
    portal, answered = portals
    text = "{ __typename }"
    await post_query(portal, text, None, CITY)
    headers = {"authorization": f"Bearer {portal.token(CITY)}"}
    hash = hashlib.sha256(text.encode()).hexdigest()
    await execute(
        "INSERT INTO persisted_query (client_id, sha256, text, registered_at)"
        " SELECT id, $1, $2, registry_now() FROM client WHERE name = $3",
        hash,
        text,
        CLIENT,
    )
    answered.clear()

    asked = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}}
    said = await portal.http.post("/graphql", json=asked, headers=headers)

    assert said.json() == {"data": {"__typename": "Query"}}
    assert answered == [said.content]


async def test_a_request_that_was_sent_before_is_not_read_again(
    portals: tuple[Portal, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    portal, answered = portals
    read, asked = [], []
    reads, asks = fast_path._parse, Planner.coerce_and_bind

    def reading(body: bytes) -> Any:  # noqa: ANN401
        read.append(body)
        return reads(body)

    def asking(*args: Any) -> BoundOperation:  # noqa: ANN401
        asked.append(args)
        return asks(*args)

    monkeypatch.setattr(fast_path, "_parse", reading)
    monkeypatch.setattr(Planner, "coerce_and_bind", asking)
    for _ in range(4):
        await post_query(portal, FEED, {"first": 3}, CITY)

    assert len(answered) == 3
    assert len(set(answered)) == 1
    # The first time his token was not known.
    assert len(read) == len(asked) + 1 == 2


async def test_equal_requests_of_two_users_are_answered_separately(
    portals: tuple[Portal, list[bytes]],
) -> None:
    portal, answered = portals
    document = "{ viewer { role } transfers(first: 9) { nodes { id price } } }"
    for subject in (CITY, SELLER):
        await post_query(portal, document, None, subject)
    answered.clear()

    said = [
        (await post_query(portal, document, None, subject)).json() for subject in (CITY, SELLER)
    ]

    assert len(answered) == 2
    assert [each["data"]["viewer"]["role"] for each in said] == ["CITY", "ENTERPRISE"]


async def test_parsed_requests_are_evicted_with_their_document(
    portals: tuple[Portal, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    portal, answered = portals
    document = "query ($id: ID!) { node(id: $id) { __typename } }"
    asked = {
        "id": str(to_global_id("Transfer", (await fetch_all("SELECT id FROM transfer"))[0]["id"]))
    }
    first = [await post_query(portal, document, asked, CITY) for _ in range(2)][1]
    admissions = build_api_schema(document_limits(SETTINGS)).document_cache
    kept = admissions.validate(document, None)

    monkeypatch.setattr(admissions, "_documents", type(admissions._documents)(4, 1 << 20))
    again = await post_query(portal, document, asked, CITY)

    assert admissions.validate(document, None) is not kept
    assert first.json() == again.json() == {"data": {"node": {"__typename": "Transfer"}}}
    assert len(answered) == 2


async def test_it_answers_in_the_preferred_media_type(
    portals: tuple[Portal, list[bytes]],
) -> None:
    portal, answered = portals
    liked = "application/graphql-response+json"

    said = await post_query(portal, "{ __typename }", None, "", accept=liked)
    html = await post_query(portal, "{ __typename }", None, "", accept="text/html")

    assert len(answered) == 1
    assert said.headers["content-type"].startswith(liked)
    assert html.status_code == 406


async def sees_own_organisation(portal: Portal) -> Callable[[], Coroutine[Any, Any, bool]]:
    """Asks for a case of the seller's, as he."""
    sql = (
        "SELECT t.id FROM transfer t JOIN person p ON p.organisation_id = t.seller_id"
        " WHERE p.subject = $1 LIMIT 1"
    )
    asked = {"id": str(to_global_id("Transfer", (await fetch_all(sql, SELLER))[0]["id"]))}

    async def sees() -> bool:
        document = "query ($id: ID!) { node(id: $id) { id } }"
        said = (await post_query(portal, document, asked, SELLER)).json()
        return bool(said.get("data") and said["data"]["node"])

    return sees


async def dismiss_officer() -> None:
    """The seller's officer is one no longer."""
    await execute(
        "UPDATE appointment SET state = 'ended', ended_at = registry_now() WHERE person_id ="
        " (SELECT id FROM person WHERE subject = $1)",
        SELLER,
    )


async def test_what_a_person_loses_is_lost_within_the_window(
    portals: tuple[Portal, list[bytes]],
) -> None:
    portal, answered = portals
    sees = await sees_own_organisation(portal)
    await sees()
    assert await sees()
    assert answered

    await dismiss_officer()
    await asyncio.sleep(FRESHNESS_SECONDS)

    assert not await sees()


async def test_access_lost_while_waiting_gives_no_answer(
    portals: tuple[Portal, list[bytes]], founding_database: Database
) -> None:
    portal, answered = portals
    sees = await sees_own_organisation(portal)
    await sees()
    assert await sees()
    answered.clear()
    owner = await asyncpg.connect(founding_database.owner_url)
    try:
        async with owner.transaction():
            await owner.execute("LOCK TABLE transfer")
            waiting = asyncio.create_task(sees())
            while not await owner.fetchval(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND application_name = 'biandan reader' AND datname = current_database())"
            ):
                await asyncio.sleep(0.01)
            await dismiss_officer()
            await asyncio.sleep(FRESHNESS_SECONDS)
    finally:
        await owner.close()

    assert not await waiting
    assert answered == []
