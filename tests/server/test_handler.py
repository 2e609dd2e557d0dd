"""Queries over HTTP: planned ones answer as executed ones do, and see what changed."""

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
from schema.planning.query_runner import QueryRunner
from tests.support.cluster import Database
from tests.support.live_server import CLIENT, Portal, open_portal

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
EXECUTED = (
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
    """The application, and the answers that were planned as a whole."""
    answered: list[bytes] = []
    run = QueryRunner.run

    async def recorded(self: QueryRunner, *args: Any) -> bytes | None:  # noqa: ANN401
        answer = await run(self, *args)
        if answer is not None:
            answered.append(answer)
        return answer

    monkeypatch.setattr(QueryRunner, "run", recorded)
    async with open_portal(planned=founding_database) as portal:
        yield portal, answered


async def post_query(
    portal: Portal, document: str, variables: dict[str, Any] | None, subject: str, **more: str
) -> Response:
    headers = {"authorization": f"Bearer {portal.token(subject)}"} if subject else {}
    return await portal.post(document, variables, **headers, **more)


@pytest.mark.parametrize(("document", "variables"), PLANNED)
async def test_a_planned_query_is_answered_as_an_executed_one(
    portals: tuple[Portal, list[bytes]], document: str, variables: dict[str, Any] | None
) -> None:
    portal, answered = portals
    # No plan answers a field of the schema itself, so this operation is executed.
    beside = document.rstrip().removesuffix("}") + " __schema { __typename } }"
    for subject in PEOPLE:
        answered.clear()
        planned = await post_query(portal, document, variables, subject)
        assert answered == [planned.content]
        executed = await post_query(portal, beside, variables, subject)
        assert len(answered) == 1

        assert planned.status_code == executed.status_code == 200
        data = executed.json()["data"]
        assert data.pop("__schema")
        assert planned.json() == {"data": data}
        assert {*planned.headers} == {*executed.headers}
        assert planned.headers["content-type"] == executed.headers["content-type"]


@pytest.mark.parametrize(("document", "variables"), EXECUTED)
async def test_what_no_plan_answers_is_executed(
    portals: tuple[Portal, list[bytes]], document: str, variables: dict[str, Any] | None
) -> None:
    portal, answered = portals

    response = await post_query(portal, document, variables, CITY)

    assert answered == []
    assert orjson.loads(response.content).keys() <= {"data", "errors"}


async def test_a_planned_answer_reports_its_cost_when_asked(
    portals: tuple[Portal, list[bytes]],
) -> None:
    portal, answered = portals
    body = {"query": "{ viewer { role } }", "extensions": {"cost": True, "unknown": 1}}

    response = await portal.http.post("/graphql", json=body)

    assert len(answered) == 1
    assert response.json()["data"] == {"viewer": {"role": "PUBLIC"}}
    assert response.json()["extensions"]["cost"]["cost"] == 1


async def test_a_request_with_an_unknown_token_is_planned_too(
    portals: tuple[Portal, list[bytes]],
) -> None:
    portal, answered = portals

    await post_query(portal, "{ viewer { role } }", None, CITY)

    assert answered == [b'{"data":{"viewer":{"role":"CITY"}}}']


async def test_a_text_that_cannot_be_stored_is_refused_before_it_is_bound(
    portals: tuple[Portal, list[bytes]],
) -> None:
    portal, answered = portals

    response = await post_query(portal, FEED, {"first": 3, "after": "\0"}, CITY)

    assert response.status_code == 400
    assert answered == []


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
    """Ask for a case of the seller, as the seller."""
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
