"""A transfer from draft to settlement, by the people who may, over HTTP; and every other end."""

from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from registry.db.session import fetch_one
from schema.framework.global_ids import to_global_id
from seeds.clock import advance_clock
from tests.end_to_end.transfer_driver import Case, unmet_conditions
from tests.support.cluster import Database, Server
from tests.support.demo_databases import LoadedDemo, open_demo_copy
from tests.support.live_server import Portal, open_portal
from tests.support.payloads import flatten_payload

CERTIFICATE = """query ($n: String!) { certificate(number: $n) {
    number quantity revokedAt seller { name } transfer { id } } }"""


@pytest.fixture
async def sale(portal: Portal, world: LoadedDemo) -> dict[str, Any]:
    """Two tonnes of SO2 of a seller who signs with two."""
    held = await fetch_one(
        "SELECT i.id FROM instrument i JOIN balance b ON b.instrument_id = i.id"
        " JOIN account a ON a.id = b.account_id"
        " WHERE i.pollutant = 'SO2' AND a.kind = 'holding' AND a.organisation_id = $1",
        world.report.object_ids["enterprise-1"],
    )
    assert held is not None
    return {
        "buyer": to_global_id("Organisation", world.report.object_ids["enterprise-4"]),
        "instrument": to_global_id("Instrument", held["id"]),
        "quantity": "2.000",
        "price": "7600.00",
    }


async def offered(portal: Portal, sale: dict[str, Any]) -> Case:
    case = Case(portal)
    await case.step("enterprise-1-initiator", "draftTransfer", **sale)
    await case.step("enterprise-1-initiator", "offerTransfer")
    assert await case.step("enterprise-1-approver", "countersignTransfer") == "OFFERED"
    return case


async def approved(portal: Portal, sale: dict[str, Any]) -> Case:
    case = await offered(portal, sale)
    await case.step("enterprise-4-initiator", "acceptTransfer")
    await case.step("centre-approver", "qualifyTransfer")
    assert await case.step("langfang-approver", "approveTransfer") == "APPROVED"
    return case


async def paid(portal: Portal, sale: dict[str, Any]) -> Case:
    case = await approved(portal, sale)
    await case.step("centre-initiator", "contractTransfer", contractNumber="TEST-1")
    payment = {"money": "15200.00", "reference": "TEST0001"}
    assert await case.step("centre-initiator", "recordPayment", **payment) == "PAID"
    return case


async def test_inside_a_city_every_refusal_is_explained_on_the_way(
    portal: Portal, sale: dict[str, Any]
) -> None:
    case = Case(portal)
    cheap = await case.expect_refusal(
        "enterprise-1-initiator", "draftTransfer", **sale | {"price": "1"}
    )
    assert (cheap["code"], unmet_conditions(cheap)) == ("CONDITIONS_UNMET", {"price_floor"})
    assert all(each["legalBasis"]["en"] for each in cheap["conditions"])

    assert await case.step("enterprise-1-initiator", "draftTransfer", **sale) == "DRAFT"
    early = await case.expect_refusal("centre-approver", "qualifyTransfer")
    assert (early["code"], early["nearMisses"][0]["rule"]) == ("FORBIDDEN", "T-10")

    first = await case.step("enterprise-1-initiator", "offerTransfer")
    assert first == "AWAITING_SIGNATURE"
    twice = await case.expect_refusal("enterprise-1-initiator", "countersignTransfer")
    assert (twice["code"], twice["rule"]) == ("FORBIDDEN", "N-07")
    assert await case.step("enterprise-1-approver", "countersignTransfer") == "OFFERED"

    other = await case.expect_refusal("enterprise-3-initiator", "acceptTransfer")
    assert other["code"] == "NOT_FOUND"
    only_approves = await case.expect_refusal("enterprise-4-approver", "acceptTransfer")
    assert only_approves["rule"] == "N-30/accept"
    assert await case.step("enterprise-4-initiator", "acceptTransfer") == "ACCEPTED"
    assert await case.step("centre-approver", "qualifyTransfer") == "ELIGIBLE"
    elsewhere = await case.expect_refusal("tangshan-approver", "approveTransfer")
    assert elsewhere["code"] == "NOT_FOUND"
    assert await case.step("langfang-approver", "approveTransfer") == "APPROVED"
    again = await case.expect_refusal("langfang-approver", "approveTransfer")
    assert (again["code"], again["rule"]) == ("FORBIDDEN", "N-08")

    number = {"contractNumber": "TEST-1"}
    assert await case.step("centre-initiator", "contractTransfer", **number) == "CONTRACTED"
    late = await case.expect_refusal(
        "enterprise-1-initiator", "withdrawTransfer", reason="too late"
    )
    assert late["code"] == "FORBIDDEN"
    short = {"money": "15199.99", "reference": "TEST0001"}
    little = await case.expect_refusal("centre-initiator", "recordPayment", **short)
    assert unmet_conditions(little) == {"paid_in_full"}
    await case.step("centre-initiator", "recordPayment", **short | {"money": "15200.00"})
    assert await case.step("centre-initiator", "settleTransfer") == "SETTLED"


