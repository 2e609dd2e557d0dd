"""One person acts once and at one level of a case, however many organisations they act for."""

import pytest

from registry.commands.operation import Operation
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
from tests.support.builders import LANGFANG, create_officer, create_organisation, principal_of
from tests.transfers.builders import SUM, TradingFixture, create_market

pytestmark = pytest.mark.usefixtures("open_market")
COUNTY = "131002"


async def one_person(market: TradingFixture, *bodies: Organisation) -> list[str]:
    """The same person as an officer of several organisations; the names of the sign-ins."""
    person: Person | None = None
    names = []
    for body in bodies:
        officer = await create_officer(body, person=person)
        person = await Person.get(id=officer.person_id)
        names.append(f"one of {body.kind} {body.id}")
        market.people[names[-1]] = await principal_of(officer)
    return names


async def organisation_of(kind: str) -> Organisation:
    return await Organisation.get(kind=kind, city=LANGFANG if kind == "city" else "130000")


async def refusing_rule(
    market: TradingFixture, who: str, operation: Operation[Transfer], case: Transfer, **args: object
) -> str:
    with pytest.raises(Forbidden) as refusal:
        await market.execute(who, operation, case.id, **args)
    return refusal.value.rule


async def create_county(market: TradingFixture) -> Organisation:
    """A county in which the seller lies."""
    await Organisation.filter(id=market.seller.id).update(county=COUNTY)
    return await create_organisation("county", city=LANGFANG, county=COUNTY)


async def test_who_qualified_for_the_centre_neither_approves_nor_rejects_for_the_city() -> None:
    market = await create_market()
    centre, city = await one_person(
        market, await organisation_of("centre"), await organisation_of("city")
    )
    case = await market.case_in(State.ACCEPTED)
    await market.execute(centre, qualify_transfer, case.id)

    assert await refusing_rule(market, city, approve_transfer, case) == "N-08"
    assert await refusing_rule(market, city, reject_transfer, case, reason="no") == "N-80"


async def test_who_spoke_for_the_county_does_not_qualify_for_the_centre() -> None:
    market = await create_market()
    county, centre = await one_person(
        market, await create_county(market), await organisation_of("centre")
    )
    case = await market.case_in(State.ACCEPTED)
    await market.execute(county, comment_on_transfer, case.id, text="works are old")

    assert await refusing_rule(market, centre, qualify_transfer, case) == "N-81"
    assert await refusing_rule(market, centre, reject_transfer, case, reason="no") == "N-80"


async def test_who_approved_for_the_city_does_not_carry_it_out_for_the_centre() -> None:
    market = await create_market()
    city, centre, county = await one_person(
        market,
        await organisation_of("city"),
        await organisation_of("centre"),
        await create_county(market),
    )
    case = await market.case_in(State.ELIGIBLE)
    await market.execute(city, approve_transfer, case.id)

    assert await refusing_rule(market, county, comment_on_transfer, case, text="too late") == "N-84"
    assert (
        await refusing_rule(market, centre, contract_transfer, case, contract_number="1") == "N-85"
    )
    await market.execute("centre", contract_transfer, case.id, contract_number="HT-1")
    payment = {"money": SUM, "reference": "BANK-001"}
    assert await refusing_rule(market, centre, record_payment, case, **payment) == "N-86"
    await market.execute("centre", record_payment, case.id, **payment)
    assert await refusing_rule(market, centre, settle_transfer, case) == "N-87"
    ending = {"side": "seller", "reason": "refuses"}
    assert await refusing_rule(market, centre, declare_default, case, **ending) == "N-88"


async def test_one_officer_of_the_centre_carries_a_case_through() -> None:
    market = await create_market()

    settled = await market.case_in(State.SETTLED)

    centre = await organisation_of("centre")
    assert settled.signed_for.count(centre.id) == 1
    assert len(settled.signed_for) == len(settled.signatories)


@pytest.mark.parametrize(("drafts", "rule"), [(True, "N-82"), (False, "N-83")])
async def test_one_person_does_not_bind_both_sides(drafts: object, rule: str) -> None:
    market = await create_market()
    selling, buying = await one_person(market, market.seller, market.buyer)
    drafting, offering = (selling, "seller") if drafts else ("seller", selling)
    case = await market.execute(drafting, draft_transfer, **market.terms())
    await market.execute(offering, offer_transfer, case.id)

    assert await refusing_rule(market, buying, accept_transfer, case) == rule
    assert (await market.execute("buyer", accept_transfer, case.id)).state == "accepted"
