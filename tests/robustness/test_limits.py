"""Requests too large in any way, over HTTP: each is refused in words, and serving goes on."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

import server.app
import tests.support.live_server
from registry.kernel.statistics import STATISTICS
from schema.framework.global_ids import to_global_id
from server.graphql.request import GRAPHQL
from server.settings import Settings
from tests.commands.test_contention import hold_lock
from tests.support.builders import create_client, get_province
from tests.support.live_server import CLIENT, SETTINGS, Portal, open_portal
from tests.transfers.builders import TradingFixture

ALIVE = "{ viewer { role } }"
OFFER = """mutation ($id: ID!) { offerTransfer(input: {idempotencyKey: "slow", id: $id}) {
    __typename ... on TransferPayload { replayed } } }"""
OFFER_OR_REFUSAL = """mutation ($id: ID!) {
    offerTransfer(input: {idempotencyKey: "full", id: $id}) {
    ... on TransferPayload { replayed } ... on Refusal { code retryable } } }"""


@pytest.fixture
def settings() -> Settings:
    return SETTINGS


@pytest.fixture
async def portal(
    market: TradingFixture, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> AsyncIterator[Portal]:
    await create_client(await get_province(), name=CLIENT, first_party=True)
    monkeypatch.setattr(tests.support.live_server, "SETTINGS", settings)
    async with open_portal() as portal:
        yield portal


def many(number: int, selection: str) -> str:
    return "{ " + " ".join(selection.format(n=n) for n in range(number)) + " }"


TOO_LARGE = {
    "token": many(SETTINGS.document_tokens_max, "__typename"),
    "aliases": many(SETTINGS.aliases_max + 1, "a{n}: __typename"),
    "depth": "{ a " * (SETTINGS.depth_max + 2) + "}" * (SETTINGS.depth_max + 2),
    "directives": f"{{ __typename {'@skip(if: false) ' * (SETTINGS.directives_max + 1)} }}",
}
PAGES = ("first: 101", "last: 101", "first: 2147483647", "first: -1", "first: 0", "")


@pytest.mark.parametrize(("what", "document"), TOO_LARGE.items(), ids=TOO_LARGE)
async def test_a_document_too_large_is_refused_in_words(
    portal: Portal, what: str, document: str
) -> None:
    answer = await portal.post(document, accept=GRAPHQL)

    assert answer.status_code == 400
    assert "data" not in answer.json()
    assert any(what in error["message"].lower() for error in answer.json()["errors"])
    assert codes(answer.json()) == {"TOO_LARGE"}
    assert await portal.data(ALIVE) == {"viewer": {"role": "PUBLIC"}}


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_too_large_or_of_no_size_is_refused_in_words(
    portal: Portal, page: str
) -> None:
    asked = f"({page})" if page else ""

    answer = await portal.ask(f"{{ certificates{asked} {{ nodes {{ number }} }} }}")

    assert codes(answer) == {"MALFORMED"}
    assert "first" in answer["errors"][0]["message"] or "100" in answer["errors"][0]["message"]
    assert await portal.data(ALIVE) == {"viewer": {"role": "PUBLIC"}}


@pytest.mark.parametrize("declared", [True, False])
async def test_a_request_body_too_large_is_refused_unread(
    portal: Portal,
    declared: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    body = b'{"query": "' + b" " * (SETTINGS.body_bytes_max + 1) + b'"}'

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    answer = await portal.http.post(
        "/graphql",
        content=body if declared else in_pieces(),
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 413
    assert "Too Large" in answer.text
    assert await portal.data(ALIVE) == {"viewer": {"role": "PUBLIC"}}


async def test_a_token_too_long_is_refused_unread(portal: Portal) -> None:
    answer = await portal.post(ALIVE, authorization="Bearer " + "a" * 20_000)

    assert answer.status_code == 401
    assert "too long" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("settings", [Settings(operation_seconds_max=2)])
async def test_an_operation_too_slow_is_given_up_and_may_be_repeated(
    portal: Portal, market: TradingFixture, lock_holder: asyncpg.Connection
) -> None:
    case = await market.draft()
    caller = market.people["seller"]
    sent = {"id": to_global_id("Transfer", case.id)}
    subject, appointment = caller.subject, caller.appointment_id

    async with hold_lock(lock_holder, "SELECT 1 FROM transfer WHERE id = $1 FOR UPDATE", case.id):
        given_up = await portal.ask(OFFER, sent, subject=subject, appointment=appointment)
        assert await portal.data(ALIVE) == {"viewer": {"role": "PUBLIC"}}

    assert codes(given_up) == {"TIMEOUT"}
    assert given_up["errors"][0]["extensions"]["retryable"]
    done = await portal.data(OFFER, sent, subject=subject, appointment=appointment)
    assert done["offerTransfer"] == {"__typename": "TransferPayload", "replayed": False}


_FILL_THE_DISK = """
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full';
    END $$;
    CREATE TRIGGER no_room BEFORE INSERT ON audit_entry EXECUTE FUNCTION no_room();
"""


async def test_a_full_disk_is_no_bug_and_both_sides_recover(
    portal: Portal,
    market: TradingFixture,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Put back at the end: the next test of this process finds the disk with room.
    monkeypatch.setattr(STATISTICS, "disk_full_at", STATISTICS.disk_full_at)
    caller, case = market.people["seller"], await market.draft()
    headers = {
        "authorization": f"Bearer {portal.token(caller.subject)}",
        "biandan-appointment": str(caller.appointment_id),
    }
    sent = {"id": to_global_id("Transfer", case.id)}
    await owner.execute(_FILL_THE_DISK)

    refused = await portal.post(OFFER_OR_REFUSAL, sent, **headers)
    ready_while_full = await portal.http.get("/readyz")
    await owner.execute("DROP TRIGGER no_room ON audit_entry")
    done = await portal.post(OFFER_OR_REFUSAL, sent, **headers)
    monkeypatch.setattr(server.app, "DISK_FULL_SECONDS", 0)
    ready_again = await portal.http.get("/readyz")

    assert refused.json()["data"]["offerTransfer"] == {"code": "OVERLOADED", "retryable": True}
    assert refused.headers["retry-after"] == "1"
    assert (ready_while_full.status_code, ready_while_full.text) == (503, "disk full\n")
    assert done.json()["data"]["offerTransfer"] == {"replayed": False}
    assert ready_again.status_code == 200


async def test_deep_lists_and_values_break_nothing(portal: Portal) -> None:
    for value in ("[" * 3_000 + "]" * 3_000, "{a:" * 500 + "1" + "}" * 500, "9" * 10_000):
        answer = await portal.ask(f"{{ certificates(first: {value}) {{ nodes {{ number }} }} }}")
        assert codes(answer) <= {"TOO_LARGE", "MALFORMED"}
    answer = await portal.ask("query ($a: Int) { __typename }", {"a": [[[[]]]] * 50})
    assert codes(answer) == {"MALFORMED"}


def codes(answer: dict[str, Any]) -> set[str]:
    return {error["extensions"]["code"] for error in answer["errors"]}
