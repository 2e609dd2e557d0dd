"""Parties over GraphQL: what is masked, what is narrowed, what a mutation answers."""

from typing import Any

from registry.access.principals import Principal
from schema.framework.context import Context
from schema.framework.global_ids import to_global_id
from schema.root import build_api_schema
from tests.support.builders import (
    LANGFANG,
    TANGSHAN,
    create_officer,
    create_officer_of,
    create_organisation,
    create_sanction,
    make_credit_code,
    principal_of,
)
from tests.support.payloads import flatten_payloads

MINE = ("Organisation", "Person", "Appointment", "Sanction", "Client")
REGISTER = """mutation ($input: RegisterOrganisationInput!) { registerOrganisation(input: $input) {
    __typename
    ... on OrganisationPayload { replayed
        organisation { id name kind county { code } creditCode availableActions } }
    ... on Preview { nextState }
    ... on Refusal { code field message { en zh } rule nearMisses { rule } } } }"""
CHANGE = """mutation ($input: ChangeOrganisationInput!) { changeOrganisation(input: $input) {
    ... on OrganisationPayload { organisation { name nameEn } }
    ... on Refusal { code field conditions { name met } } } }"""
APPOINT = """mutation ($input: AppointInput!) { appoint(input: $input) {
    ... on AppointmentPayload { appointment { id state effective person { name }
        proposingOrganisation { name } availableActions } }
    ... on Refusal { code field } } }"""
ORGANISATIONS = """query ($where: OrganisationWhere) { organisations(first: 10, where: $where) {
    nodes { name creditCode twoRepresentatives maskedFields } } }"""
SANCTIONS = "{ sanctions(first: 10) { nodes { kind effective organisation { name } } } }"


async def ask(caller: Principal, document: str, **variables: object) -> dict[str, Any]:
    result = await build_api_schema().execute(
        document, variable_values=variables, context_value=Context(caller)
    )
    assert result.errors is None, result.errors
    assert result.data is not None
    return flatten_payloads(result.data)


def create_works(**changed: object) -> dict[str, object]:
    return {
        "idempotencyKey": "k",
        "kind": "ENTERPRISE",
        "name": "a works",
        "division": "131024",
        "creditCode": make_credit_code(7),
    } | changed


async def test_an_organisation_is_previewed_registered_and_replayed() -> None:
    centre = await principal_of(await create_officer_of("centre"))

    shown = await ask(centre, REGISTER, input=create_works(preview=True))
    done = (await ask(centre, REGISTER, input=create_works()))["registerOrganisation"]
    again = (await ask(centre, REGISTER, input=create_works()))["registerOrganisation"]

    assert shown["registerOrganisation"] == {"__typename": "Preview", "nextState": "OPEN"}
    assert (done["county"], done["creditCode"]) == ({"code": "131024"}, make_credit_code(7))
    assert done["availableActions"] == ["CHANGE"]
    assert (again["id"], again["replayed"], done["replayed"]) == (done["id"], True, False)


async def test_a_refusal_names_field_or_rule() -> None:
    centre = await principal_of(await create_officer_of("centre"))
    works = await principal_of(await create_officer_of("enterprise"))

    wrong = await ask(centre, REGISTER, input=create_works(creditCode="91130200699229617Y"))
    foreign = await ask(works, REGISTER, input=create_works())

    assert wrong["registerOrganisation"]["code"] == "MALFORMED"
    assert wrong["registerOrganisation"]["field"] == "creditCode"
    assert "校验码" in wrong["registerOrganisation"]["message"]["zh"]
    assert foreign["registerOrganisation"]["code"] == "FORBIDDEN"


async def test_null_empties_and_silence_keeps() -> None:
    centre = await principal_of(await create_officer_of("centre"))
    body = await create_organisation(name="a works", name_en="Works")
    at = {"id": to_global_id("Organisation", body.id), "idempotencyKey": "1"}

    emptied = await ask(centre, CHANGE, input=at | {"nameEn": None})
    refused = await ask(centre, CHANGE, input=at | {"name": None, "idempotencyKey": "2"})

    assert emptied["changeOrganisation"] == {"name": "a works", "nameEn": None}
    assert (refused["changeOrganisation"]["code"], refused["changeOrganisation"]["field"]) == (
        "MALFORMED",
        "name",
    )


async def test_everybody_sees_cards_and_few_see_details() -> None:
    works = await create_organisation(city=TANGSHAN, name="mine", credit_code=make_credit_code(1))
    await create_organisation(city=LANGFANG, name="other", credit_code=make_credit_code(2))
    where = {"kind": "ENTERPRISE"}

    mine = await ask(await principal_of(await create_officer(works)), ORGANISATIONS, where=where)
    public = await ask(Principal(), ORGANISATIONS, where=where | {"city": TANGSHAN})

    assert [(o["name"], o["creditCode"]) for o in mine["organisations"]["nodes"]] == [
        ("mine", make_credit_code(1)),
        ("other", make_credit_code(2)),
    ]
    (card,) = public["organisations"]["nodes"]
    assert (card["creditCode"], card["twoRepresentatives"]) == (make_credit_code(1), None)
    assert set(card["maskedFields"]) == {"twoRepresentatives", "installedMw"}


async def test_an_appointment_shows_who_proposed_it_and_whether_it_is_in_force() -> None:
    body = await create_organisation(name="a works")
    officer, colleague = await create_officer(body), await create_officer(body)
    caller = await principal_of(officer)

    post = await ask(
        caller,
        APPOINT,
        input={
            "idempotencyKey": "k",
            "person": to_global_id("Person", colleague.person_id),
            "organisation": to_global_id("Organisation", body.id),
            "division": "130281",
            "mayApprove": True,
        },
    )

    assert post["appoint"]["state"] == "PROPOSED"
    assert not post["appoint"]["effective"]
    assert post["appoint"]["proposingOrganisation"] == {"name": "a works"}
    assert post["appoint"]["availableActions"] == ["END"]


async def test_a_sanction_is_seen_by_whom_it_bars_and_by_no_stranger() -> None:
    body = await create_organisation(name="a works")
    await create_sanction(body)

    answered = await ask(await principal_of(await create_officer(body)), SANCTIONS)
    stranger = await ask(await principal_of(await create_officer_of("enterprise")), SANCTIONS)

    assert answered["sanctions"]["nodes"] == [
        {"kind": "PENALTY_PERIOD", "effective": True, "organisation": {"name": "a works"}}
    ]
    assert stranger["sanctions"]["nodes"] == []
