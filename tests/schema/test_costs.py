"""The cost of a response: no document makes the registry read without bound, or again and again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
query ($id: ID!) { node(id: $id) { ... on Organisation { history {
  organisation { ... on Organisation { history {
    organisation { ... on Organisation { history { at } } } } } } } } } }
"""


async def test_histories_within_histories_are_too_much(portal: Portal) -> None:
    id = to_global_id("Organisation", await fetch_organisation_id())

    answer = await portal.ask(HISTORIES, {"id": id})

    assert answer["errors"][0]["extensions"]["code"] == "TOO_LARGE"
    assert "data" not in answer


async def test_the_histories_of_a_page_are_read_together(portal: Portal) -> None:
    query = """query ($n: Int!) { transfers(first: $n) {
        nodes { history { at organisationName } stateAt(asOf: "2022-06-07T12:00:00+08:00") }
    } }"""
    read = {}
    await portal.data(query, {"n": 2}, subject=PROVINCE)
    for size in (1, 5):
        async with captured_statements() as said:
            answer = await portal.data(query, {"n": size}, subject=PROVINCE)
        assert len(answer["transfers"]["nodes"]) == size
        assert all(node["history"] for node in answer["transfers"]["nodes"])
        read[size] = len(said)

    assert read[1] == read[5] > 0


async def test_a_history_is_cut_where_it_is_asked_to_be(portal: Portal) -> None:
    query = (
        "{ transfers(first: 9) { nodes { all: history { at } two: history(first: 2) { at } } } }"
    )

    found = (await portal.data(query, subject=PROVINCE))["transfers"]["nodes"]

    assert any(len(transfer["all"]) > 2 for transfer in found)
    assert all(transfer["two"] == transfer["all"][:2] for transfer in found)


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