async def test_a_settled_case_is_attested_and_shows_who_did_what(
    portal: Portal, sale: dict[str, Any]
) -> None:
    case = await paid(portal, sale)
    await case.step("centre-initiator", "settleTransfer")

    read = await case.read("enterprise-4-initiator")
    assert read is not None
    attested = await portal.data(CERTIFICATE, {"n": read["number"]})

    assert attested["certificate"]["quantity"] == "2.000"
    assert attested["certificate"]["transfer"] is None  # The public sees no case.
    assert [(act["role"], act["rule"], act["stateAfter"]) for act in read["history"]["nodes"]] == [
        ("ENTERPRISE", "T-01", "DRAFT"),
        ("ENTERPRISE", "T-02", "AWAITING_SIGNATURE"),
        ("ENTERPRISE", "T-04", "OFFERED"),
        ("ENTERPRISE", "T-03", "ACCEPTED"),
        ("CENTRE", "T-10", "ELIGIBLE"),
        ("CITY", "T-12", "APPROVED"),
        ("CENTRE", "T-40", "CONTRACTED"),
        ("CENTRE", "T-41", "PAID"),
        ("CENTRE", "T-42", "SETTLED"),
    ]
    assert all(act["organisation"]["name"] and act["at"] for act in read["history"]["nodes"])


async def test_a_key_is_for_one_command(portal: Portal, sale: dict[str, Any]) -> None:
    case, key = Case(portal), {"idempotencyKey": "one"}
    missing = await portal.ask(
        "mutation ($input: DraftTransferInput!) { draftTransfer(input: $input) { __typename } }",
        {"input": sale},
        subject="demo-enterprise-1-initiator",
    )
    empty = await case.expect_refusal(
        "enterprise-1-initiator", "draftTransfer", **sale, idempotencyKey=""
    )
    first = await case.send("enterprise-1-initiator", "draftTransfer", **sale, **key)
    other = await case.expect_refusal(
        "enterprise-1-initiator", "draftTransfer", **sale | {"quantity": "3.000"}, **key
    )

    assert missing["errors"][0]["extensions"]["code"] == "MALFORMED"
    assert empty["code"] == "MALFORMED"
    assert first["state"] == "DRAFT"
    assert (other["code"], other["field"]) == ("KEY_REUSED", "idempotencyKey")


async def test_a_case_is_masked_and_hidden_by_who_looks(
    portal: Portal, sale: dict[str, Any]
) -> None:
    case = await paid(portal, sale)
    open_case = await case.read("auditor")
    strangers = [await case.read(w) for w in ("tangshan-approver", "cib-initiator", "")]
    await case.step("centre-initiator", "settleTransfer")
    closed_case = await case.read("auditor")

    assert strangers == [None, None, None]
    assert open_case is not None
    assert closed_case is not None
    assert (open_case["price"], closed_case["price"]) == (None, "7600.00")
    assert "price" in open_case["maskedFields"]


async def test_either_side_withdraws_and_the_centre_rejects(
    portal: Portal, sale: dict[str, Any]
) -> None:
    withdrawn, rejected = await approved(portal, sale), await offered(portal, sale)
    await rejected.step("enterprise-4-initiator", "acceptTransfer")

    ends = [
        await withdrawn.step("enterprise-4-initiator", "withdrawTransfer", reason="no need"),
        await rejected.step("centre-approver", "rejectTransfer", reason="papers missing"),
    ]

    assert ends == ["WITHDRAWN", "REJECTED"]


async def test_a_seller_who_does_not_keep_the_contract_is_in_default(
    portal: Portal, sale: dict[str, Any]
) -> None:
    case = await paid(portal, sale)
    refusal = {"side": "SELLER", "reason": "refuses"}

    early = await case.expect_refusal(
        "centre-approver", "declareDefault", **refusal | {"side": "BUYER"}
    )

    assert unmet_conditions(early) == {"payment_missing"}
    assert await case.step("centre-approver", "declareDefault", **refusal) == "DEFAULTED"


