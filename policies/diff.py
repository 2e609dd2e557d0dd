"""Rule books for people: golden sentences of one edition, and what moves between two.

``python -m policies.diff`` prints the sentences of the shipped rule book.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from policies.dnf import Term, minimise, spelled, subsets
from policies.engine import Edition
from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY

STANDING = ("scope_missing", "appointment_lapsed")
"""Nearly every sentence ends with «and not» these two; it is said once, at the top."""

_HEAD = """\
# Who may do what, read from the truth tables. Every sentence holds only for a client that has the
# scope and an appointment that is in force, unless it ends with «even if».
# To rewrite after a change of policies/*.csv, and then review the difference:
# ./dev run python -m policies.diff > tests/policies/golden_sentences.txt
"""


class Moved(NamedTuple):
    """A cell in which two editions differ.

    Attributes:
        opened: how many situations went from no to yes; ``when_opened`` says which.
        closed: how many went from yes to no; ``when_closed`` says which.

    """

    role: str
    kind: str
    verb: str
    opened: int
    closed: int
    when_opened: str
    when_closed: str


def sentences(edition: Edition) -> str:
    """What each role may do to each kind and when, roles with one condition in one sentence."""
    return _HEAD + "".join(f"{line}\n" for line in _lines(edition))


def moved(before: Edition, after: Edition) -> tuple[Moved, ...]:
    """The cells in which the answers differ, with the situations in which they do.

    Raises:
        ValueError: the two editions do not speak the same vocabulary.

    """
    if before.book.vocabulary != after.book.vocabulary:
        message = "editions with different vocabularies cannot be compared entry by entry"
        raise ValueError(message)
    found: list[Moved] = []
    for kind, words in before.book.vocabulary.kinds.items():
        for verb in words.verbs:
            for role in before.book.vocabulary.roles:
                cell = (role, kind, verb.name)
                if before.book.rows_for(*cell) != after.book.rows_for(*cell):
                    found += _moved(before, after, cell)
    return tuple(found)


def only_removes(moves: tuple[Moved, ...]) -> bool:
    """Whether no situation went from no to yes, so that the change may act at once."""
    return not any(move.opened for move in moves)


def _moved(before: Edition, after: Edition, cell: tuple[str, str, str]) -> Iterator[Moved]:
    facts = dict((*before.bits(*cell), *after.bits(*cell)))
    opened: list[int] = []
    closed: list[int] = []
    for mask in subsets(facts.values()):
        was, now = before.ask(*cell, mask), after.ask(*cell, mask)
        if was.allowed != now.allowed:
            (opened if now else closed).append(mask)
    if opened or closed:
        said = [
            spelled(minimise(masks, facts.values()), before.book.bits) for masks in (opened, closed)
        ]
        role, kind, verb = cell
        yield Moved(role, kind, verb, len(opened), len(closed), *said)


def _lines(edition: Edition) -> Iterator[str]:
    roles = edition.book.vocabulary.roles
    for kind, words in edition.book.vocabulary.kinds.items():
        yield ""
        for verb in words.verbs:
            alike: dict[str, list[str]] = {}
            for role in roles:
                terms = edition.condition(role, kind, verb.name)
                said = _said(edition, terms) if terms else ""
                alike.setdefault(said, []).append(role)
            never = alike.pop("", [])
            for said, those in alike.items():
                yield f"{', '.join(those)} may {verb.name} {kind}: {said}"
            yield f"    never {verb.name} {kind}: {', '.join(never) or '-'}"


def _said(edition: Edition, terms: tuple[Term, ...]) -> str:
    """The condition, with what goes without saying left out where it does hold."""
    without, even_if = terms, ""
    for name in STANDING:
        bit = edition.book.bits[name]
        if all(care & bit and not value & bit for care, value in terms):
            without = tuple((care & ~bit, value) for care, value in without)
        else:
            even_if += f", even if {name}"
    return spelled(without, edition.book.bits) + even_if


if __name__ == "__main__":
    shipped = RuleBook.load(Path(__file__).parent, VOCABULARY)
    sys.stdout.write(sentences(Edition(shipped, 1)))
