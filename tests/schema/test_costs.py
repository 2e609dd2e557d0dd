"""The cost of a response: no document makes the registry read without bound, or again and again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tortoise.connection import get_connections

from registry.db.session import fetch_all
from schema.framework.global_ids import to_global_id
from tests.support.cluster import Database
from tests.support.live_server import Portal, open_portal

PROVINCE = "demo-province-initiator"


@pytest.fixture
async def portal(founding_database: Database) -> AsyncIterator[Portal]:
    async with open_portal() as running:
        yield running


@asynccontextmanager
async def captured_statements() -> AsyncIterator[list[str]]:
    """The statements that the pool's connections are sent meanwhile."""
    said: list[str] = []

    def hear(query: asyncpg.connection.LoggedQuery) -> None:
        said.append(query.query)

    holders = get_connections().get("default")._pool._holders
    open_ones = [holder._con for holder in holders if holder._con is not None]
    for connection in open_ones:
        connection.add_query_logger(hear)
    yield said
    for connection in open_ones:
        connection.remove_query_logger(hear)


async def fetch_organisation_id() -> UUID:
    found = await fetch_all("SELECT id FROM organisation ORDER BY name LIMIT 1")
    return UUID(str(found[0]["id"]))


HISTORIES = """
query ($id: ID!) { node(id: $id) { ... on Organisation { history(first: 100) { nodes {
  organisation { ... on Organisation { history(first: 100) { nodes {
    organisation { ... on Organisation { history(last: 9) { nodes { at } } } } } } } } } } } } }
"""


async def test_histories_within_histories_are_too_much(portal: Portal) -> None:
    id = to_global_id("Organisation", await fetch_organisation_id())

    answer = await portal.ask(HISTORIES, {"id": id})

    assert answer["errors"][0]["extensions"]["code"] == "TOO_LARGE"
    assert "data" not in answer


async def test_the_histories_of_a_page_are_read_together(portal: Portal) -> None:
    query = """query ($n: Int!) { transfers(first: $n) {
        nodes { history(first: 9) { nodes { at organisationName } }
            stateAt(asOf: "2022-06-07T12:00:00+08:00") }
    } }"""
    read = {}
    await portal.data(query, {"n": 2}, subject=PROVINCE)
    for size in (1, 5):
        async with captured_statements() as said:
            answer = await portal.data(query, {"n": size}, subject=PROVINCE)
        assert len(answer["transfers"]["nodes"]) == size
        assert all(node["history"]["nodes"] for node in answer["transfers"]["nodes"])
        read[size] = len(said)

    assert read[1] == read[5] > 0


HISTORY_PAGES = """
query ($after: String) { transfers(first: 9) { nodes {
    all: history(first: 100) { totalCount edges { cursor node { id } } nodes { at verb } }
    oldest: history(first: 1, orderBy: OLDEST) { nodes { verb } }
    page: history(first: 2, after: $after) {
        edges { node { id } } pageInfo { hasNextPage hasPreviousPage endCursor }
    }
} } }
"""


async def test_a_history_is_read_by_pages_newest_first(portal: Portal) -> None:
    async def longest(after: str | None) -> Any:  # noqa: ANN401 - an answer
        async with captured_statements() as said:
            found = await portal.data(HISTORY_PAGES, {"after": after}, subject=PROVINCE)
        assert len([statement for statement in said if "audit_entry" in statement]) == 1
        return max(found["transfers"]["nodes"], key=lambda each: each["all"]["totalCount"])

    transfer = await longest(None)
    entries, seen, after = transfer["all"]["edges"], [], None
    assert transfer["all"]["totalCount"] == len(entries) > 4
    times = [datetime.fromisoformat(each["at"]) for each in transfer["all"]["nodes"]]
    assert times == sorted(times, reverse=True)
    assert transfer["all"]["nodes"][-1]["verb"] == "DRAFT"
    assert transfer["oldest"]["nodes"] == [{"verb": "DRAFT"}]
    while True:
        page = (await longest(after))["page"]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        seen += page["edges"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert [each["node"] for each in seen] == [each["node"] for each in entries]


async def test_an_edition_of_the_rule_book_is_read_once(portal: Portal) -> None:
    asked = " ".join(f"{letter}: ruleBook(edition: 1) {{ digest }}" for letter in "abcdefgh")
    await portal.data("{ ruleBook(edition: 1) { digest } }")
    async with captured_statements() as said:
        answer = await portal.data(f"{{ {asked} }}")

    assert len({book["digest"] for book in answer.values()}) == 1
    assert not [statement for statement in said if "rule_line" in statement]
    assert len([statement for statement in said if "digest" in statement]) == 1


async def test_an_edition_that_is_not_there_is_not_found(portal: Portal) -> None:
    answer = await portal.ask("{ ruleBook(edition: 77) { digest } }")

    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "root", ["permissions { verb sentence { en } }", "ruleBook { rules { number when } }"]
)
async def test_a_document_has_few_roots(portal: Portal, root: str) -> None:
    asked = " ".join(f"{letter}: {root}" for letter in "abcdefghijk")

    answer = await portal.ask(f"{{ {asked} }}")

    assert answer["errors"][0]["extensions"]["code"] == "TOO_LARGE"