async def test_time_runs_out_without_a_sweeper(
    portal: Portal, sale: dict[str, Any], registry: Database
) -> None:
    case = await offered(portal, sale)
    before = await case.read("enterprise-4-initiator")
    assert before is not None
    await pass_time(registry, datetime.fromisoformat(before["deadlineAt"]) + timedelta(seconds=1))

    late = await case.expect_refusal("enterprise-4-initiator", "acceptTransfer")
    after = await case.read("enterprise-4-initiator")

    assert late["code"] == "FORBIDDEN"
    assert after is not None
    assert (after["state"], after["nextSteps"]) == ("EXPIRED", [])
    assert await case.step("centre-initiator", "expireTransfer") == "EXPIRED"


async def pass_time(database: Database, until: datetime) -> None:
    owner = await asyncpg.connect(database.owner_url)
    await advance_clock(owner, until)
    await owner.close()


async def test_two_officers_reverse_a_settlement(portal: Portal, sale: dict[str, Any]) -> None:
    case = await paid(portal, sale)
    await case.step("centre-initiator", "settleTransfer")
    settled = await fetch_one(
        "SELECT entry_id, number FROM certificate ORDER BY issued_at DESC, number DESC LIMIT 1"
    )
    assert settled is not None
    proposal = {"entry": to_global_id("Entry", settled["entry_id"]), "reason": "wrong buyer"}

    proposed = await reversing(portal, "centre-initiator", "proposeReversal", **proposal)
    own = await reversing(portal, "centre-initiator", "approveReversal", id=proposed["id"])
    undone = await reversing(portal, "centre-approver", "approveReversal", id=proposed["id"])

    assert (own["code"], own["rule"]) == ("FORBIDDEN", "N-03")
    assert undone["state"] == "APPROVED"
    attested = await portal.data(CERTIFICATE, {"n": settled["number"]})
    assert attested["certificate"]["revokedAt"] is not None


async def reversing(portal: Portal, who: str, name: str, **said: str) -> dict[str, Any]:
    document = f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{
        ... on ReversalPayload {{ reversal {{ id state }} }}
        ... on Refusal {{ code rule message {{ en }} }} }} }}"""
    sent = {"idempotencyKey": f"{who}-{name}", **said}
    answer: dict[str, Any] = await portal.data(document, {"input": sent}, subject=f"demo-{who}")
    return flatten_payload(answer[name])


async def test_across_cities_both_speak_and_the_province_decides(
    server: Server, cross_region_demo: LoadedDemo
) -> None:
    async with open_demo_copy(server, cross_region_demo), open_portal() as portal:
        case = Case(
            portal,
            to_global_id(
                "Transfer", cross_region_demo.report.object_ids["transfer-across-offered"]
            ),
        )
        against = {"favourable": False, "reasons": "our own projects come first"}
        favour = {"favourable": True, "reasons": "all aims were met"}

        assert await case.step("enterprise-6-initiator", "acceptTransfer") == "ACCEPTED"
        assert await case.step("centre-approver", "qualifyTransfer") == "ELIGIBLE"
        city = await case.expect_refusal("langfang-approver", "approveTransfer")
        early = await case.expect_refusal("province-approver", "approveTransfer")
        await case.step("tangshan-approver", "opineOnTransfer", **against)
        twice = await case.expect_refusal("tangshan-approver", "opineOnTransfer", **favour)
        half = await case.expect_refusal("province-approver", "approveTransfer")
        await case.step("langfang-approver", "opineOnTransfer", **favour)
        assert await case.step("province-approver", "approveTransfer") == "APPROVED"
        await case.step("centre-initiator", "contractTransfer", contractNumber="TEST-2026")
        payment = {"money": "139500.00", "reference": "TEST2026"}
        await case.step("centre-initiator", "recordPayment", **payment)
        assert await case.step("centre-initiator", "settleTransfer") == "SETTLED"
        read = await case.read("province-approver")

    assert read is not None
    assert {each["code"] for each in (city, early, twice, half)} == {"FORBIDDEN"}
    assert half["nearMisses"][0]["rule"] in {"T-16", "T-17"}
    assert (read["sellerOpinion"], read["buyerOpinion"]) == ("UNFAVOURABLE", "FAVOURABLE")
    assert (read["regime"], len(read["opinions"])) == ("CROSS_REGION", 2)
    assert read["number"].startswith("HB-130200-2026-")


async def test_on_the_founding_day_nothing_crosses_cities(
    portal: Portal, sale: dict[str, Any], world: LoadedDemo
) -> None:
    buyer = to_global_id("Organisation", world.report.object_ids["works"])

    refusal = await Case(portal).expect_refusal(
        "enterprise-1-initiator",
        "draftTransfer",
        **sale | {"buyer": buyer, "announcedOn": date(2022, 5, 1).isoformat(), "announcement": "x"},
    )

    assert "area" in unmet_conditions(refusal)
