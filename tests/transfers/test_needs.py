"""A condition looks at the facts that it declares, and at no others."""

from datetime import date
from itertools import product
from typing import Any

import pytest

from policies.vocabulary import Text
from registry.transfers.conditions import (
    AIR,
    ELIGIBILITY_CONDITIONS,
    ONGOING_CONDITIONS,
    WATER,
)
from registry.transfers.eligibility_input import (
    CROSS_CITY_NEEDS,
    AssessmentSnapshot,
    BuyerDemand,
    CityTotal,
    ConditionCheck,
    Need,
    PartySnapshot,
    RightSnapshot,
    SellerPosition,
    TransferSnapshot,
)
from tests.support.reference import current_reference

ON = date(2026, 3, 2)
PARTY = PartySnapshot(
    Text("a", "a"),
    is_open=True,
    is_sanctioned=False,
    is_frozen=False,
    source_category="",
    thermal_power=False,
)
FACTS: dict[Need, Any] = {
    Need.PARTIES: (PARTY, PARTY),
    Need.POSITION: SellerPosition(1, is_frozen=False),
    Need.DEMAND: BuyerDemand((), has_project=False),
    Need.BASINS: frozenset[str](),
    Need.ASSESSMENT: AssessmentSnapshot(2025, True, True, True, "a test"),  # noqa: FBT003 - its fields
    Need.CITY_CAP: CityTotal(1, 1),
}


class RecordedFacts(dict[Need, Any]):
    """Facts that remember which of them were looked at."""

    def __init__(self) -> None:
        super().__init__(FACTS)
        self.seen: set[Need] = set()

    def __getitem__(self, need: Need) -> Any:  # noqa: ANN401 - a fact of any type
        self.seen.add(need)
        return super().__getitem__(need)


async def snapshot_of(
    medium: str, facts: RecordedFacts, *, is_cross_city: bool
) -> TransferSnapshot:
    reference = await current_reference()
    right = RightSnapshot(
        "x", "SO2", Text("SO2", "二氧化硫"), medium, "hai", is_paid=True,
        valid_from=None, valid_until=None, unit="t",
        scale=3,
    )  # fmt: skip
    return TransferSnapshot(
        ON, right, "131000", 1, 1, rights_locked=False, is_cross_city=is_cross_city,
        announced_on=ON, parameters=reference.parameters, calendar=reference.calendar, facts=facts,
    )  # fmt: skip


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("check", ELIGIBILITY_CONDITIONS, ids=lambda each: each.evaluate.__name__)
async def test_a_condition_looks_at_what_it_declares(check: ConditionCheck) -> None:
    seen: set[Need] = set()

    for medium, is_cross_city in product((AIR, WATER), (False, True)):
        facts = RecordedFacts()
        check.evaluate(await snapshot_of(medium, facts, is_cross_city=is_cross_city))
        assert is_cross_city or not facts.seen & CROSS_CITY_NEEDS
        seen |= facts.seen

    assert seen == check.needs


def test_an_approval_needs_nothing_but_the_parties() -> None:
    assert frozenset().union(*(check.needs for check in ONGOING_CONDITIONS)) == {Need.PARTIES}
