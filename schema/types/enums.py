"""The enums of the concepts in the API.

They come before the types, because the lists of several types are narrowed by them.
"""

from types import ModuleType

from registry.agreements import rules as agreements
from registry.kernel.words import DescribedEnum
from registry.ledger import rules as ledger
from registry.parties import rules as parties
from registry.permits import rules as permits
from registry.transfers import rules as transfers
from schema.framework.enums import expose_enum, expose_state


class DivisionLevel(DescribedEnum):
    """The level of a division 行政区划层级."""

    PROVINCE = "province", "Province", "省"
    CITY = "city", "City", "设区的市"
    COUNTY = "county", "County", "县（市、区）"


class PollutantMedium(DescribedEnum):
    """The medium of a pollutant 介质."""

    AIR = "air", "Air", "大气"
    WATER = "water", "Water", "水"
    MIXED = "mixed", "Air and water", "大气和水"


_NAMES = {
    transfers.State: "TransferState",
    transfers.Step: "TransferStep",
    transfers.Opinion: "CityOpinion",
    transfers.Regime: "TransferRegime",
    agreements.Visibility: "AgreementVisibility",
}
"""Names in the API that differ from those of the classes."""


def _enums_of(module: ModuleType) -> list[type[DescribedEnum]]:
    return [
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, DescribedEnum)
        if found.__module__ == module.__name__
    ]


for rules in (parties, permits, ledger, transfers, agreements):
    for words in _enums_of(rules):
        # A milestone is no object of the rule book.
        is_state = words.__name__.endswith("State") and words is not agreements.MilestoneState
        (expose_state if is_state else expose_enum)(words, _NAMES.get(words, ""))
expose_enum(DivisionLevel)
expose_enum(PollutantMedium)
