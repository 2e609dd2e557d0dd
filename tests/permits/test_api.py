"""Permits and projects over GraphQL: who reads limits, on which day, and what a command answers."""

from datetime import date
from typing import Any

import asyncpg

from registry.access.principals import Principal
from registry.parties.records import Appointment
from registry.permits.operations import change_permit_limits, revoke_permit
from registry.permits.projects import assess_demand
from schema.framework.context import Context
from schema.framework.global_ids import to_global_id
from schema.root import build_api_schema
from tests.permits.builders import (
    NOON,
    create_assessment,
    create_emitter,
    create_province_officer,
    execute_as,
    register_new_permit,
    register_new_project,
)
from tests.support.builders import create_officer, create_officer_of, principal_of, stop_clock
from tests.support.payloads import flatten_payloads

PERMITS = """query ($asOf: Date) { permits(first: 9, orderBy: NUMBER) { nodes {
    number state effective category validUntil maskedFields availableActions
    organisation { name } issuedBy { nameEn }
    limits(asOf: $asOf) { quantity effectiveUntil pollutant { code } }
    outlets { code medium riverSystem { code basin } } } } }"""
PROJECTS = """{ constructionProjects(first: 9) { nodes { name state division { code }
    demands { quantity source pollutant { code } } } } }"""
REGISTER = """mutation ($input: RegisterPermitInput!) { registerPermit(input: $input) {
    __typename ... on PermitPayload { permit { number limits { quantity } } }
    ... on Preview { nextState }
    ... on Refusal { code field conditions { name met } } } }"""
ASSESS = """mutation ($input: AssessDemandInput!) { assessDemand(input: $input) {
    __typename ... on ConstructionProjectPayload {
        constructionProject { state demands { quantity } } }
    ... on Refusal { code message { en } } } }"""


async def ask(who: Appointment | None, document: str, **variables: object) -> dict[str, Any]:
    caller = await principal_of(who) if who else Principal()
    result = await build_api_schema().execute(
        document, variable_values=variables, context_value=Context(caller)
    )
    assert result.errors is None, result.errors
    assert result.data is not None
    return flatten_payloads(result.data)


async def test_permits_and_credit_codes_are_found_however_they_are_typed() -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)
    code = str(emitter.credit_code)
    wide = {place: place + 0xFEE0 for place in range(0x21, 0x7F)}
    document = """query ($part: String!, $number: String!, $code: [String!]) {
        part: permits(first: 9, where: {number: {contains: $part}}) { nodes { number } }
        whole: permits(first: 9, where: {number: {eq: $number}}) { nodes { number } }
        organisations(first: 9, where: {creditCode: $code}) { nodes { creditCode } } }"""

    found = await ask(
        province,
        document,
        part=f" {permit.number[8:].lower()}",
        number=permit.number.translate(wide),
        code=[code.lower(), f"{code.translate(wide)}\u3000"],
    )

    assert [found[name]["nodes"] for name in ("part", "whole", "organisations")] == [
        [{"number": permit.number}],
        [{"number": permit.number}],
        [{"creditCode": code}],
    ]


async def test_limits_are_read_as_of_a_day(owner: asyncpg.Connection) -> None:
    await stop_clock(owner, NOON)
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)
    await execute_as(
        province,
        change_permit_limits,
        id=permit.id,
        limits=[{"pollutant": "SO2", "quantity": "100"}],
        effective_from=date(2022, 7, 1),
        source="decision 7",
    )
    holder = await create_officer(emitter)

    answers = [
        (await ask(holder, PERMITS, asOf=day))["permits"]["nodes"][0]["limits"]
        for day in (None, "2022-07-01", "2019-01-01")
    ]

    assert [[limit["quantity"] for limit in limits] for limits in answers] == [
        ["7.000", "120.500"],
        ["7.000", "100.000"],
        [],
    ]
    assert answers[0][1]["effectiveUntil"] == "2022-06-30"


