"""A registry of March 2026, when rights had come to pass between cities; on its own database.

The bodies and officers are those of the founding day, registered anew in January 2026.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from seeds.demo.loader import LoadReport, ProgressCallback, Scenario, load_scenario
from seeds.demo.scenario_columns import (
    APPOINTMENTS,
    ASSESSMENTS,
    COUNTERSIGNATURES,
    HOLDINGS,
    ORGANISATIONS,
    PARTY_TABLES,
    PEOPLE,
    PERMITS,
    TRANSFER_STEPS,
    TRANSFERS,
)
from seeds.demo.scenario_columns import FOLDER as FOUNDING
from seeds.demo.scenario_csv import ScenarioStep, parse_minute, read_steps, without_rows

FOLDER = Path(__file__).parent
STARTS_AT = parse_minute("2026-01-05 09:00")
ENDS_AT = parse_minute("2026-03-02 10:00")

INCLUDED_ORGANISATIONS = {
    "centre",
    "langfang",
    "tangshan",
    "enterprise-5",
    "enterprise-6",
    "auditor",
    "portal",
}
"""The bodies of the founding day that this registry knows, beside the province."""

_EXCLUDED_ROWS = {"demo-langfang-lapsed"}
_TABLES = (
    ORGANISATIONS,
    PEOPLE,
    APPOINTMENTS,
    COUNTERSIGNATURES,
    ASSESSMENTS,
    HOLDINGS,
    TRANSFERS,
    TRANSFER_STEPS,
)


def _founding_day_steps() -> Iterator[ScenarioStep]:
    """Rows of the founding day, in their order, as many days apart as they were."""
    acts = read_steps(FOUNDING, (*PARTY_TABLES, PERMITS))
    bodies = {act.id for act in acts if act.operation.name == "register_organisation"}
    kept = without_rows(acts, (bodies - INCLUDED_ORGANISATIONS) | _EXCLUDED_ROWS)
    shift = STARTS_AT - kept[0].at
    for act in kept:
        yield replace(act, at=act.at + shift)


def cross_region_steps() -> tuple[ScenarioStep, ...]:
    """The steps until the morning of 2 March 2026, in order.

    Raises:
        SheetRefused: see ``read_acts``.

    """
    return read_steps(FOLDER, _TABLES, after=_founding_day_steps())


async def load_cross_region(
    owner_url: str, *, progress: ProgressCallback | None = None
) -> LoadReport:
    """The registry as it stood on 2 March 2026 at ten; see ``founding_day.load.load``.

    One transfer across cities is settled, another waits for the buyer's acceptance. The base
    prices after 2025 are demonstration data, as the table of parameters says.
    """
    return await load_scenario(
        Scenario("cross-region", cross_region_steps(), ENDS_AT), owner_url, progress=progress
    )
