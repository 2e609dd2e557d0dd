"""A transfer as its conditions look at it: everything that is weighed, as it stands on one day."""

from dataclasses import dataclass
from datetime import date

from policies.vocabulary import Text
from registry.reference.parameters import Parameter


@dataclass(frozen=True, slots=True)
class Party:
    """A side, as far as it decides whether it may trade.

    Attributes:
        open: it is registered and not closed.
        barred: a sanction or a freeze of the whole organisation is in force.
        source_category: industrial, agricultural, ...; empty where it is not recorded.
        thermal_power: a thermal power enterprise or one with a captive plant.

    """

    name: Text
    open: bool
    barred: bool
    source_category: str
    thermal_power: bool


@dataclass(frozen=True, slots=True)
class Right:
    """The right that is sold.

    Attributes:
        medium: air, water or mixed.
        basin: of what goes into water, where it is known; else empty.
        paid: acquired for payment.
        unit: t or kg, of which one is ``10 ** scale`` base units.

    """

    code: str
    pollutant: str
    medium: str
    basin: str
    paid: bool
    valid_from: date | None
    valid_until: date | None
    unit: str
    scale: int


@dataclass(frozen=True, slots=True)
class Need:
    """What the buyer needs the right for: permits in force and projects that name the pollutant.

    Attributes:
        permits: numbers, which are public.
        project: whether a construction project needs it; which one is the buyer's own business.
        basins: into which the buyer's outlets lead.

    """

    permits: tuple[str, ...]
    project: bool
    basins: frozenset[str]


@dataclass(frozen=True, slots=True)
class Assessment:
    """How the buyer's city did last year in the right's medium."""

    year: int
    quality_attained: bool
    reduction_task_done: bool
    improvement_target_met: bool
    source: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is weighed, as it stands on one day.

    Attributes:
        on: the registry's day in China.
        quantity: base units.
        price_fen: for one unit of the right.
        blocked: the units lie in the seller's escrow already, from the first signature on.
        holds: base units in the account they are taken from: escrow then, holding before.
        frozen: that position is frozen.
        crosses: seller and buyer are in different cities.
        floor: the base price; None where no row is in force, its value None where it is unknown.
        announced_on: day of the seller's notice in his own city; None for none.
        waited: trading days since that notice.
        assessment: None where none is recorded.
        cap: base units that the buyer's city may hold; None where no total is recorded.
        city_holds: base units that it holds today.

    """

    on: date
    seller: Party
    buyer: Party
    right: Right
    quantity: int
    price_fen: int
    blocked: bool
    holds: int
    frozen: bool
    crosses: bool
    floor: Parameter | None
    free_tradable: Parameter | None
    regime: Parameter | None
    wait: Parameter | None
    receiver_tests: Parameter | None
    announced_on: date | None
    waited: int
    need: Need
    assessment: Assessment | None
    cap: int | None
    city_holds: int
