"""One person acts once and at one level of a case, however many bodies he acts for."""

import pytest

from registry.commands.command import Operation
from registry.kernel.errors import Forbidden
from registry.parties.records import Organisation, Person
from registry.transfers.approval import (
    approve_transfer,
    comment_on_transfer,
    qualify_transfer,
    reject_transfer,
)
from registry.transfers.offer import accept_transfer, draft_transfer, offer_transfer
from registry.transfers.records import Transfer
from registry.transfers.rules import State
from registry.transfers.settlement import (
    contract_transfer,
    declare_default,
    record_payment,
    settle_transfer,
)
from tests.support.builders import LANGFANG, an_officer, an_organisation, caller_of
from tests.transfers.builders import SUM, Market, a_market

pytestmark = pytest.mark.usefixtures("open_market")
COUNTY = "131002"


async def one_person(market: Market, *bodies: Organisation) -> list[str]:
    """The same person as an officer of several bodies; the names he acts under."""
    person: Person | None = None
    names = []
    for body in bodies:
        officer = await an_officer(body, person=person)
        person = await Person.get(id=officer.person_id)
        names.append(f"one of {body.kind} {body.id}")
        market.people[names[-1]] = await caller_of(officer)
    return names


async def body_of(kind: str) -> Organisation:
    return await Organisation.get(kind=kind, city=LANGFANG if kind == "city" else "130000")


async def refused(
    market: Market, who: str, operation: Operation[Transfer], case: Transfer, **args: object
) -> str:
    with pytest.raises(Forbidden) as refusal:
        await market.do(who, operation, case.id, **args)
    return refusal.value.rule


async def a_county(market: Market) -> Organisation:
    """A county in which the seller lies."""
    await Organisation.filter(id=market.seller.id).update(county=COUNTY)
    return await an_organisation("county", city=LANGFANG, county=COUNTY)


async def test_who_qualified_for_the_centre_neither_approves_nor_rejects_for_the_city() -> None:
    market = await a_market()
    centre, city = await one_person(market, await body_of("centre"), await body_of("city"))
    case = await market.case_in(State.ACCEPTED)
    await market.do(centre, qualify_transfer, case.id)

    assert await refused(market, city, approve_transfer, case) == "N-08"
    assert await refused(market, city, reject_transfer, case, reason="no") == "N-80"


async def test_who_spoke_for_the_county_does_not_qualify_for_the_centre() -> None:
    market = await a_market()
    county, centre = await one_person(market, await a_county(market), await body_of("centre"))
    case = await market.case_in(State.ACCEPTED)
    await market.do(county, comment_on_transfer, case.id, text="works are old")

    assert await refused(market, centre, qualify_transfer, case) == "N-81"
    assert await refused(market, centre, reject_transfer, case, reason="no") == "N-80"


async def test_who_approved_for_the_city_does_not_carry_it_out_for_the_centre() -> None:
    market = await a_market()
    city, centre, county = await one_person(
        market, await body_of("city"), await body_of("centre"), await a_county(market)
    )
    case = await market.case_in(State.ELIGIBLE)
    await market.do(city, approve_transfer, case.id)

    assert await refused(market, county, comment_on_transfer, case, text="too late") == "N-84"
    assert await refused(market, centre, contract_transfer, case, contract_number="1") == "N-85"
    await market.do("centre", contract_transfer, case.id, contract_number="HT-1")
    payment = {"money": SUM, "reference": "BANK-001"}
    assert await refused(market, centre, record_payment, case, **payment) == "N-86"
    await market.do("centre", record_payment, case.id, **payment)
    assert await refused(market, centre, settle_transfer, case) == "N-87"
    ending = {"side": "seller", "reason": "refuses"}
    assert await refused(market, centre, declare_default, case, **ending) == "N-88"


async def test_one_officer_of_the_centre_carries_a_case_through() -> None:
    market = await a_market()

    settled = await market.case_in(State.SETTLED)

    centre = await body_of("centre")
    assert settled.acted_for.count(centre.id) == 1
    assert len(settled.acted_for) == len(settled.acted)


@pytest.mark.parametrize(("drafts", "rule"), [(True, "N-82"), (False, "N-83")])
async def test_one_person_does_not_bind_both_sides(drafts: object, rule: str) -> None:
    market = await a_market()
    selling, buying = await one_person(market, market.seller, market.buyer)
    drafting, offering = (selling, "seller") if drafts else ("seller", selling)
    case = await market.do(drafting, draft_transfer, **market.terms())
    await market.do(offering, offer_transfer, case.id)

    assert await refused(market, buying, accept_transfer, case) == rule
    assert (await market.do("buyer", accept_transfer, case.id)).state == "accepted"
