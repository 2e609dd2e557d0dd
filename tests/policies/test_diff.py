from pathlib import Path

import pytest

from policies.diff import Moved, moved, only_removes, sentences
from policies.engine import Edition
from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY, Vocabulary
from tests.policies.shipped import EDITION, FILES

GOLDEN = Path(__file__).parent / "golden_sentences.txt"


def changed(name: str, old: str, new: str) -> Edition:
    assert old in FILES[name]
    text = FILES[name].replace(old, new)
    return Edition(RuleBook.of({**FILES, name: text}, VOCABULARY), 2)


def test_the_golden_sentences_are_what_the_rule_book_says() -> None:
    assert sentences(EDITION) == GOLDEN.read_text("utf-8"), "see the head of the file"


def test_the_same_book_moves_nothing() -> None:
    assert moved(EDITION, EDITION) == ()


def test_a_dropped_condition_is_reported_with_the_situation_it_opens() -> None:
    rule = "province,   approve,     Transfer, cross_city & "
    looser = changed("transfers.csv", f"{rule}both_opinions_given & ", rule)

    moves = moved(EDITION, looser)

    assert [(m.role, m.kind, m.verb, m.opened, m.closed) for m in moves] == [
        ("province", "Transfer", "approve", 1, 0)
    ]
    assert "cross_city and not both_opinions_given and stage_eligible" in moves[0].when_opened
    assert moves[0].when_closed == "never"
    assert not only_removes(moves)


def test_a_change_that_only_removes_rights_is_proved_to_do_so() -> None:
    stricter = changed("certificates.csv", "Certificate, always", "Certificate, published")

    moves = moved(EDITION, stricter)

    assert {m.role for m in moves} == set(VOCABULARY.roles) - {"registry"}
    assert only_removes(moves)
    assert moves[0] == Moved(
        "province",
        "Certificate",
        "view",
        0,
        1,
        "never",
        "not scope_missing and not appointment_lapsed and not published",
    )


def test_a_change_of_groups_moves_cells_too() -> None:
    outside = changed("roles.csv", "g, government,  signatory\n", "")

    assert {(m.role, m.kind) for m in moved(EDITION, outside)} == {("government", "Agreement")}


def test_editions_of_two_vocabularies_are_not_compared() -> None:
    facts = {**VOCABULARY.facts, "extra": VOCABULARY.facts["own"]}
    words = Vocabulary(VOCABULARY.roles, VOCABULARY.groups, VOCABULARY.kinds, facts)
    other = Edition(RuleBook.of(FILES, words), 2)

    with pytest.raises(ValueError, match="vocabularies"):
        moved(EDITION, other)
