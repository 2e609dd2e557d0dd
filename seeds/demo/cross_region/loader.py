"""A registry of March 2026, with transfers across cities; it has its own database.

Organisations and officers are those of the founding day, registered in January 2026.
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
"""The organisations of the founding day that this registry has, beside the province."""

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
    """Steps of the founding day, in their order, with the same time between them."""
    steps = read_steps(FOUNDING, (*PARTY_TABLES, PERMITS))
    organisations = {step.id for step in steps if step.operation.name == "register_organisation"}
    kept = without_rows(steps, (organisations - INCLUDED_ORGANISATIONS) | _EXCLUDED_ROWS)
    shift = STARTS_AT - kept[0].at
    for step in kept:
        yield replace(step, at=step.at + shift)


def cross_region_steps() -> tuple[ScenarioStep, ...]:
    """The steps until the morning of 2 March 2026, in their order.

    Raises:
        CsvError: see ``read_steps``.

    """
    return read_steps(FOLDER, _TABLES, after=_founding_day_steps())


async def load_cross_region(
    owner_url: str, *, progress: ProgressCallback | None = None
) -> LoadReport:
    """The registry on 2 March 2026 at 10:00; see ``load_scenario``.

    One transfer across cities is settled, another waits for the buyer's acceptance. The base
    prices after 2025 are demonstration data; `parameters.csv` marks them so.
    """
    return await load_scenario(
        Scenario("cross-region", cross_region_steps(), ENDS_AT), owner_url, progress=progress
    )
