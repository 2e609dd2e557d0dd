"""The fixture of 2026: rights pass between cities, and the demonstration says what is invented."""

import pytest

from registry.access.principals import Caller
from registry.commands.command import command
from registry.db.session import row, rows
from registry.kernel.errors import Code, ConditionsUnmet
from registry.ledger.invariants import verify
from registry.reference.parameters import parameter
from registry.transfers.offer import accept_transfer, draft_transfer
from registry.transfers.records import Transfer
from registry.transfers.rules import State
from seeds.demo.cross_region.loader import ENDS, cross_region_acts, load_cross_region
from seeds.demo.people import demo_people
from tests.seeds.registry_snapshot import count, standing
from tests.support.cluster import Database
from tests.support.demo_databases import Told


async def test_the_clock_stands_in_march_2026(crossed: Database) -> None:
    clock = await row("SELECT reads, since FROM registry_clock")

    assert clock == {"reads": ENDS, "since": None}


async def test_the_ledger_verifies(crossed: Database) -> None:
    assert [finding for finding in await verify() if not finding.sound] == []


async def test_loading_twice_changes_nothing(crossed: Database, crossing: Told) -> None:
    before = await standing()

    again = await load_cross_region(crossed.owner_url)

    assert crossing.loaded.performed == len(cross_region_acts())
    assert again.performed == 0
    assert await standing() == before


async def test_an_unfavourable_opinion_did_not_bind_the_province(
    crossed: Database, crossing: Told
) -> None:
    case = await Transfer.get(id=crossing.loaded.objects["transfer-across-settled"])
    approved = await row("SELECT role FROM act WHERE object_id = $1 AND verb = 'approve'", case.id)

    assert case.state == State.SETTLED
    assert (case.seller_city, case.buyer_city) == ("130200", "131000")
    assert (case.seller_opinion, case.buyer_opinion) == ("unfavourable", "favourable")
    assert approved == {"role": "province"}


async def test_the_floor_price_is_marked_as_demonstration(
    crossed: Database, crossing: Told
) -> None:
    found = await rows(
        "SELECT source FROM eligibility_finding WHERE name = 'price_floor' AND transfer_id = $1",
        crossing.loaded.objects["transfer-across-settled"],
    )
    floor = await parameter("base_price", ENDS.date(), area="130200", pollutant="SO2")

    assert floor.demo
    assert "(demonstration data)" in found[0]["source"]
    assert await count("environment_assessment", "NOT demo") == 0


async def test_the_buyer_can_accept_the_offer_that_stands(
    crossed: Database, crossing: Told
) -> None:
    case = crossing.loaded.objects["transfer-across-offered"]

    await command(
        accept_transfer, Caller(subject="demo-enterprise-6-initiator"), {"id": case}, key="accept"
    )

    assert (await Transfer.get(id=case)).state == State.ACCEPTED


async def test_rights_do_not_pass_to_a_city_that_missed_its_aims(
    crossed: Database, crossing: Told
) -> None:
    objects = crossing.loaded.objects
    held = await row(
        "SELECT i.id FROM instrument i WHERE i.pollutant = 'SO2' AND i.origin_city = '130200'"
    )
    assert held is not None

    with pytest.raises(ConditionsUnmet) as refusal:
        await command(
            draft_transfer,
            Caller(subject="demo-enterprise-5-initiator"),
            {
                "buyer": objects["enterprise-tangshan"],
                "instrument": held["id"],
                "quantity": "1",
                "price": 800_000,
            },
            key="back",
        )

    unmet = {each.name for each in refusal.value.conditions if not each.met}
    assert refusal.value.code == Code.CONDITIONS_UNMET
    assert unmet == {"receiving_area", "local_notice"}


async def test_both_sides_of_the_offer_have_a_sign_in(crossed: Database) -> None:
    subjects = {person.subject for person in await demo_people()}

    assert subjects >= {"demo-enterprise-tangshan-initiator", "demo-enterprise-6-initiator"}
