from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.kernel.errors import Malformed, WrongState
from registry.kernel.identifiers import check_outlet
from registry.kernel.quantities import Period
from registry.kernel.state_machine import advance
from registry.permits.rules import (
    PROJECT_LIFE,
    Medium,
    ProjectState,
    ProjectStep,
    change_is_later,
    change_is_within,
    check_number,
    check_once,
    day_before,
    is_in_force,
    number_is_the_holders,
    outlet_medium,
)
from tests.support.builders import a_credit_code

DAY = date(2022, 6, 7)
DAYS = st.dates(date(2015, 1, 1), date(2035, 1, 1))


@given(st.sampled_from(["DA", "DW"]), st.integers(1, 999))
def test_the_code_of_an_outlet_says_its_medium(prefix: str, number: int) -> None:
    code = check_outlet(f"{prefix}{number:03}", "code")

    assert outlet_medium(code) is (Medium.AIR if prefix == "DA" else Medium.WATER)


@given(DAYS, DAYS)
def test_a_change_of_a_limit_lies_after_the_newest(effective_from: date, newest: date) -> None:
    assert change_is_later("SO2", effective_from, newest).met == (effective_from > newest)
    assert change_is_later("SO2", effective_from, None).met


@given(DAYS, st.integers(0, 4000), DAYS)
def test_a_change_takes_effect_within_the_permit(first: date, days: int, day: date) -> None:
    last = first + timedelta(days)

    assert change_is_within(day, first, last).met == (first <= day <= last)


@given(DAYS, st.integers(0, 4000), st.one_of(st.none(), DAYS), DAYS)
def test_a_revoked_permit_is_in_force_until_the_day_before(
    first: date, days: int, revoked_on: date | None, day: date
) -> None:
    period = Period(first, first + timedelta(days))

    in_force = is_in_force(period, revoked_on, day)

    assert in_force == (period.holds(day) and (revoked_on is None or day <= day_before(revoked_on)))


@pytest.mark.parametrize(
    ("body", "credit_code", "met"),
    [
        (a_credit_code(1), a_credit_code(1), True),
        (a_credit_code(1), a_credit_code(2), False),
        (a_credit_code(1), None, False),
        ("H9130200000000001A", None, True),
        ("H9130200000000001A", a_credit_code(1), False),
    ],
)
def test_a_number_belongs_to_the_code_on_record(
    body: str, credit_code: str | None, *, met: bool
) -> None:
    assert number_is_the_holders(f"{body}001P", credit_code).met is met


@pytest.mark.parametrize("state", ProjectState)
def test_a_project_is_assessed_as_often_as_need_be(state: ProjectState) -> None:
    assert advance(PROJECT_LIFE, state, ProjectStep.ASSESS) is ProjectState.ASSESSED


def test_a_life_without_the_step_refuses_it() -> None:
    with pytest.raises(WrongState):
        advance({}, ProjectState.PLANNED, ProjectStep.ASSESS)


@given(st.lists(st.sampled_from("abc"), max_size=4))
def test_a_list_names_nothing_twice(words: list[str]) -> None:
    if len(set(words)) == len(words):
        check_once(words, "words")
    else:
        with pytest.raises(Malformed):
            check_once(words, "words")


@pytest.mark.parametrize(("number", "allowed"), [(0, False), (1, True), (3, True), (4, False)])
def test_a_list_is_neither_too_short_nor_too_long(number: int, *, allowed: bool) -> None:
    if allowed:
        check_number(["x"] * number, "words", least=1, most=3)
    else:
        with pytest.raises(Malformed):
            check_number(["x"] * number, "words", least=1, most=3)
