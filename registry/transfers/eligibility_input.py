"""A transfer as its conditions look at it: everything that is weighed, as it stands on one day."""

from dataclasses import dataclass
from datetime import date

from policies.vocabulary import Text
from registry.reference.parameters import Parameter


@dataclass(frozen=True, slots=True)
class PartySnapshot:
    """A side, as far as it decides whether it may trade.

    Attributes:
        is_open: it is registered and not closed.
        is_barred: a sanction or a freeze of the whole organisation is in force.
        source_category: industrial, agricultural, ...; empty where it is not recorded.
        thermal_power: a thermal power enterprise or one with a captive plant.

    """

    name: Text
    is_open: bool
    is_barred: bool
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
class BuyerDemand:
    """What the buyer needs the right for: permits in force and projects that name the pollutant.

    Attributes:
        permits: numbers, which are public.
        has_project: whether a construction project needs it; which one is the buyer's own business.
        basins: into which the buyer's outlets lead.

    """

    permits: tuple[str, ...]
    has_project: bool
    basins: frozenset[str]


@dataclass(frozen=True, slots=True)
class AssessmentSnapshot:
    """How the buyer's city did last year in the right's medium."""

    year: int
    quality_attained: bool
    reduction_task_done: bool
    improvement_target_met: bool
    source: str


@dataclass(frozen=True, slots=True)
class TransferSnapshot:
    """Everything that is weighed, as it stands on one day.

    Attributes:
        as_of: the registry's day in China.
        quantity: base units.
        price_fen: for one unit of the right.
        rights_locked: the units lie in the seller's escrow already, from the first signature on.
        held_quantity: base units in the account they are taken from: escrow then, holding before.
        is_frozen: that position is frozen.
        is_cross_city: seller and buyer are in different cities.
        base_price: the base price; None where no row is in force, its value None where it is
            unknown.
        announced_on: day of the seller's notice in his own city; None for none.
        trading_days_since_notice: trading days since that notice.
        assessment: None where none is recorded.
        city_cap: base units that the buyer's city may hold; None where no total is recorded.
        city_holding: base units that it holds today.

    """

    as_of: date
    seller: PartySnapshot
    buyer: PartySnapshot
    right: RightSnapshot
    quantity: int
    price_fen: int
    rights_locked: bool
    held_quantity: int
    is_frozen: bool
    is_cross_city: bool
    base_price: Parameter | None
    free_tradable: Parameter | None
    regime: Parameter | None
    notice_period: Parameter | None
    receiver_tests: Parameter | None
    announced_on: date | None
    trading_days_since_notice: int
    demand: BuyerDemand
    assessment: AssessmentSnapshot | None
    city_cap: int | None
    city_holding: int
