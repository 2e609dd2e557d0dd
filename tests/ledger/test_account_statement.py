"""Statements and balances of an account."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from registry.ledger.records import Account
from registry.ledger.rules import EntryKind
from schema.framework.global_ids import to_global_id
from tests.ledger.ledger_builders import (
    HOUR,
    OPENING,
    create_two_holders,
    make_posting,
    post_in_transaction,
)
from tests.support.answers import answer_to
from tests.support.builders import build_viewer, install_rules
from tests.support.cluster import Database

SETTLED = EntryKind.SETTLEMENT
STATEMENT = """query ($id: ID!, $right: ID!, $since: DateTime!, $until: DateTime!, $after: Int!) {
    node(id: $id) { ... on Account { statement(
        instrument: $right, since: $since, until: $until, first: 2, afterSequence: $after
    ) { sequence kind change balance } } } }"""
BALANCES = """query ($id: ID!, $asOf: DateTime) {
    node(id: $id) { ... on Account { balances(asOf: $asOf) { quantity frozen } } } }"""


@pytest.fixture(autouse=True)
async def _rules(database: Database, owner: asyncpg.Connection) -> None:
    await install_rules(owner)


async def ask(document: str, account: Account, **variables: object) -> dict[str, Any]:
    viewer = replace(build_viewer("province"), now=OPENING + HOUR)
    answer = await answer_to(viewer, document, id=to_global_id("Account", account.id), **variables)
    node: dict[str, Any] = answer["node"]
    return node


async def balances(account: Account, as_of: datetime | None = None) -> list[dict[str, Any]]:
    moment = as_of.isoformat() if as_of else None
    found: list[dict[str, Any]] = (await ask(BALANCES, account, asOf=moment))["balances"]
    return found


async def test_a_statement_is_read_page_by_page() -> None:
    right, seller, buyer = await create_two_holders(10)
    for _ in range(3):
        await post_in_transaction(SETTLED, make_posting(seller, buyer, right, 2))
    named = {
        "right": to_global_id("Instrument", right.id),
        "since": OPENING.isoformat(),
        "until": (OPENING + HOUR).isoformat(),
    }

    first = (await ask(STATEMENT, seller, after=0, **named))["statement"]
    rest = (await ask(STATEMENT, seller, after=first[-1]["sequence"], **named))["statement"]

    assert [(line["sequence"], line["change"], line["balance"]) for line in first + rest] == [
        (1, "0.010", "0.010"),
        (2, "-0.002", "0.008"),
        (3, "-0.002", "0.006"),
        (4, "-0.002", "0.004"),
    ]
    assert [line["kind"] for line in first] == ["OPENING", "SETTLEMENT"]


async def test_balances_show_what_is_held_now_and_what_was() -> None:
    right, seller, buyer = await create_two_holders(10)
    await post_in_transaction(SETTLED, make_posting(seller, buyer, right, 10), at=OPENING + HOUR)
    held = [{"quantity": "0.010", "frozen": False}]

    assert (await balances(seller), await balances(buyer)) == ([], held)
    assert (await balances(seller, OPENING), await balances(buyer, OPENING)) == (held, [])
