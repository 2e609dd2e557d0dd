from pathlib import Path

import pytest

from policies.diff import Difference, diff, is_pure_removal, rule_sentences
from policies.engine import Edition
from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY, Vocabulary
from tests.policies.shipped import EDITION, FILES

GOLDEN = Path(__file__).parent / "golden_sentences.txt"


def diff_with(name: str, old: str, new: str) -> Edition:
    assert old in FILES[name]
    text = FILES[name].replace(old, new)
    return Edition(RuleBook.parse({**FILES, name: text}, VOCABULARY), 2)


def test_the_golden_sentences_match_the_rule_book() -> None:
    assert rule_sentences(EDITION) == GOLDEN.read_text("utf-8"), "see the head of the file"


def test_the_same_book_moves_nothing() -> None:
    assert diff(EDITION, EDITION) == ()


def test_a_dropped_condition_is_reported_with_the_situation_it_opens() -> None:
    rule = "province,   approve,     Transfer, cross_city & "
    looser = diff_with("transfers.csv", f"{rule}both_opinions_given & ", rule)

    moves = diff(EDITION, looser)

    assert [(m.role, m.kind, m.verb, m.newly_allowed, m.newly_denied) for m in moves] == [
        ("province", "Transfer", "approve", 1, 0)
    ]
    assert "cross_city and not both_opinions_given and stage_eligible" in moves[0].allowed_when
    assert moves[0].denied_when == "never"
    assert not is_pure_removal(moves)


def test_a_change_that_only_removes_rights_is_proved_to_do_so() -> None:
    stricter = diff_with("certificates.csv", "Certificate, always", "Certificate, published")

    moves = diff(EDITION, stricter)

    assert {m.role for m in moves} == set(VOCABULARY.roles) - {"registry"}
    assert is_pure_removal(moves)
    assert moves[0] == Difference(
        "province",
        "Certificate",
        "view",
        0,
        1,
        "never",
        "not scope_missing and not appointment_lapsed and not published",
    )


def test_a_change_of_groups_moves_cells_too() -> None:
    outside = diff_with("roles.csv", "g, government,  signatory\n", "")

    assert {(m.role, m.kind) for m in diff(EDITION, outside)} == {("government", "Agreement")}


def test_editions_of_two_vocabularies_are_not_compared() -> None:
    facts = {**VOCABULARY.facts, "extra": VOCABULARY.facts["own"]}
    words = Vocabulary(VOCABULARY.roles, VOCABULARY.groups, VOCABULARY.kinds, facts)
    other = Edition(RuleBook.parse(FILES, words), 2)

    with pytest.raises(ValueError, match="vocabularies"):
        diff(EDITION, other)
