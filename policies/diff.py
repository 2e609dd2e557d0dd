"""Rule books for people: golden sentences of one edition, and what moves between two.

``python -m policies.diff`` prints the sentences of the shipped rule book.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from policies.dnf import Conjunction, format_dnf, minimise_dnf, subsets
from policies.engine import Edition
from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY, Vocabulary
from policies.word_types import Duty

IMPLICIT_FACTS = ("scope_missing", "appointment_lapsed")
"""Nearly every sentence ends with «and not» these two; it is said once, at the top."""

_HEAD = """\
# Permissions of each role, read from the truth tables. Every sentence holds only for a client that
# has the scope and an appointment that is in force, unless it ends with «even if».
# To rewrite after a change of policies/*.csv, and then review the difference:
# ./dev run python -m policies.diff > tests/policies/golden_sentences.txt
"""


class Difference(NamedTuple):
    """A cell in which two editions differ.

    Attributes:
        newly_allowed: how many situations went from no to yes; ``allowed_when`` says which.
        newly_denied: how many went from yes to no; ``denied_when`` says which.

    """

    role: str
    kind: str
    verb: str
    newly_allowed: int
    newly_denied: int
    allowed_when: str
    denied_when: str


def rule_sentences(edition: Edition) -> str:
    """Permissions of each role on each kind; roles with one condition share a sentence."""
    lines = (*_duty_lines(edition.book.vocabulary), *_sentence_lines(edition))
    return _HEAD + "".join(f"{line}\n" for line in lines)


def diff(before: Edition, after: Edition) -> tuple[Difference, ...]:
    """The cells in which the answers differ, with the situations in which they do.

    Raises:
        ValueError: the two editions do not speak the same vocabulary.

    """
    if before.book.vocabulary != after.book.vocabulary:
        message = "editions with different vocabularies cannot be compared entry by entry"
        raise ValueError(message)
    found: list[Difference] = []
    for kind, words in before.book.vocabulary.kinds.items():
        for verb in words.verbs:
            for role in before.book.vocabulary.roles:
                cell = (role, kind, verb.name)
                if before.book.rules_for_role(*cell) != after.book.rules_for_role(*cell):
                    found += _diff_cell(before, after, cell)
    return tuple(found)


def is_pure_removal(differences: tuple[Difference, ...]) -> bool:
    """Whether no situation went from no to yes, so that the change may act at once."""
    return not any(move.newly_allowed for move in differences)


def _diff_cell(before: Edition, after: Edition, cell: tuple[str, str, str]) -> Iterator[Difference]:
    facts = dict((*before.fact_bits(*cell), *after.fact_bits(*cell)))
    newly_allowed: list[int] = []
    newly_denied: list[int] = []
    for mask in subsets(facts.values()):
        was, now = before.evaluate(*cell, mask), after.evaluate(*cell, mask)
        if was.allowed != now.allowed:
            (newly_allowed if now else newly_denied).append(mask)
    if newly_allowed or newly_denied:
        said = [
            format_dnf(minimise_dnf(masks, facts.values()), before.book.bits)
            for masks in (newly_allowed, newly_denied)
        ]
        role, kind, verb = cell
        yield Difference(role, kind, verb, len(newly_allowed), len(newly_denied), *said)


def _duty_lines(vocabulary: Vocabulary) -> Iterator[str]:
    """The verbs of each duty, which rules name together, as ``@initiate``."""
    yield ""
    for duty in Duty:
        yield f"Needs the right to {duty}: {', '.join(vocabulary.verbs_with(duty))}"


def _sentence_lines(edition: Edition) -> Iterator[str]:
    roles = edition.book.vocabulary.roles
    for kind, words in edition.book.vocabulary.kinds.items():
        yield ""
        for verb in words.verbs:
            alike: dict[str, list[str]] = {}
            for role in roles:
                terms = edition.condition(role, kind, verb.name)
                said = _condition_text(edition, terms) if terms else ""
                alike.setdefault(said, []).append(role)
            never = alike.pop("", [])
            for said, those in alike.items():
                yield f"{', '.join(those)} may {verb.name} {kind}: {said}"
            yield f"    never {verb.name} {kind}: {', '.join(never) or '-'}"


def _condition_text(edition: Edition, terms: tuple[Conjunction, ...]) -> str:
    """The condition, with what goes without saying left out where it does hold."""
    without, even_if = terms, ""
    for name in IMPLICIT_FACTS:
        bit = edition.book.bits[name]
        if all(care & bit and not value & bit for care, value in terms):
            without = tuple((care & ~bit, value) for care, value in without)
        else:
            even_if += f", even if {name}"
    return format_dnf(without, edition.book.bits) + even_if


if __name__ == "__main__":
    shipped = RuleBook.load(Path(__file__).parent, VOCABULARY)
    sys.stdout.write(rule_sentences(Edition(shipped, 1)))
