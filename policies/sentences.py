"""The rule book as sentences for people.

``python -m policies.sentences`` prints the sentences of the shipped rule book.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from policies.dnf import Conjunction, format_dnf
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
# ./dev run python -m policies.sentences > tests/policies/golden_sentences.txt
"""


def rule_sentences(edition: Edition) -> str:
    """Permissions of each role on each kind; roles with one condition share a sentence."""
    lines = (*_duty_lines(edition.book.vocabulary), *_sentence_lines(edition))
    return _HEAD + "".join(f"{line}\n" for line in lines)


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
