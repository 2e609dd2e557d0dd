from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.kernel.calendar import (
    CHINA,
    Calendar,
    add_working_days,
    day_of,
    end_of_day,
    trading_days_between,
)

DAYS = st.dates(date(2021, 1, 1), date(2027, 12, 31))
WEEK = timedelta(days=7)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    days = draw(st.frozensets(DAYS, max_size=40))
    worked = draw(st.frozensets(DAYS.filter(lambda day: day.weekday() >= 5), max_size=10))
    return Calendar(days - worked, worked)


CALENDARS = calendars()
COUNTS = st.integers(0, 60)

DRAGON_BOAT_2022 = Calendar(
    holidays=frozenset({date(2022, 6, 3), date(2022, 6, 4), date(2022, 6, 5)}),
    make_up_days=frozenset({date(2022, 5, 7)}),
)


@given(CALENDARS, DAYS, COUNTS)
def test_a_time_limit_ends_on_a_working_day(calendar: Calendar, start: date, days: int) -> None:
    end = add_working_days(calendar, start, days)

    assert end == start if days == 0 else calendar.is_working_day(end)


@given(CALENDARS, DAYS, COUNTS, COUNTS)
def test_adding_twice_is_adding_the_sum(
    calendar: Calendar, start: date, first: int, second: int
) -> None:
    stepwise = add_working_days(calendar, add_working_days(calendar, start, first), second)

    assert stepwise == add_working_days(calendar, start, first + second)


@given(CALENDARS, DAYS, DAYS, DAYS)
def test_days_between_add_up(calendar: Calendar, one: date, two: date, three: date) -> None:
    first, middle, last = sorted((one, two, three))

    assert trading_days_between(calendar, first, last) == trading_days_between(
        calendar, first, middle
    ) + trading_days_between(calendar, middle, last)


@given(CALENDARS, DAYS)
def test_every_trading_day_is_a_working_day(calendar: Calendar, day: date) -> None:
    assert calendar.is_working_day(day) or not calendar.is_trading_day(day)


@given(DAYS, COUNTS)
def test_without_holidays_five_days_are_a_week(start: date, weeks: int) -> None:
    empty = Calendar(frozenset(), frozenset())
    monday = start - timedelta(days=start.weekday())

    assert add_working_days(empty, monday, 5 * weeks) == monday + weeks * WEEK


def test_nothing_lies_between_a_day_and_an_earlier_one() -> None:
    assert trading_days_between(DRAGON_BOAT_2022, date(2022, 6, 7), date(2022, 6, 1)) == 0


def test_the_dragon_boat_festival_is_skipped() -> None:
    assert add_working_days(DRAGON_BOAT_2022, date(2022, 6, 2), 1) == date(2022, 6, 6)


def test_a_worked_saturday_works_and_does_not_trade() -> None:
    friday, saturday, monday = date(2022, 5, 6), date(2022, 5, 7), date(2022, 5, 9)

    assert add_working_days(DRAGON_BOAT_2022, friday, 1) == saturday
    assert trading_days_between(DRAGON_BOAT_2022, friday, saturday) == 0
    assert trading_days_between(DRAGON_BOAT_2022, friday, monday) == 1


def test_a_limit_is_refused_to_run_backwards() -> None:
    with pytest.raises(AssertionError):
        add_working_days(DRAGON_BOAT_2022, date(2022, 6, 7), -1)


def test_a_day_ends_and_begins_at_midnight_in_china() -> None:
    assert end_of_day(date(2022, 6, 7)).isoformat() == "2022-06-07T23:59:59.999999+08:00"
    assert day_of(end_of_day(date(2022, 6, 7)) + timedelta(microseconds=1)) == date(2022, 6, 8)


@given(DAYS)
def test_the_day_of_an_instant_is_the_day_in_china(day: date) -> None:
    assert day_of(end_of_day(day)) == day == day_of(datetime.combine(day, time.min, CHINA))


def test_four_in_the_afternoon_in_greenwich_is_the_next_day_in_china() -> None:
    assert day_of(datetime(2022, 6, 6, 16, 0, tzinfo=UTC)) == date(2022, 6, 7)
