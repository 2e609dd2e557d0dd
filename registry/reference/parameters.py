"""The figure of the regulation that holds on a day, and the refusal where none is known. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from policies.vocabulary import Text
from registry.kernel.errors import Condition, ConditionsUnmet
from registry.kernel.legal_bases import PARAMETERS
from registry.kernel.quantities import DateRange, parse_money
from registry.kernel.words import chinese_day

_DAYS = frozenset({"working_days", "trading_days"})
_COUNTS = frozenset({"percent", "years", "minutes", "count", "megawatts"})
_PRICES = frozenset({"yuan_per_t", "yuan_per_kg"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A figure in force, with everything needed to cite it."""

    name: str
    area: str  # The division it is for; empty for all.
    pollutant: str  # The pollutant it is for; empty for all.
    period: DateRange
    value: str | None  # As written in the table; None where no source gives it.
    unit: str  # Each accessor reads the units it names and no other.
    legal_basis: Text  # The law, notice or decision it rests on.
    source: str  # Where that was read.
    demo: bool  # Demonstration data, not to be taken for official.
    needs_confirmation: bool  # Not read, or not read whole.

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
    def time_of_day(self) -> time:
        """Hours and minutes in China."""
        return time.fromisoformat(self._value_in_units(frozenset({"time"})))

    @property
    def flag(self) -> bool:
        return self._value_in_units(frozenset({"flag"})) == "true"

    @property
    def word(self) -> str:
        """One of the words the rule that reads it knows."""
        return self._value_in_units(frozenset({"word"}))

    def _value_in_units(self, units: frozenset[str]) -> str:
        assert self.unit in units, f"{self.name} counts {self.unit}"
        assert self.value is not None, f"{self.name} is unknown"
        return self.value


class ParameterTable:
    """All figures, also those of other days and of unknown value."""

    def __init__(self, parameters: Iterable[Parameter], cities: Mapping[str, str]) -> None:
        self._cities = cities
        self._by_name: defaultdict[str, list[Parameter]] = defaultdict(list)
        for parameter in parameters:
            self._by_name[parameter.name].append(parameter)

    def find(self, name: str, on: date, *, area: str = "", pollutant: str = "") -> Parameter | None:
        """As ``require``, but None where no row is in force.

        A figure that is not known has the value None.
        """
        areas = ("", area, self._cities.get(area, ""))
        candidates = [
            row
            for row in self._by_name.get(name, ())
            if row.area in areas and row.pollutant in {"", pollutant} and row.period.contains(on)
        ]
        # The most specific row wins: first by area (county, city, everywhere), then by pollutant.
        return max(
            candidates,
            key=lambda row: (row.area == area, row.area != "", row.pollutant != ""),
            default=None,
        )

    def require(self, name: str, on: date, *, area: str = "", pollutant: str = "") -> Parameter:
        """The figure in force on the day; a row for the area and pollutant wins over a general one.

        Args:
            area: division code; a county falls back to its city and then to the rows for all.
            pollutant: code of the pollutant; falls back to the rows for all.

        Raises:
            ConditionsUnmet: no row is in force on the day, or the figure is recorded as unknown.

        """
        found = self.find(name, on, area=area, pollutant=pollutant)
        if found is None or found.value is None:
            raise ConditionsUnmet((_unknown_parameter(name, on, area, pollutant),))
        return found


_TITLES = {
    "validity_years": Text("validity of a right", "排污权有效年限"),
    "base_price": Text("base price", "交易基准价格"),
    "free_rights_tradable": Text("trade in rights obtained free", "无偿取得排污权可否转让"),
    "cross_region_regime": Text("regime of trade between cities", "跨区域流转制度"),
    "cross_region_wait_trading_days": Text("days of the notice at home", "本市公告交易日数"),
    "receiver_tests": Text("tests of the receiving city", "转入地考核要求"),
    "barred_category_pairs": Text("categories that may not trade", "不得相互交易的污染源类别"),
    "acceptance_days": Text("days to accept", "接受期限"),
    "contract_days": Text("days to sign the contract", "签约期限"),
    "payment_days": Text("days to pay", "付款期限"),
}


def parameter_title(name: str) -> Text:
    """A parameter as conditions cite it."""
    title = _TITLES.get(name, Text(name.replace("_", " "), "法定数值"))
    return Text(f"parameter: {title.en}", f"“{title.zh}”")


def parameter_from_json(row: Mapping[str, Any]) -> Parameter:
    """The parameter of a row that PostgreSQL wrote as JSON."""
    since, until = row["effective_from"], row["effective_until"]
    return Parameter(
        row["name"],
        row["area"],
        row["pollutant"],
        DateRange(date.fromisoformat(since), date.fromisoformat(until) if until else None),
        row["value"],
        row["unit"],
        Text.parse(row["legal_basis"]),
        row["source"],
        row["demo"],
        row["needs_confirmation"],
    )


def _unknown_parameter(name: str, on: date, area: str, pollutant: str) -> Condition:
    scope = " ".join(part for part in (pollutant, area) if part)
    title, of = parameter_title(name), f" ({scope})" if scope else ""
    return Condition(
        name="parameter_known",
        met=False,
        message=Text(
            f"No figure of the regulation is known on {on} for: {title.en}{of}.",
            f"未查得{chinese_day(on)}有效的{title.zh}规定。",
        ),
        legal_basis=title,
        source=PARAMETERS,
    )
