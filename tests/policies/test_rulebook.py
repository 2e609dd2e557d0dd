from dataclasses import replace

import pytest

from policies.rulebook import RuleBook, RuleBookError
from policies.vocabulary import VOCABULARY, KindSpec, Text, Verb
from policies.word_types import Duty
from tests.policies.shipped import BOOK, CELLS, FILES, FOLDER

GOOD = "p, Z-01, allow, city, approve, Transfer, same_city, ground"


def refusals(text: str) -> tuple[str, ...]:
    with pytest.raises(RuleBookError) as refusal:
        RuleBook.parse({**FILES, "zz.csv": text}, VOCABULARY)
    return refusal.value.errors


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("P, Z-01, deny, city, approve, Transfer, always, x", "unknown row type 'P'"),
        ("p2, Z-01, deny, city, approve, Transfer, always, x", "unknown row type 'p2'"),
        ("p, Z-01, allow, city, approve, Transfer, always", "has 7 columns, not 8"),
        ("p, Z-01, allow, city, approve, Transfer, always, x, y", "has 9 columns, not 8"),
        ("p, Z-1, allow, city, approve, Transfer, always, x", "is not of the form"),
        (
            "p, T-01, allow, city, approve, Transfer, always, x",
            "T-01 is taken already at transfers.csv",
        ),
        ("p, Z-01, DENY, city, approve, Transfer, always, x", "effect 'DENY'"),
        ("p, Z-01, allow, mayor, approve, Transfer, always, x", "unknown role 'mayor'"),
        ("p, Z-01, allow, *, approve, Transfer, always, x", "unknown role '*'"),
        ("p, Z-01, allow, city, approve, Transfers, always, x", "unknown kind 'Transfers'"),
        ("p, Z-01, allow, city, aprove, Transfer, always, x", "Transfer knows no verb 'aprove'"),
        ("p, Z-01, allow, city, approve, Permit, always, x", "Permit knows no verb 'approve'"),
        ("p, Z-01, deny, city, aprove, *, always, x", "* knows no verb 'aprove'"),
        ("p, Z-01, allow, city, *, Transfer, always, x", "only a prohibition may say *"),
        ("p, Z-01, allow, city, view, *, always, x", "only a prohibition may say *"),
        ("p, Z-01, allow, city, approve, Transfer, same_cty, x", "unknown fact 'same_cty'"),
        ("p, Z-01, allow, city, approve, Transfer, , x", "unknown fact ''"),
        ("p, Z-01, allow, city, approve, Transfer, own & not own, x", "contradicts itself"),
        ("p, Z-01, allow, city, approve, Transfer, own & own, x", "says own twice"),
        ("p, Z-01, allow, city, approve, Transfer, True) or (True, x", "unknown fact"),
        (
            "p, Z-01, allow, city, approve, Transfer, same_city & cross_city, x",
            "exclude each other",
        ),
        (
            "p, Z-01, allow, city, approve, Transfer, stage_paid & stage_draft, x",
            "exclude each other",
        ),
        ("p, Z-01, allow, city, approve, Transfer, always, ", "gives no legal basis"),
        ("p, Z-01, allow, city, approve, Transfer, always, a\u200bb", "unprintable"),
        ('p, Z-01, allow, city, approve, Transfer, always, "x', "is not CSV"),
        ('p, Z-01, allow, city, approve, Transfer, always, "x" y', "is not CSV"),
        ("g, city, king", "unknown group 'king'"),
        ("g, mayor, authority", "unknown role 'mayor'"),
        ("g, authority, city", "unknown group 'city'"),
        ("g, city, authority", "says twice that city is in authority"),
        ("g, anyone, authority", "in a circle"),
        ("g, anyone, anyone", "in a circle"),
        ("g, city", "has 2 columns, not 3"),
    ],
)
def test_a_malformed_line_refuses_the_book_and_is_named(line: str, complaint: str) -> None:
    errors = refusals(f"# a comment\n{line}")

    assert any(complaint in error for error in errors)
    if "circle" not in complaint:
        assert all(error.startswith("zz.csv:2 ") for error in errors)


def test_all_errors_are_reported_together() -> None:
    errors = refusals("p, Z-01, permit, mayor, approve, Transfer, always, x\ng, city, king")

    assert len(errors) == 3


def test_a_cell_of_twelve_facts_is_refused() -> None:
    extra = "own & inside & party & published & self"
    errors = refusals(f"p, Z-01, allow, city, approve, Transfer, {extra}, x")

    assert errors == ("city approve Transfer depends on 14 facts, more than 11",)


def test_a_book_without_a_permission_is_refused() -> None:
    for files in ({}, {"prohibitions.csv": FILES["prohibitions.csv"]}):
        with pytest.raises(RuleBookError, match="no row allows anything"):
            RuleBook.parse(files, VOCABULARY)


def test_a_quoted_ground_may_carry_commas() -> None:
    book = RuleBook.parse({**FILES, "zz.csv": GOOD.replace(" ground", ' "one, two"')}, VOCABULARY)

    assert next(row.legal_basis for row in book.rules if row.number == "Z-01") == "one, two"


def test_the_digest_is_of_the_rows_and_not_of_their_files() -> None:
    rearranged = {"all.csv": "\n".join(FILES[name] for name in sorted(FILES, reverse=True))}
    changed = {**FILES, "zz.csv": GOOD}

    assert RuleBook.parse(rearranged, VOCABULARY).digest == BOOK.digest
    assert RuleBook.parse(changed, VOCABULARY).digest != BOOK.digest


def test_the_directory_holds_what_is_loaded() -> None:
    assert RuleBook.load(FOLDER, VOCABULARY).digest == RuleBook.parse(FILES, VOCABULARY).digest


def test_every_legal_basis_is_bilingual() -> None:
    for row in BOOK.rules:
        english, bar, chinese = row.legal_basis.partition(" | ")

        assert english.strip()
        assert bar
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)


def test_every_verb_has_a_role_and_every_fact_a_rule() -> None:
    asked = sum({bit for rule in BOOK.rules for bit in BOOK.bits.values() if rule.facts & bit})
    possible = {(kind, verb) for role, kind, verb in CELLS if BOOK.rules_for_role(role, kind, verb)}

    assert BOOK.fact_names(asked) == tuple(VOCABULARY.facts)
    assert possible == {(kind, verb) for _, kind, verb in CELLS}


def test_one_line_prohibits_every_verb_of_a_duty() -> None:
    line = "p, Z-02, deny, person, @approve, *, not may_approve, why | 理由"

    rules = RuleBook.parse({**FILES, "zz.csv": line}, VOCABULARY).rules
    found = {rule.verb: rule.number for rule in rules if rule.number.startswith("Z-02")}

    assert found == {verb: f"Z-02/{verb}" for verb in VOCABULARY.verbs_with(Duty.APPROVE)}
    assert "terminate" in found
    assert "draft" not in found


def test_a_verb_has_one_duty_in_every_kind() -> None:
    approving = Verb("draft", Text("draft", "起草"), duty=Duty.APPROVE)
    kinds = {**VOCABULARY.kinds, "Note": KindSpec(Text("note", "记录"), (approving,))}

    with pytest.raises(ValueError, match="draft"):
        replace(VOCABULARY, kinds=kinds).verbs_with(Duty.INITIATE)
