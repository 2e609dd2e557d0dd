from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.kernel.errors import Malformed, WrongState
from registry.kernel.identifiers import check_outlet
from registry.kernel.state_machine import transition
from registry.permits.rules import (
    PERMIT_TRANSITIONS,
    PROJECT_TRANSITIONS,
    Medium,
    PermitState,
    ProjectState,
    check_change_is_latest,
    check_change_within_term,
    check_count,
    check_number_holder,
    check_unique,
    outlet_medium,
)
from tests.support.builders import make_credit_code

DAY = date(2022, 6, 7)
DAYS = st.dates(date(2015, 1, 1), date(2035, 1, 1))


@given(st.sampled_from(["DA", "DW"]), st.integers(1, 999))
def test_the_code_of_an_outlet_contains_its_medium(prefix: str, number: int) -> None:
    code = check_outlet(f"{prefix}{number:03}", "code")

    assert outlet_medium(code) is (Medium.AIR if prefix == "DA" else Medium.WATER)


@given(DAYS, DAYS)
def test_a_change_of_a_limit_lies_after_the_newest(effective_from: date, newest: date) -> None:
    assert check_change_is_latest("SO2", effective_from, newest).met == (effective_from > newest)
    assert check_change_is_latest("SO2", effective_from, None).met


@given(DAYS, st.integers(0, 4000), DAYS)
def test_a_change_takes_effect_within_the_permit(first: date, days: int, day: date) -> None:
    last = first + timedelta(days)

    assert check_change_within_term(day, first, last).met == (first <= day <= last)


@pytest.mark.parametrize(
    ("body", "credit_code", "met"),
    [
        (make_credit_code(1), make_credit_code(1), True),
        (make_credit_code(1), make_credit_code(2), False),
        (make_credit_code(1), None, False),
        ("H9130200000000001A", None, True),
        ("H9130200000000001A", make_credit_code(1), False),
    ],
)
def test_a_number_belongs_to_the_code_on_record(
    body: str, credit_code: str | None, *, met: bool
) -> None:
    assert check_number_holder(f"{body}001P", credit_code).met is met


@pytest.mark.parametrize("state", ProjectState)
def test_a_project_is_assessed_as_often_as_need_be(state: ProjectState) -> None:
    assert transition(PROJECT_TRANSITIONS, state, "assess") is ProjectState.ASSESSED


def test_a_life_without_the_step_refuses_it() -> None:
    with pytest.raises(WrongState):
        transition(PROJECT_TRANSITIONS, ProjectState.PLANNED, "revoke")


@given(st.lists(st.sampled_from("abc"), max_size=4))
def test_a_list_names_nothing_twice(words: list[str]) -> None:
    if len(set(words)) == len(words):
        check_unique(words, "words")
    else:
        with pytest.raises(Malformed):
            check_unique(words, "words")


@pytest.mark.parametrize(("number", "allowed"), [(0, False), (1, True), (3, True), (4, False)])
def test_a_list_is_neither_too_short_nor_too_long(number: int, *, allowed: bool) -> None:
    if allowed:
        check_count(["x"] * number, "words", least=1, most=3)
    else:
        with pytest.raises(Malformed):
            check_count(["x"] * number, "words", least=1, most=3)


@given(st.sampled_from(PermitState), st.sampled_from(["change", "revoke"]))
def test_a_permit_takes_only_the_steps_of_its_table(state: PermitState, step: str) -> None:
    if (state, step) in PERMIT_TRANSITIONS:
        assert transition(PERMIT_TRANSITIONS, state, step) is PERMIT_TRANSITIONS[state, step]
    else:
        with pytest.raises(WrongState):
            transition(PERMIT_TRANSITIONS, state, step)
