"""A transfer as its conditions look at it: the facts of one day, of which each declares its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from policies.vocabulary import Text
from registry.kernel.calendar import Calendar, trading_days_between
from registry.kernel.errors import Condition
from registry.reference.parameters import Parameter, ParameterTable


class Need(StrEnum):
    """Facts that are looked up for a condition, beside the case, its right and the parameters."""

    PARTIES = "parties"
    POSITION = "position"
    DEMAND = "demand"
    BASINS = "basins"
    ASSESSMENT = "assessment"
    CITY_CAP = "city_cap"


CROSS_CITY_NEEDS = frozenset({Need.ASSESSMENT, Need.CITY_CAP})
"""Looked up only where seller and buyer are in different cities."""


@dataclass(frozen=True, slots=True)
class PartySnapshot:
    """A side, as far as it decides whether it may trade.

    Attributes:
        is_open: it is registered and not closed.
        is_sanctioned: a sanction is in force, which bars a buyer only.
        is_frozen: a freeze of the whole organisation is in force.
        source_category: industrial, agricultural, ...; empty where it is not recorded.
        thermal_power: a thermal power enterprise or one with a captive plant.

    """

    name: Text
    is_open: bool
    is_sanctioned: bool
    is_frozen: bool
    source_category: str
    thermal_power: bool


@dataclass(frozen=True, slots=True)
class RightSnapshot:
    """The right that is sold.

    Attributes:
        medium: air, water or mixed.
        basin: of what goes into water, where it is known; else empty.
        is_paid: acquired for payment.
        unit: t or kg, of which one is ``10 ** scale`` base units.

    """

    code: str
    pollutant: str
    medium: str
    basin: str
    is_paid: bool
    valid_from: date | None
    valid_until: date | None
    unit: str
    scale: int


@dataclass(frozen=True, slots=True)
class SellerPosition:
    """The units where they are taken from: the escrow account once they are blocked, else holding.

    Attributes:
        quantity: base units.
        is_frozen: a freeze of the organisation, the account or the position is in force.

    """

    quantity: int
    is_frozen: bool


@dataclass(frozen=True, slots=True)
class BuyerDemand:
    """The buyer's need of the right: permits in force and projects that name the pollutant.

    Attributes:
        permits: numbers, which are public.
        has_project: whether a construction project needs it; which one is the buyer's own business.

    """

    permits: tuple[str, ...]
    has_project: bool


@dataclass(frozen=True, slots=True)
class AssessmentSnapshot:
    """How the buyer's city did last year in the right's medium."""

    year: int
    quality_attained: bool
    reduction_task_done: bool
    improvement_target_met: bool
    source: str


@dataclass(frozen=True, slots=True)
class CityTotal:
    """Base units of the right's pollutant that the buyer's city may hold, and holds."""

    cap: int
    held: int


@dataclass(frozen=True)
class TransferSnapshot:
    """The facts of a transfer on one day.

    Attributes:
        as_of: the registry's day in China.
        quantity: base units.
        price_fen: for one unit of the right.
        rights_locked: the units lie in the seller's escrow already, from the first signature on.
        is_cross_city: seller and buyer are in different cities.
        announced_on: day of the notice in the seller's city; None for none.
        facts: those that were needed.

    """

    as_of: date
    right: RightSnapshot
    seller_city: str
    quantity: int
    price_fen: int
    rights_locked: bool
    is_cross_city: bool
    announced_on: date | None
    parameters: ParameterTable
    calendar: Calendar
    facts: Mapping[Need, Any]

    @property
    def seller(self) -> PartySnapshot:
        """The seller."""
        seller: PartySnapshot = self.facts[Need.PARTIES][0]
        return seller

    @property
    def buyer(self) -> PartySnapshot:
        """The buyer."""
        buyer: PartySnapshot = self.facts[Need.PARTIES][1]
        return buyer

    @property
    def position(self) -> SellerPosition:
        """The seller's units."""
        position: SellerPosition = self.facts[Need.POSITION]
        return position

    @property
    def demand(self) -> BuyerDemand:
        """The buyer's need."""
        demand: BuyerDemand = self.facts[Need.DEMAND]
        return demand

    @property
    def basins(self) -> frozenset[str]:
        """The basins into which the buyer's outlets lead."""
        basins: frozenset[str] = self.facts[Need.BASINS]
        return basins

    @property
    def assessment(self) -> AssessmentSnapshot | None:
        """Last year's assessment of the buyer's city in the right's medium; None without one."""
        assessment: AssessmentSnapshot | None = self.facts[Need.ASSESSMENT]
        return assessment

    @property
    def city_total(self) -> CityTotal | None:
        """The total of the buyer's city; None where none is recorded."""
        total: CityTotal | None = self.facts[Need.CITY_CAP]
        return total

    @cached_property
    def base_price(self) -> Parameter | None:
        """The base price of the right; None where no row is in force."""
        return self.parameters.find(
            "base_price", self.as_of, area=self.seller_city, pollutant=self.right.pollutant
        )

    def parameter(self, name: str) -> Parameter | None:
        """A figure that holds everywhere; its value is None where it is unknown."""
        return self.parameters.find(name, self.as_of)

    @cached_property
    def trading_days_since_notice(self) -> int:
        """Trading days since the notice of ``announced_on``; 0 without one."""
        if self.announced_on is None:
            return 0
        return trading_days_between(self.calendar, self.announced_on, self.as_of)


Evaluation = Callable[[TransferSnapshot], Condition | None]


@dataclass(frozen=True, slots=True)
class ConditionCheck:
    """A condition: its evaluation, None where it does not concern a case, and what it needs."""

    evaluate: Evaluation
    needs: frozenset[Need]


def condition(*needs: Need) -> Callable[[Evaluation], ConditionCheck]:
    """Make the decorated function the evaluation of a condition that needs these facts."""

    def declare(evaluate: Evaluation) -> ConditionCheck:
        return ConditionCheck(evaluate, frozenset(needs))

    return declare
