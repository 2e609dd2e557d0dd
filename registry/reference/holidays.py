"""The calendar of working and trading days, from the table of holidays. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from registry.kernel.calendar import Calendar


def calendar_from_json(rows: Iterable[Mapping[str, Any]]) -> Calendar:
    """All days on record; a year is confirmed when none of its days needs confirmation."""
    days = [
        (date.fromisoformat(row["day"]), row["kind"], row["needs_confirmation"]) for row in rows
    ]
    unsure = {day.year for day, _, needs_confirmation in days if needs_confirmation}
    return Calendar(
        holidays=frozenset(day for day, kind, _ in days if kind == "holiday"),
        make_up_days=frozenset(day for day, kind, _ in days if kind == "make_up"),
        confirmed_years=frozenset(day.year for day, _, _ in days) - unsure,
    )
