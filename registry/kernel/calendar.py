"""Working and trading days of China, and where a day ends. Pure: holidays are given."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "+08:00")

_SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days off and the weekends worked that the State Council announced."""

    holidays: frozenset[date]  # Days off, whether or not they fall on a weekend.
    make_up_days: frozenset[date]  # Saturdays and Sundays that are worked in exchange.
    # Working days on which the exchange announced that it does not trade.
    market_closures: frozenset[date] = frozenset()

    def is_working_day(self, day: date) -> bool:
        return day in self.make_up_days or self._is_weekday_at_work(day)

    def is_trading_day(self, day: date) -> bool:
        """Whether it is a trading day (交易日): Monday to Friday, no holiday, no closure.

        The usual rule of exchanges; no source of Hebei was found (K).
        """
        return self._is_weekday_at_work(day) and day not in self.market_closures

    def _is_weekday_at_work(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in self.holidays


def add_working_days(calendar: Calendar, start: date, days: int) -> date:
    """The ``days``-th working day after ``start``, which does not count; 0 answers ``start``.

    Rule: Civil Code, art. 201 (the day a period begins is not counted).
    """
    assert days >= 0, "time limits run forward"
    day = start
    while days:
        day += _DAY
        days -= calendar.is_working_day(day)
    return day


def trading_days_between(calendar: Calendar, start: date, end: date) -> int:
    """The number of trading days after ``start`` up to ``end``; 0 when ``end`` is not later."""
    return sum(
        calendar.is_trading_day(start + _DAY * step) for step in range(1, (end - start).days + 1)
    )


def end_of_day(day: date, ends: time = time.max) -> datetime:
    """The last instant of the day in China; a time limit has passed when the clock shows more."""
    return datetime.combine(day, ends, CHINA)


def day_of(instant: datetime) -> date:
    """The day an instant falls on in China."""
    return instant.astimezone(CHINA).date()
