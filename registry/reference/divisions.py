"""Divisions as other concepts need them: whether a code exists, and the city it is in. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from policies.vocabulary import Text
from registry.kernel.errors import Malformed
from registry.kernel.identifiers import check_division


@dataclass(frozen=True, slots=True)
class ResolvedDivision:
    """A division that exists on a day."""

    code: str  # Six digits.
    level: str  # ``province``, ``city`` or ``county``.
    city: str  # The city it belongs to, independent of its prefix; a city's or province's own code.
    county: str  # Its own code if it is a county; empty otherwise.
    name: Text


@dataclass(frozen=True, slots=True)
class _Division:
    resolved: ResolvedDivision
    since: date
    until: date


class DivisionTable:
    """All divisions, also those that exist no more or not yet."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._divisions = {row["code"]: _division_from_json(row) for row in rows}

    def cities(self) -> dict[str, str]:
        return {code: division.resolved.city for code, division in self._divisions.items()}

    def resolve(self, code: str, on: date, *, field: str = "division") -> ResolvedDivision:
        found = self._divisions.get(check_division(code, field))
        if found is None or not found.since <= on <= found.until:
            raise Malformed(
                field, f"There is no division {code} on {on}.", f"{on}不存在行政区划{code}。"
            )
        return found.resolved


def _division_from_json(row: Mapping[str, Any]) -> _Division:
    since, until = row["effective_from"], row["effective_until"]
    resolved = ResolvedDivision(
        code=row["code"],
        level=row["level"],
        city=row["city"],
        county=row["code"] if row["level"] == "county" else "",
        name=Text(row["name_en"], row["name_zh"]),
    )
    return _Division(
        resolved,
        date.fromisoformat(since) if since else date.min,
        date.fromisoformat(until) if until else date.max,
    )
