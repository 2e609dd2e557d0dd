"""The fixture of 2026: rights pass between cities, and the demonstration says what is invented."""

import pytest

from registry.access.principals import Principal
from registry.commands.command import execute_command
from registry.concepts import verify_registry
from registry.db.session import fetch_all, fetch_one
from registry.kernel.errors import Code, ConditionsUnmet
from registry.transfers.offer import accept_transfer, draft_transfer
from registry.transfers.records import Transfer
from registry.transfers.rules import State
from seeds.demo.cross_region.loader import ENDS_AT, cross_region_steps, load_cross_region
from seeds.demo.people import demo_people
from tests.seeds.registry_snapshot import count_rows, take_snapshot
from tests.support.cluster import Database
from tests.support.demo_databases import LoadedDemo
from tests.support.reference import current_reference


async def test_the_clock_is_stopped_in_march_2026(cross_region_database: Database) -> None:
    clock = await fetch_one("SELECT base_time, running_since FROM registry_clock")

    assert clock == {"base_time": ENDS_AT, "running_since": None}


async def test_the_ledger_verifies(cross_region_database: Database) -> None:
    assert [finding for finding in await verify_registry() if not finding.is_satisfied] == []


async def test_loading_twice_changes_nothing(
    cross_region_database: Database, cross_region_demo: LoadedDemo
) -> None:
    before = await take_snapshot()

    again = await load_cross_region(cross_region_database.owner_url)

    assert cross_region_demo.report.executed == len(cross_region_steps())
    assert again.executed == 0
    assert await take_snapshot() == before


async def test_an_unfavourable_opinion_did_not_bind_the_province(
    cross_region_database: Database, cross_region_demo: LoadedDemo
) -> None:
    case = await Transfer.get(id=cross_region_demo.report.object_ids["transfer-across-settled"])
    approved = await fetch_one(
        "SELECT role FROM audit_entry WHERE object_id = $1 AND verb = 'approve'", case.id
    )

    assert case.state == State.SETTLED
    assert (case.seller_city, case.buyer_city) == ("130200", "131000")
    assert (case.seller_opinion, case.buyer_opinion) == ("unfavourable", "favourable")
    assert approved == {"role": "province"}


async def test_the_floor_price_is_marked_as_demonstration(
    cross_region_database: Database, cross_region_demo: LoadedDemo
) -> None:
    found = await fetch_all(
        "SELECT source FROM eligibility_finding WHERE name = 'price_floor' AND transfer_id = $1",
        cross_region_demo.report.object_ids["transfer-across-settled"],
    )
    parameters = (await current_reference()).parameters
    floor = parameters.require("base_price", ENDS_AT.date(), area="130200", pollutant="SO2")

    assert floor.demo
    assert "(demonstration data)" in found[0]["source"]
    assert await count_rows("environment_assessment", "NOT demo") == 0


async def test_the_buyer_can_accept_the_open_offer(
    cross_region_database: Database, cross_region_demo: LoadedDemo
) -> None:
    case = cross_region_demo.report.object_ids["transfer-across-offered"]

    await execute_command(
        accept_transfer,
        Principal(subject="demo-enterprise-6-initiator"),
        {"id": case},
        key="accept",
    )

    assert (await Transfer.get(id=case)).state == State.ACCEPTED


async def test_rights_do_not_pass_to_a_city_that_missed_its_aims(
    cross_region_database: Database, cross_region_demo: LoadedDemo
) -> None:
    objects = cross_region_demo.report.object_ids
    held = await fetch_one(
        "SELECT i.id FROM instrument i WHERE i.pollutant = 'SO2' AND i.origin_city = '130200'"
    )
    assert held is not None

    with pytest.raises(ConditionsUnmet) as refusal:
        await execute_command(
            draft_transfer,
            Principal(subject="demo-enterprise-5-initiator"),
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


async def test_both_sides_of_the_offer_have_a_sign_in(cross_region_database: Database) -> None:
    subjects = {person.subject for person in await demo_people()}

    assert subjects >= {"demo-enterprise-tangshan-initiator", "demo-enterprise-6-initiator"}
