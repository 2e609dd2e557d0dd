"""Pollutants as other concepts need them: their medium, and how they are counted. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from policies.vocabulary import Text
from registry.kernel.errors import Malformed


@dataclass(frozen=True, slots=True)
class PollutantSpec:
    """How a pollutant is counted: one ``unit`` is ``10 ** scale`` base units."""

    code: str
    name: Text
    medium: str
    unit: str
    scale: int


class PollutantTable:
    """All pollutants."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._pollutants = {
            row["code"]: PollutantSpec(
                row["code"],
                Text(row["name_en"], row["name_zh"]),
                row["medium"],
                row["unit"],
                row["scale"],
            )
            for row in rows
        }

    def require(self, code: str, *, field: str = "pollutant") -> PollutantSpec:
        if code not in self._pollutants:
            raise Malformed(field, f"There is no pollutant {code!r}.", f"不存在污染物“{code}”。")
        return self._pollutants[code]
