"""The figure of the regulation that holds on a day, and the refusal where nobody knows it."""

from dataclasses import dataclass
from datetime import date

from policies.vocabulary import Text
from registry.db.session import fetch_all, fetch_one
from registry.kernel.errors import Condition, ConditionsUnmet, Malformed
from registry.kernel.quantities import DateRange, parse_money

_DAYS = frozenset({"working_days", "trading_days"})
_COUNTS = frozenset({"percent", "years", "minutes", "count", "megawatts"})
_PRICES = frozenset({"yuan_per_t", "yuan_per_kg"})

# The most specific row wins: first by area (county, city, everywhere), then by pollutant.
_IN_FORCE_SQL = """
    SELECT name, area, pollutant, effective_from, effective_until, value, unit, ground, source,
           demo, needs_confirmation
    FROM parameter
    WHERE name = $1
      AND effective_from <= $2 AND (effective_until IS NULL OR effective_until >= $2)
      AND (area IN ('', $3) OR area = (SELECT city FROM division WHERE code = $3))
      AND pollutant IN ('', $4)
    ORDER BY area = $3 DESC, area <> '' DESC, pollutant <> '' DESC
    LIMIT 1
"""

_ALL_IN_FORCE_SQL = """
    SELECT name, area, pollutant, effective_from, effective_until, value, unit, ground, source,
           demo, needs_confirmation
    FROM parameter
    WHERE effective_from <= $1 AND (effective_until IS NULL OR effective_until >= $1)
    ORDER BY name COLLATE "C", area COLLATE "C", pollutant COLLATE "C"
"""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A figure in force, with everything needed to cite it.

    Attributes:
        area: the division it is for; empty for all.
        pollutant: the pollutant it is for; empty for all.
        value: as written in the table; None where no source gives it.
        unit: what the value counts; each accessor reads the units it names and no other.
        ground: the law, notice or decision it rests on.
        source: where that was read.
        demo: demonstration data, not to be taken for official.
        needs_confirmation: not read, or not read whole.

    """

    name: str
    area: str
    pollutant: str
    period: DateRange
    value: str | None
    unit: str
    ground: str
    source: str
    demo: bool
    needs_confirmation: bool

    @property
    def days(self) -> int:
        """Working days or trading days, as ``unit`` says."""
        return int(self._value_in_units(_DAYS))

    @property
    def number(self) -> int:
        """Percent, years, minutes, megawatts or a plain count."""
        return int(self._value_in_units(_COUNTS))

    @property
    def money_fen(self) -> int:
        """Fen for one tonne or one kilogram, as ``unit`` says."""
        return parse_money(self._value_in_units(_PRICES), field=self.name)

    @property
    def flag(self) -> bool:
        """Whether it is so."""
        return self._value_in_units(frozenset({"flag"})) == "true"

    @property
    def word(self) -> str:
        """One of the words the rule that reads it knows."""
        return self._value_in_units(frozenset({"word"}))

    def _value_in_units(self, units: frozenset[str]) -> str:
        assert self.unit in units, f"{self.name} counts {self.unit}"
        assert self.value is not None, f"{self.name} is unknown"
        return self.value


async def require_parameter(
    name: str, on: date, *, area: str = "", pollutant: str = ""
) -> Parameter:
    """The figure in force on the day; a row for the area and pollutant wins over a general one.

    Args:
        name: name of the parameter, ``acceptance_days``.
        on: day in China.
        area: division code; a county falls back to its city and then to the rows for all.
        pollutant: code of the pollutant; falls back to the rows for all.

    Raises:
        ConditionsUnmet: no row is in force on the day, or the row says that the figure is unknown.

    """
    found = await find_parameter(name, on, area=area, pollutant=pollutant)
    if found is None or found.value is None:
        raise ConditionsUnmet((_unknown_parameter(name, on, area, pollutant),))
    return found


async def find_parameter(
    name: str, on: date, *, area: str = "", pollutant: str = ""
) -> Parameter | None:
    """As ``require_parameter``, but None where no row is in force.

    A figure that is not known has the value None.
    """
    found = await fetch_one(_IN_FORCE_SQL, name, on, area, pollutant)
    return None if found is None else _parameter_from_row(found)


async def load_parameters(on: date) -> list[Parameter]:
    """Every row in force on the day, also of unknown value, by name, area and pollutant."""
    return [_parameter_from_row(found) for found in await fetch_all(_ALL_IN_FORCE_SQL, on)]


async def require_base_price(pollutant: str, on: date, *, area: str = "") -> Parameter:
    """The base price (交易基准价格), which no deal may undercut; ``money_fen`` is for one tonne.

    Raises:
        Malformed: ``pollutant`` is empty; a base price belongs to one.
        ConditionsUnmet: none is known on the day.

    Rule: parameter ``require_base_price``; 冀发改公价〔2020〕1847号 for 2021-2025.

    """
    if not pollutant:
        raise Malformed(
            "pollutant", "A base price belongs to a pollutant.", "基准价格须指定污染物。"
        )
    return await require_parameter("base_price", on, area=area, pollutant=pollutant)


def _parameter_from_row(found: dict[str, object]) -> Parameter:
    period = DateRange(found.pop("effective_from"), found.pop("effective_until"))  # type: ignore[arg-type]  # DATE columns
    return Parameter(period=period, **found)  # type: ignore[arg-type]  # columns and fields have the same types


def _unknown_parameter(name: str, on: date, area: str, pollutant: str) -> Condition:
    scope = " ".join(part for part in (pollutant, area) if part)
    of = f" for {scope}" if scope else ""
    return Condition(
        name="parameter_known",
        met=False,
        message=Text(
            f"No figure of the regulation is known for parameter {name}{of} on {on}.",
            f"参数{name}{f'({scope})' if scope else ''}在{on}没有已知的法定数值。",
        ),
        legal_basis=f"parameter {name}",
        source="parameter",
    )
