"""The reference data of this process: one version, loaded whole, kept until another one is seen.

Every transaction that decides reads the version's name first, with the access epoch. Each change of
a reference table gives it another name, so cached rows are those that the transaction would read.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from registry.db.session import fetch_one
from registry.kernel.calendar import Calendar
from registry.reference.divisions import DivisionTable
from registry.reference.parameters import Parameter, ParameterTable, parameter_from_json
from registry.reference.pollutants import PollutantTable

# One statement, so that the rows are those of the version.
_REFERENCE_SQL = """
    SELECT reference_version,
        (SELECT coalesce(json_agg(to_json(p)), '[]') FROM parameter_figure p) AS parameters,
        (SELECT coalesce(json_agg(to_json(h)), '[]') FROM holiday h) AS holidays,
        (SELECT coalesce(json_agg(to_json(d)), '[]') FROM division d) AS divisions,
        (SELECT coalesce(json_agg(to_json(q)), '[]') FROM pollutant q) AS pollutants
    FROM access_epoch
"""


@dataclass(frozen=True, slots=True)
class ReferenceData:
    """The tables of the regulation that commands decide by."""

    version: UUID
    calendar: Calendar
    divisions: DivisionTable
    parameters: ParameterTable
    pollutants: PollutantTable


_cached: list[ReferenceData] = []
"""The one version that is kept."""


class _Active:
    """Whether figures marked as demonstration decide in this process."""

    demo_figures = False


def use_demo_figures(*, decide: bool) -> None:
    """Let figures marked as demonstration decide from now on; otherwise they count as unknown."""
    _Active.demo_figures = decide
    _cached.clear()


async def load_reference(version: UUID) -> ReferenceData:
    """The reference data of a version that this transaction read, or of a newer one."""
    if not _cached or _cached[0].version != version:
        _cached[:] = [await _load()]
    return _cached[0]


async def _load() -> ReferenceData:
    row: dict[str, Any] | None = await fetch_one(_REFERENCE_SQL)
    assert row is not None, "the epoch is one row"
    divisions = DivisionTable(json.loads(row["divisions"]))
    return ReferenceData(
        version=row["reference_version"],
        calendar=_calendar(json.loads(row["holidays"])),
        divisions=divisions,
        parameters=ParameterTable(_figures(json.loads(row["parameters"])), divisions.cities()),
        pollutants=PollutantTable(json.loads(row["pollutants"])),
    )


def _figures(rows: list[dict[str, Any]]) -> Iterator[Parameter]:
    for row in rows:
        counts = _Active.demo_figures or not row["demo"]
        yield parameter_from_json(row if counts else row | {"value": None})


def _calendar(days: list[dict[str, Any]]) -> Calendar:
    holidays, make_up_days, market_closures = (
        frozenset(date.fromisoformat(day["day"]) for day in days if day["kind"] == kind)
        for kind in ("holiday", "make_up", "market_closure")
    )
    return Calendar(holidays, make_up_days, market_closures)
