"""Statements and positions of an account."""

import pytest

from registry.ledger.account_statement import load_positions, load_statement
from registry.ledger.rules import (
    EntryKind,
)
from tests.ledger.ledger_builders import (
    HOUR,
    OPENING,
    create_two_holders,
    make_posting,
    post_in_transaction,
)

pytestmark = pytest.mark.usefixtures("database")
SETTLED = EntryKind.SETTLEMENT


async def test_a_statement_is_read_page_by_page() -> None:
    right, seller, buyer = await create_two_holders(10)
    for _ in range(3):
        await post_in_transaction(SETTLED, make_posting(seller, buyer, right, 2))
    span = (OPENING, OPENING + HOUR)

    first = await load_statement(seller.id, right.id, *span, limit=2)
    rest = await load_statement(seller.id, right.id, *span, after=first[-1].sequence, limit=2)

    assert [(line.sequence, line.change, line.balance) for line in first + rest] == [
        (1, 10, 10),
        (2, -2, 8),
        (3, -2, 6),
        (4, -2, 4),
    ]
    assert rest[0].other == buyer.id
    assert first[0].kind == "opening"


async def test_positions_show_what_is_held_now_and_what_was() -> None:
    right, seller, buyer = await create_two_holders(10)
    await post_in_transaction(SETTLED, make_posting(seller, buyer, right, 10), at=OPENING + HOUR)

    now = await load_positions([seller.id, buyer.id], OPENING + HOUR)
    before = await load_positions([seller.id, buyer.id], OPENING + HOUR, recorded_at=OPENING)

    assert [(place.account_id, place.quantity, place.frozen) for place in now] == [
        (buyer.id, 10, False)
    ]
    assert [(place.account_id, place.quantity) for place in before] == [(seller.id, 10)]
