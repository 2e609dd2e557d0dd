"""The calendar of working and trading days, from the table of holidays."""

from registry.db.session import fetch_all
from registry.kernel.calendar import Calendar


async def load_calendar() -> Calendar:
    """All days on record; a year is confirmed when none of its days needs confirmation."""
    found = await fetch_all("SELECT day, kind, needs_confirmation FROM holiday")
    unsure = {day["day"].year for day in found if day["needs_confirmation"]}
    return Calendar(
        holidays=frozenset(day["day"] for day in found if day["kind"] == "holiday"),
        make_up_days=frozenset(day["day"] for day in found if day["kind"] == "make_up"),
        confirmed_years=frozenset(day["day"].year for day in found) - unsure,
    )
