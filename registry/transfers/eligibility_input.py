"""A transfer as its conditions look at it: the facts of one day, of which each declares its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, cast

from policies.vocabulary import Text
from registry.kernel.calendar import Calendar, trading_days_between
from registry.kernel.errors import Condition
from registry.reference.parameters import Parameter, ParameterTable
from registry.transfers.rules import Regime


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
    """A side, as far as it decides whether it may trade."""

    name: Text
    is_open: bool  # It is registered and not closed.
    is_sanctioned: bool  # A sanction is in force, which bars a buyer only.
    is_frozen: bool  # A freeze of the whole organisation is in force.
    source_category: str  # Industrial, agricultural, ...; empty where it is not recorded.
    thermal_power: bool | None  # Thermal power or a captive plant; None: not recorded.


@dataclass(frozen=True, slots=True)
class RightSnapshot:
    """The right that is sold."""

    code: str
    pollutant: str
    pollutant_name: Text
    medium: str  # Air, water or mixed.
    basin: str  # Of what goes into water, where it is known; else empty.
    is_paid: bool  # Acquired for payment.
    valid_from: date | None
    valid_until: date | None
    unit: str  # ``t`` or ``kg``, of which one is ``10 ** scale`` base units.
    scale: int


@dataclass(frozen=True, slots=True)
class SellerPosition:
    """The units where they are taken from: the escrow account once blocked, else holding."""

    quantity: int  # Base units.
    is_frozen: bool  # A freeze of the organisation, the account or the position is in force.


@dataclass(frozen=True, slots=True)
class BuyerDemand:
    """The buyer's need of the right: permits in force and projects that name the pollutant."""

    permits: tuple[str, ...]  # Numbers, which are public.
    # Whether a construction project needs it; which one is the buyer's own business.
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
    """The facts of a transfer on one day."""

    as_of: date  # The registry's day in China.
    right: RightSnapshot
    seller_city: str
    quantity: int  # Base units.
    price_fen: int  # For one unit of the right.
    # The units lie in the seller's escrow already, from the first signature on.
    rights_locked: bool
    is_cross_city: bool  # Seller and buyer are in different cities.
    announced_on: date | None  # Day of the notice in the seller's city; None for none.
    parameters: ParameterTable
    calendar: Calendar
    facts: Mapping[Need, Any]  # Those that were needed.

    @property
    def seller(self) -> PartySnapshot:
        return cast("PartySnapshot", self.facts[Need.PARTIES][0])

    @property
    def buyer(self) -> PartySnapshot:
        return cast("PartySnapshot", self.facts[Need.PARTIES][1])

    @property
    def position(self) -> SellerPosition:
        return cast("SellerPosition", self.facts[Need.POSITION])

    @property
    def demand(self) -> BuyerDemand:
        return cast("BuyerDemand", self.facts[Need.DEMAND])

    @property
    def basins(self) -> frozenset[str]:
        """The basins into which the buyer's outlets lead."""
        return cast("frozenset[str]", self.facts[Need.BASINS])

    @property
    def assessment(self) -> AssessmentSnapshot | None:
        """Last year's assessment of the buyer's city in the right's medium; None without one."""
        return cast("AssessmentSnapshot | None", self.facts[Need.ASSESSMENT])

    @property
    def city_total(self) -> CityTotal | None:
        """The total of the buyer's city; None where none is recorded."""
        return cast("CityTotal | None", self.facts[Need.CITY_CAP])

    @cached_property
    def base_price(self) -> Parameter | None:
        """The base price of the right; None where no row is in force."""
        return self.parameter("base_price")

    def parameter(self, name: str) -> Parameter | None:
        """A figure for the right in the seller's city; its value is None where it is unknown."""
        return self.parameters.find(
            name, self.as_of, area=self.seller_city, pollutant=self.right.pollutant
        )

    @property
    def is_pilot(self) -> bool:
        """Rights of this pollutant pass between cities on trial, before the Measures of 2026."""
        regime = self.parameter("cross_region_regime")
        return regime is not None and regime.value == Regime.PILOT

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
