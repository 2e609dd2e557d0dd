"""The shipped rule book, its truth tables filled, and ways to walk through them."""

from collections.abc import Iterator
from pathlib import Path

import policies
from policies.dnf import subsets
from policies.engine import Decision, Edition
from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY

FOLDER = Path(policies.__file__).parent
FILES = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.csv")}
BOOK = RuleBook.load(FOLDER, VOCABULARY)
EDITION = Edition(BOOK, 1)
CELLS = tuple(
    (role, kind, verb.name)
    for kind, words in VOCABULARY.kinds.items()
    for verb in words.verbs
    for role in VOCABULARY.roles
)

FOLLOWS: tuple[tuple[set[str], str], ...] = (
    ({"seller_city_own"}, "seller_inside"),
    ({"buyer_city_own"}, "buyer_inside"),
    ({"stage_offered"}, "was_offered"),
    ({"stage_accepted"}, "was_offered"),
    ({"stage_eligible"}, "was_offered"),
    ({"awaiting_own_side", "own_purchase"}, "was_offered"),
)
"""Facts of a transfer that are true wherever others are; ``tests/transfers`` proves it."""


def entries(
    edition: Edition, *, role: str = "", kind: str = "", verb: str = ""
) -> Iterator[Decision]:
    """Every entry of the truth tables of an edition, of one role, kind or verb if given."""
    for cell in CELLS:
        if all(wanted in ("", word) for wanted, word in zip((role, kind, verb), cell, strict=True)):
            for mask in subsets(bit for _, bit in edition.fact_bits(*cell)):
                yield edition.evaluate(*cell, mask)


def allowed(*, role: str = "", kind: str = "", verb: str = "") -> list[tuple[Decision, set[str]]]:
    """Every yes of the shipped edition, with the facts that were true."""
    return [
        (decision, set(BOOK.fact_names(decision.mask)))
        for decision in entries(EDITION, role=role, kind=kind, verb=verb)
        if decision
    ]
