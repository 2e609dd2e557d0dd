"""The closed lists of words that a rule may use: roles, kinds of object, verbs, facts.

A word that is not here cannot be written in the rule book; the loader refuses the whole book. Each
concept has a module of its words. The ``facts.py`` of a concept says what a fact means for a
record.
"""

from policies.vocabulary import agreements, ledger, parties, permits, shared, transfers
from policies.vocabulary.roles import GROUPS, ROLES
from policies.word_types import FactSpec, KindSpec, Text, Verb, Vocabulary

__all__ = [
    "EXCLUSIVE",
    "FACTS",
    "GROUPS",
    "IMPLIED_BY",
    "KINDS",
    "ROLES",
    "VOCABULARY",
    "FactSpec",
    "KindSpec",
    "Text",
    "Verb",
    "Vocabulary",
]

_CONCEPTS = tuple(
    concept.WORDS for concept in (shared, parties, ledger, permits, transfers, agreements)
)

KINDS: dict[str, KindSpec] = {
    name: kind for words in _CONCEPTS for name, kind in words.kinds.items()
}

FACTS: dict[str, FactSpec] = {
    name: fact for words in _CONCEPTS for name, fact in words.facts.items()
}

EXCLUSIVE: tuple[frozenset[str], ...] = (
    frozenset(
        name for name in FACTS if name.startswith("stage_") and name != "stage_before_contract"
    ),
    *(facts for words in _CONCEPTS for facts in words.exclusive),
)

IMPLIED_BY: dict[str, str] = {
    name: other for words in _CONCEPTS for name, other in words.implied_by.items()
}
"""Facts about a viewer that are true of every viewer concerned where another fact is true."""

VOCABULARY = Vocabulary(ROLES, GROUPS, KINDS, FACTS, EXCLUSIVE)