async def test_the_public_reads_permits_without_their_limits(owner: asyncpg.Connection) -> None:
    await stop_clock(owner, NOON)
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)
    await register_new_permit(province, emitter, number=f"{emitter.credit_code}002P")
    await execute_as(
        province, revoke_permit, id=permit.id, ending="deregistered", reason="closed down"
    )

    revoked, standing = (await ask(None, PERMITS))["permits"]["nodes"]

    assert (revoked["state"], revoked["effective"]) == ("REVOKED", False)
    assert (standing["state"], standing["effective"], standing["category"]) == (
        "IN_FORCE",
        True,
        "KEY",
    )
    assert (standing["limits"], standing["outlets"]) == (None, None)
    assert standing["maskedFields"] == ["limits", "outlets"]
    assert standing["organisation"] == {"name": emitter.name}
    assert standing["issuedBy"] == {"nameEn": "Tangshan"}


async def test_the_authority_sees_outlets_and_what_it_may_do() -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    await register_new_permit(province, emitter)

    (permit,) = (await ask(province, PERMITS))["permits"]["nodes"]

    assert permit["outlets"] == [
        {"code": "DA001", "medium": "AIR", "riverSystem": None},
        {"code": "DW001", "medium": "WATER", "riverSystem": {"code": "luan", "basin": "HAI"}},
    ]
    assert permit["availableActions"] == ["CHANGE", "REVOKE"]


async def test_a_permit_is_registered_previewed_and_refused() -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    sent = {
        "idempotencyKey": "api-1",
        "number": f"{emitter.credit_code}001P",
        "organisation": to_global_id("Organisation", emitter.id),
        "issuedBy": "130200",
        "category": "KEY",
        "validFrom": "2020-01-01",
        "validUntil": "2024-12-31",
        "limits": [{"pollutant": "SO2", "quantity": "1.5"}],
        "outlets": [{"code": "DW001", "riverSystem": "luan"}],
        "source": "permit platform",
    }

    foreseen = await ask(province, REGISTER, input=sent | {"preview": True})
    wrong = await ask(province, REGISTER, input=sent | {"outlets": [{"code": "DW001"}]})
    other = await ask(province, REGISTER, input=sent | {"number": "91130200699229617X001P"})
    done = await ask(province, REGISTER, input=sent)

    assert foreseen["registerPermit"] == {"__typename": "Preview", "nextState": "IN_FORCE"}
    assert wrong["registerPermit"]["field"] == "outlets.riverSystem"
    assert other["registerPermit"]["code"] == "CONDITIONS_UNMET"
    assert done["registerPermit"]["limits"] == [{"quantity": "1.500"}]


async def test_a_project_is_public_and_its_demand_is_for_its_developer() -> None:
    province, developer = await create_province_officer(), await create_officer_of("enterprise")
    stranger = await create_officer_of("enterprise")
    project = await register_new_project(province, developer.organisation_id)
    await execute_as(
        province, assess_demand, id=project.id, demands=[{"pollutant": "SO2"}], source="article"
    )

    own = (await ask(developer, PROJECTS))["constructionProjects"]["nodes"]
    others = (await ask(stranger, PROJECTS))["constructionProjects"]["nodes"]

    assert own == [
        {
            "name": project.name,
            "state": "ASSESSED",
            "division": {"code": "131000"},
            "demands": [{"quantity": None, "source": "article", "pollutant": {"code": "SO2"}}],
        }
    ]
    assert others == [own[0] | {"demands": None}]


async def test_a_demand_is_assessed_by_the_authority_and_refused_to_others() -> None:
    province, developer = await create_province_officer(), await create_officer_of("enterprise")
    project = await register_new_project(province, developer.organisation_id)
    sent = {
        "idempotencyKey": "api-1",
        "id": to_global_id("ConstructionProject", project.id),
        "demands": [{"pollutant": "SO2", "quantity": "120"}],
        "source": "EIA",
    }

    refused = await ask(developer, ASSESS, input=sent)
    done = await ask(province, ASSESS, input=sent)

    assert refused["assessDemand"]["code"] == "FORBIDDEN"
    assert done["assessDemand"]["demands"] == [{"quantity": "120.000"}]


async def test_assessments_of_cities_are_public() -> None:
    await create_assessment(await create_province_officer())
    document = "{ assessments(first: 1) { nodes { year medium city { code } qualityAttained } } }"

    found = (await ask(None, document))["assessments"]["nodes"]

    assert found == [
        {"year": 2021, "medium": "AIR", "city": {"code": "131000"}, "qualityAttained": True}
    ]
