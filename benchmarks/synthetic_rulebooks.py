"""Rule books of any size, made from the shipped one, with viewers and transfers to decide on."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from policies.rulebook import ANY, PolicyRule, RuleBook, _index_rules
from policies.vocabulary import VOCABULARY
from registry.access.principals import Viewer
from registry.access.rulebook_store import BUNDLED_RULEBOOK
from registry.transfers.records import Transfer
from registry.transfers.rules import DEADLINES, NEVER, State

KIND = "Transfer"
CITIES = ("130100", "130200", "130300", "130400", "130500", "130600", "130700", "130800", "131000")
ABLE_SHARE = 0.8
"""Share of viewers who may initiate, and of those who may approve."""
NOW = datetime(2022, 6, 7, 2, tzinfo=UTC)
SHIPPED_BOOK = RuleBook.load(BUNDLED_RULEBOOK, VOCABULARY)


def rulebook_of_size(number: int) -> RuleBook:
    """A rule book of about ``number`` rows: part of the shipped one, or an enlarged one.

    It grows in both directions. Every other copy of the rows on transfers is on transfers again, so
    that each decision has more rows. The others are on a kind of their own.
    """
    own = [row for row in SHIPPED_BOOK.rules if row.kind == KIND]
    if number < len(SHIPPED_BOOK.rules):
        everywhere = [row for row in SHIPPED_BOOK.rules if row.kind == ANY]
        return _with((*own, *everywhere)[:number], {KIND})
    rows, kinds = list(SHIPPED_BOOK.rules), set(VOCABULARY.kinds)
    for copy in range((number - len(rows)) // len(own)):
        kind = KIND if copy % 2 else f"{KIND}{copy}"
        kinds.add(kind)
        rows += [replace(row, number=f"{row.number}-{copy}", kind=kind) for row in own]
    return _with(tuple(rows), kinds)


def _with(rows: tuple[PolicyRule, ...], kinds: set[str]) -> RuleBook:
    like = VOCABULARY.kinds[KIND]
    kinds_of_book = {kind: VOCABULARY.kinds.get(kind, like) for kind in sorted(kinds)}
    vocabulary = replace(VOCABULARY, kinds=kinds_of_book)
    return replace(
        SHIPPED_BOOK, vocabulary=vocabulary, rules=rows, _index_rules=_index_rules(vocabulary, rows)
    )


def make_viewers(number: int, rng: random.Random) -> list[Viewer]:
    """Viewers with one appointment each, four in an organisation, in every role."""
    roles = tuple(VOCABULARY.roles)
    organisations = _ids(max(1, number // 4), rng)
    return [
        Viewer(
            rng.choice(roles),
            NOW,
            person=id,
            organisation=rng.choice(organisations),
            division=rng.choice(CITIES),
            may_initiate=rng.random() < ABLE_SHARE,
            may_approve=rng.random() < ABLE_SHARE,
        )
        for id in _ids(number, rng)
    ]


def make_transfers(number: int, viewers: list[Viewer], rng: random.Random) -> list[Transfer]:
    """Transfers between their organisations, in every state; none is stored."""
    return [_make_transfer(rng.choice(viewers), rng.choice(viewers), rng) for _ in range(number)]


def _make_transfer(seller: Viewer, buyer: Viewer, rng: random.Random) -> Transfer:
    state = rng.choice(tuple(State))
    opinion = rng.choice(("", "favourable"))
    return Transfer(
        id=UUID(int=rng.getrandbits(128)),
        seller_id=seller.organisation,
        seller_city=seller.division,
        seller_county="",
        buyer_id=buyer.organisation,
        buyer_city=rng.choice((seller.division, buyer.division)),
        buyer_county="",
        state=state.value,
        deadline_at=NOW + timedelta(days=rng.choice((-1, 1))) if state in DEADLINES else NEVER,
        awaiting="seller" if state is State.AWAITING_SIGNATURE else "",
        seller_opinion=opinion,
        buyer_opinion=opinion,
        submitted_by=seller.person,
        submitting_organisation=seller.organisation,
        signatories=[seller.person, buyer.person],
        signed_for=[seller.organisation, buyer.organisation],
    )


def _ids(number: int, rng: random.Random) -> list[UUID]:
    return [UUID(int=rng.getrandbits(128)) for _ in range(number)]
