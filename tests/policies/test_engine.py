import logging
from importlib import metadata

import pytest
from casbin import Enforcer
from hypothesis import given
from hypothesis import strategies as st

from policies import engine
from policies.dnf import subsets
from policies.engine import Edition
from policies.rulebook import ALLOW
from policies.vocabulary import VOCABULARY, Text
from tests.policies.shipped import BOOK, CELLS, EDITION, entries

LIVELY = tuple(cell for cell in CELLS if EDITION.fact_bits(*cell))


def mask_of(*facts: str) -> int:
    return sum(BOOK.bits[name] for name in facts)


@pytest.mark.parametrize("stride", [29, pytest.param(1, marks=pytest.mark.long)])
def test_an_enforcer_of_a_few_rows_answers_like_the_one_with_all(stride: int) -> None:
    full = engine.build_enforcer(BOOK, BOOK.rules)
    everything = list(entries(EDITION))

    for decision in everything[::stride]:
        answer, _ = full.enforce_ex(decision.role, decision.verb, decision.kind, decision.mask)
        assert answer is decision.allowed


def test_what_no_row_allows_is_refused() -> None:
    for decision in entries(EDITION):
        if not BOOK.rules_for_role(decision.role, decision.kind, decision.verb):
            assert not decision
            assert EDITION.explain(decision) == (decision, "", "", (), ())


def test_every_yes_names_a_row_that_allows_just_that() -> None:
    rows = {row.number: row for row in BOOK.rules}

    for decision in entries(EDITION):
        if decision:
            row = rows[decision.rule]
            assert row.effect == ALLOW
            assert row.is_effective(decision.mask)
            assert (row.kind, row.verb) == (decision.kind, decision.verb)
            assert row.role in BOOK.groups[decision.role]


def test_a_casbin_denial_allows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Enforcer, "enforce_ex", lambda *_: (False, []))

    assert not any(entries(Edition(BOOK, 2)))


def test_a_casbin_that_fails_allows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Enforcer, "enforce_ex", fail)

    assert not any(entries(Edition(BOOK, 2)))


