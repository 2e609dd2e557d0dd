"""A registry of March 2026, when rights had come to pass between cities; on its own database.

The bodies and officers are those of the founding day, registered anew in January 2026.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from seeds.demo.loader import Loaded, Progress, Story, load
from seeds.demo.scenario_columns import (
    APPOINTMENTS,
    ASSESSMENTS,
    COUNTERSIGNATURES,
    HOLDINGS,
    ORGANISATIONS,
    PARTIES,
    PEOPLE,
    PERMITS,
    STEPS,
    TRANSFERS,
)
from seeds.demo.scenario_columns import FOLDER as FOUNDING
from seeds.demo.scenario_csv import Act, moment, read_acts, without

FOLDER = Path(__file__).parent
BEGINS = moment("2026-01-05 09:00")
ENDS = moment("2026-03-02 10:00")

TAKEN_OVER = {
    "centre",
    "langfang",
    "tangshan",
    "enterprise-5",
    "enterprise-6",
    "auditor",
    "portal",
}
"""The bodies of the founding day that this registry knows, beside the province."""

_LEFT_BEHIND = {"demo-langfang-lapsed"}
_OWN = (
    ORGANISATIONS,
    PEOPLE,
    APPOINTMENTS,
    COUNTERSIGNATURES,
    ASSESSMENTS,
    HOLDINGS,
    TRANSFERS,
    STEPS,
)


def _taken_over() -> Iterator[Act]:
    """Rows of the founding day, in their order, as many days apart as they were."""
    acts = read_acts(FOUNDING, (*PARTIES, PERMITS))
    bodies = {act.id for act in acts if act.operation.name == "register_organisation"}
    kept = without(acts, (bodies - TAKEN_OVER) | _LEFT_BEHIND)
    shift = BEGINS - kept[0].at
    for act in kept:
        yield replace(act, at=act.at + shift)


def cross_region_acts() -> tuple[Act, ...]:
    """What happened until the morning of 2 March 2026, in its order.

    Raises:
        SheetRefused: see ``read_acts``.

    """
    return read_acts(FOLDER, _OWN, after=_taken_over())


async def load_cross_region(owner_url: str, *, progress: Progress | None = None) -> Loaded:
    """The registry as it stood on 2 March 2026 at ten; see ``founding_day.load.load``.

    One transfer across cities is settled, another waits for the buyer's acceptance. The base
    prices after 2025 are demonstration data, as the table of parameters says.
    """
    return await load(
        Story("cross-region", cross_region_acts(), ENDS), owner_url, progress=progress
    )
