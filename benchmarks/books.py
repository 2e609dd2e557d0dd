"""Rule books of any size, made of the shipped one, and people and cases to judge by them."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from policies.rulebook import ANY, Row, RuleBook, _index
from policies.vocabulary import VOCABULARY
from registry.access.principals import Viewer
from registry.access.rulebook_store import SHIPPED
from registry.transfers.records import Transfer
from registry.transfers.rules import DEADLINES, NEVER, State

KIND = "Transfer"
CITIES = ("130100", "130200", "130300", "130400", "130500", "130600", "130700", "130800", "131000")
ABLE = 0.8
"""The share of people who may initiate, and of those who may approve."""
NOW = datetime(2022, 6, 7, 2, tzinfo=UTC)
SHIPPED_BOOK = RuleBook.load(SHIPPED, VOCABULARY)


def book_of(number: int) -> RuleBook:
    """A book of about so many rows: part of the shipped one, or that one grown.

    It grows in both directions: every other copy of the rows on transfers speaks of transfers
    again, so that each question has more rows to it, the others of a kind of their own.
    """
    own = [row for row in SHIPPED_BOOK.rows if row.kind == KIND]
    if number < len(SHIPPED_BOOK.rows):
        everywhere = [row for row in SHIPPED_BOOK.rows if row.kind == ANY]
        return _with((*own, *everywhere)[:number], {KIND})
    rows, kinds = list(SHIPPED_BOOK.rows), set(VOCABULARY.kinds)
    for copy in range((number - len(rows)) // len(own)):
        kind = KIND if copy % 2 else f"{KIND}{copy}"
        kinds.add(kind)
        rows += [replace(row, number=f"{row.number}-{copy}", kind=kind) for row in own]
    return _with(tuple(rows), kinds)


def _with(rows: tuple[Row, ...], kinds: set[str]) -> RuleBook:
    like = VOCABULARY.kinds[KIND]
    words = {kind: VOCABULARY.kinds.get(kind, like) for kind in sorted(kinds)}
    vocabulary = replace(VOCABULARY, kinds=words)
    return replace(SHIPPED_BOOK, vocabulary=vocabulary, rows=rows, _index=_index(vocabulary, rows))


def people(number: int, chance: random.Random) -> list[Viewer]:
    """So many people with a post each, four to an organisation, in every role."""
    roles = tuple(VOCABULARY.roles)
    bodies = _ids(max(1, number // 4), chance)
    return [
        Viewer(
            chance.choice(roles),
            NOW,
            person=id,
            organisation=chance.choice(bodies),
            division=chance.choice(CITIES),
            may_initiate=chance.random() < ABLE,
            may_approve=chance.random() < ABLE,
        )
        for id in _ids(number, chance)
    ]


def cases(number: int, viewers: list[Viewer], chance: random.Random) -> list[Transfer]:
    """So many transfers between their organisations, in every state; none is stored."""
    return [_case(chance.choice(viewers), chance.choice(viewers), chance) for _ in range(number)]


def _case(seller: Viewer, buyer: Viewer, chance: random.Random) -> Transfer:
    state = chance.choice(tuple(State))
    opinion = chance.choice(("", "favourable"))
    return Transfer(
        id=UUID(int=chance.getrandbits(128)),
        seller_id=seller.organisation,
        seller_city=seller.division,
        seller_county="",
        buyer_id=buyer.organisation,
        buyer_city=chance.choice((seller.division, buyer.division)),
        buyer_county="",
        state=state.value,
        deadline_at=NOW + timedelta(days=chance.choice((-1, 1))) if state in DEADLINES else NEVER,
        awaiting="seller" if state is State.AWAITING_SIGNATURE else "",
        seller_opinion=opinion,
        buyer_opinion=opinion,
        submitted_by=seller.person,
        submitted_body=seller.organisation,
        acted=[seller.person, buyer.person],
        acted_for=[seller.organisation, buyer.organisation],
    )


def _ids(number: int, chance: random.Random) -> list[UUID]:
    return [UUID(int=chance.getrandbits(128)) for _ in range(number)]