@pytest.mark.parametrize(
    "answer",
    [
        (1, ["T-12"]),
        ("yes", ["T-12"]),
        (True, []),
        (True, ["N-01"]),
        (True, ["Z-99"]),
        (True, ["T-26"]),
        True,
        None,
    ],
)
def test_only_a_clean_yes_of_an_allowing_row_counts(
    monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    monkeypatch.setattr(Enforcer, "enforce_ex", lambda *_: answer)

    decision = Edition(BOOK, 2).evaluate("city", "Transfer", "approve", 0)

    assert decision.allowed is False


def test_after_tabulation_casbin_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    edition = Edition(BOOK, 3)
    known = edition.build_tables()
    calls: list[object] = []
    monkeypatch.setattr(Enforcer, "enforce_ex", lambda *request: calls.append(request))

    assert sum(1 for _ in entries(edition)) == known
    for cell in CELLS:
        edition.condition(*cell)
    assert calls == []


def test_facts_that_do_not_matter_change_nothing_and_fill_no_table() -> None:
    edition = Edition(BOOK, 5)
    relevant = mask_of("may_approve", "same_city", "seller_city_own", "stage_eligible")

    decision = edition.evaluate(
        "city", "Transfer", "approve", relevant | mask_of("published", "self")
    )

    assert decision is edition.evaluate("city", "Transfer", "approve", relevant)
    assert decision.allowed
    assert (decision.rule, decision.mask, decision.edition) == ("T-12", relevant, 5)


def test_facts_about_the_viewer_come_first() -> None:
    for cell in CELLS:
        order = [not VOCABULARY.facts[name].viewer_only for name, _ in EDITION.fact_bits(*cell)]
        assert order == sorted(order)


@pytest.mark.parametrize(
    "cell", [("mayor", "Transfer", "view"), ("city", "Auction", "view"), ("city", "Permit", "sing")]
)
def test_a_question_outside_the_vocabulary_is_a_bug(cell: tuple[str, str, str]) -> None:
    with pytest.raises(KeyError):
        EDITION.evaluate(*cell, 0)


@given(st.sampled_from(LIVELY), st.data())
def test_the_residual_condition_equals_single_evaluations(
    cell: tuple[str, str, str], data: st.DataObject
) -> None:
    names = [name for name, _ in EDITION.fact_bits(*cell)]
    free = tuple(data.draw(st.lists(st.sampled_from([*names, "beginning"]), unique=True)))
    fixed = data.draw(st.sampled_from(subsets(BOOK.bits[n] for n in names if n not in free)))

    terms = EDITION.residual_condition(*cell, fixed, free)

    for true in range(1 << len(free)):
        mask = fixed | mask_of(*(name for place, name in enumerate(free) if true >> place & 1))
        said = any(true & care == value for care, value in terms)
        assert said is EDITION.evaluate(*cell, mask).allowed


def test_a_prohibition_is_explained_by_its_facts() -> None:
    facts = ("may_approve", "same_city", "seller_city_own", "stage_eligible", "submitter")

    reasons = EDITION.explain(EDITION.evaluate("city", "Transfer", "approve", mask_of(*facts)))

    assert reasons.rule == "N-03"
    assert reasons.legal_basis.startswith("submitters do not approve their own submission")
    assert reasons.reasons == (VOCABULARY.facts["submitter"].when_true,)
    assert reasons.near_misses == ()


def test_a_missing_right_to_approve_is_explained_as_missing() -> None:
    facts = ("same_city", "seller_city_own", "stage_eligible")

    reasons = EDITION.explain(EDITION.evaluate("city", "Transfer", "approve", mask_of(*facts)))

    assert reasons.reasons == (VOCABULARY.facts["may_approve"].when_false,)


def test_silence_is_explained_by_the_rows_that_came_nearest() -> None:
    facts = ("may_approve", "cross_city", "buyer_city_own", "stage_eligible", "own_opinion_given")

    reasons = EDITION.explain(EDITION.evaluate("city", "Transfer", "opine", mask_of(*facts)))

    assert reasons.rule == ""
    assert [miss.rule for miss in reasons.near_misses] == ["T-15", "T-14"]
    nearest = reasons.near_misses[0]
    assert nearest.missing == ()
    assert nearest.blocking == (VOCABULARY.facts["own_opinion_given"].when_true,)


def test_a_yes_is_explained_by_the_facts_of_its_row() -> None:
    reasons = EDITION.explain(
        EDITION.evaluate("enterprise", "Transfer", "view", mask_of("own_sale"))
    )

    assert reasons.rule == "T-20"
    assert reasons.reasons == (VOCABULARY.facts["own_sale"].when_true,)


def test_at_most_the_wanted_number_of_near_misses_is_returned() -> None:
    decision = EDITION.evaluate("centre", "Organisation", "change", mask_of("may_initiate"))

    assert len(EDITION.explain(decision, limit=1).near_misses) == 1


def test_what_a_role_can_ever_do_is_listed_with_its_condition() -> None:
    possible = EDITION.permissions("auditor", "Transfer")

    assert [p.verb for p in possible] == ["view", "view_price"]
    assert possible[1].condition == "not scope_missing and not appointment_lapsed and stage_final"
    assert EDITION.permissions("public", "Certificate")[0].text != Text("", "")
    assert EDITION.permissions("public", "Transfer") == ()


def test_the_registry_itself_views_without_conditions() -> None:
    (view,) = [p for p in EDITION.permissions("registry", "Transfer") if p.verb == "view"]

    assert (view.condition, view.text) == ("always", Text("always", "始终"))


def test_two_distributions_of_casbin_stop_the_policy_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        engine, "packages_distributions", lambda: {"casbin": ["casbin", "pycasbin"]}
    )
    engine._check_single_casbin.cache_clear()

    with pytest.raises(RuntimeError, match="one distribution"):
        Edition(BOOK, 6)

    monkeypatch.undo()
    engine._check_single_casbin.cache_clear()
    assert set(metadata.packages_distributions()["casbin"]) == {"pycasbin"}
    Edition(BOOK, 6)


def test_casbin_keeps_quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    Edition(BOOK, 7).evaluate("public", "Transfer", "settle", 0)

    assert caplog.records == []
