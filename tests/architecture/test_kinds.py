"""The facts of the vocabulary are exactly those of the concepts."""

import pytest

from policies.vocabulary import VOCABULARY
from registry.access.authorizer import VIEWER_FACTS
from registry.concepts import CONCEPTS
from tests.policies.shipped import CELLS, EDITION

KINDS = {kind.name: kind for concept in CONCEPTS for kind in concept.kinds}


def test_every_kind_of_the_vocabulary_has_records() -> None:
    assert set(KINDS) == set(VOCABULARY.kinds)


@pytest.mark.parametrize("name", sorted(VOCABULARY.kinds))
def test_a_kind_answers_exactly_the_facts_that_rules_ask_of_it(name: str) -> None:
    asked = {n for r, kind, v in CELLS if kind == name for n, _ in EDITION.fact_bits(r, kind, v)}
    asked -= VIEWER_FACTS.keys()

    assert set(KINDS[name].facts) == asked


def test_the_authorizer_evaluates_every_fact_about_the_viewer() -> None:
    asked = {name for name, words in VOCABULARY.facts.items() if words.viewer_only}

    assert set(VIEWER_FACTS) == asked
