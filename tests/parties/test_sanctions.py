"""Sanctions and client programs, through the frame, against a real PostgreSQL."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from registry.access.principals import OPERATOR_PRINCIPAL
from registry.access.viewer_lookup import resolve_viewer
from registry.kernel.errors import (
    ClientNotRegistered,
    ConditionsUnmet,
    Duplicate,
    Forbidden,
    Malformed,
    NotFound,
)
from registry.parties.operations import (
    change_organisation,
    impose_sanction,
    lift_sanction,
    register_client,
    register_person,
    revoke_client,
)
from registry.parties.records import Client, Sanction
from tests.support.builders import (
    LANGFANG,
    LONG_AGO,
    TANGSHAN,
    create_client,
    create_officer,
    create_officer_of,
    create_organisation,
    create_sanction,
    get_centre,
    perform,
    principal_of,
)

SANCTION_TERMS: dict[str, Any] = {
    "kind": "penalty_period",
    "reason": "discharge above the limit",
    "source": "唐环罚〔2022〕17号",
}


async def test_a_city_bars_an_enterprise_inside_itself_until_it_lifts_the_sanction() -> None:
    city = await create_officer_of("city", city=TANGSHAN)
    body = await create_organisation(city=TANGSHAN)
    caller = await principal_of(await create_officer(body))

    imposed = await perform(impose_sanction, city, organisation=body.id, **SANCTION_TERMS)
    barred = await resolve_viewer(caller)
    lifted = await perform(lift_sanction, city, id=imposed.record.id, reason="corrected")

    assert barred.is_sanctioned
    assert not (await resolve_viewer(caller)).is_sanctioned
    assert (lifted.record.state, lifted.record.lifted_reason) == ("lifted", "corrected")
    with pytest.raises(Forbidden):
        await perform(lift_sanction, city, id=imposed.record.id, reason="again")


async def test_a_city_bars_nobody_outside_itself() -> None:
    city = await create_officer_of("city", city=TANGSHAN)
    body = await create_organisation(city=LANGFANG)

    with pytest.raises(Forbidden):
        await perform(impose_sanction, city, organisation=body.id, **SANCTION_TERMS)


async def test_a_city_does_not_lift_what_the_province_imposed() -> None:
    city, province = (
        await create_officer_of("city", city=TANGSHAN),
        await create_officer_of("province"),
    )
    body = await create_organisation(city=TANGSHAN)
    imposed = await perform(impose_sanction, province, organisation=body.id, **SANCTION_TERMS)

    with pytest.raises(Forbidden) as refusal:
        await perform(lift_sanction, city, id=imposed.record.id, reason="please")

    assert refusal.value.near_misses[0].rule == "S-21"
    assert (await perform(lift_sanction, province, id=imposed.record.id, reason="done")).record


async def test_no_authority_is_sanctioned() -> None:
    province = await create_officer_of("province")

    with pytest.raises(ConditionsUnmet) as refusal:
        await perform(
            impose_sanction,
            province,
            organisation=(await create_organisation("city")).id,
            **SANCTION_TERMS,
        )

    assert [c.name for c in refusal.value.conditions if not c.met] == ["market_party"]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("kind", {"kind": "scolding"}),
        ("reason", {"reason": " "}),
        ("source", {"source": "x" * 501}),
        ("endsAt", {"ends_at": LONG_AGO}),
    ],
)
async def test_a_wrong_measure_is_refused_by_its_name(field: str, wrong: dict[str, Any]) -> None:
    province = await create_officer_of("province")
    body = await create_organisation()

    with pytest.raises(Malformed) as refusal:
        await perform(impose_sanction, province, organisation=body.id, **SANCTION_TERMS | wrong)

    assert refusal.value.field == field


async def test_a_sanction_ends_by_the_clock(owner: asyncpg.Connection) -> None:
    body = await create_organisation()
    caller = await principal_of(await create_officer(body))
    now = await owner.fetchval("SELECT registry_now()")

    await create_sanction(body, starts_at=LONG_AGO, ends_at=now - timedelta(seconds=1))
    await create_sanction(body, starts_at=now + timedelta(hours=1))

    assert not (await resolve_viewer(caller)).is_sanctioned


async def test_a_client_does_no_more_than_its_scopes() -> None:
    province = await create_officer_of("province")
    works = await create_organisation()
    officer = await create_officer(works)
    portal = await create_organisation("portal")
    await perform(
        register_client,
        province,
        organisation=portal.id,
        name="partner",
        scopes=["Person:register", "Organisation:view", "Person:view"],
    )
    through = await principal_of(officer, client="partner")

    with pytest.raises(Forbidden) as refusal:
        await perform(change_organisation, through, id=works.id, name_en="x y")

    assert refusal.value.rule == "N-01"
    await perform(
        register_person, through, organisation=works.id, subject="by.partner", name="somebody"
    )


async def test_a_revoked_client_does_nothing() -> None:
    province = await create_officer_of("province")
    works = await create_organisation()
    officer = await create_officer(works)
    client = await create_client(works, "Organisation:view", "Organisation:change")
    through = await principal_of(officer, client=client.name)
    await perform(change_organisation, through, id=works.id, name_en="Before")

    await perform(revoke_client, province, id=client.id)

    with pytest.raises(ClientNotRegistered):
        await perform(change_organisation, through, id=works.id, name_en="After")
    with pytest.raises(Forbidden):
        await perform(revoke_client, province, id=client.id)


async def test_no_scope_is_granted_that_is_of_use_to_the_system_alone() -> None:
    province, scope = await create_officer_of("province"), "Organisation:bootstrap"

    with pytest.raises(ConditionsUnmet) as refusal:
        await perform(
            register_client,
            province,
            organisation=(await create_organisation("portal")).id,
            name="greedy",
            scopes=[scope],
        )

    assert [c.name for c in refusal.value.conditions if not c.met] == ["scopes_of_use"]
    assert scope in refusal.value.message.en


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("scopes", {"scopes": ["Transfer:steal"]}),
        ("scopes", {"scopes": ["everything"]}),
        ("name", {"name": "Not A Name"}),
    ],
)
async def test_a_wrong_client_is_refused_by_its_name(field: str, wrong: dict[str, Any]) -> None:
    province = await create_officer_of("province")
    args: dict[str, Any] = {
        "organisation": (await create_organisation("portal")).id,
        "name": "ok",
        "scopes": [],
    }

    with pytest.raises(Malformed) as refusal:
        await perform(register_client, province, **args | wrong)

    assert refusal.value.field == field


async def test_first_party_clients_belong_to_the_operator() -> None:
    province, centre = await create_officer_of("province"), await get_centre()
    args: dict[str, Any] = {"organisation": centre.id, "name": "console", "scopes": []}

    with pytest.raises(ConditionsUnmet) as refusal:
        await perform(register_client, province, first_party=True, **args)
    with pytest.raises(ConditionsUnmet):
        await perform(register_client, OPERATOR_PRINCIPAL, **args)
    await perform(register_client, OPERATOR_PRINCIPAL, first_party=True, **args)

    assert refusal.value.conditions[1].name == "first_party_by_operator"
    assert (await Client.get(name="console")).first_party
    with pytest.raises(Duplicate) as taken:
        await perform(register_client, OPERATOR_PRINCIPAL, first_party=True, **args)
    assert taken.value.field == "name"


async def test_a_stranger_does_not_see_a_sanction() -> None:
    sanction = await create_sanction(await create_organisation())

    with pytest.raises(NotFound):
        await perform(
            lift_sanction, await create_officer_of("enterprise"), id=sanction.id, reason="no"
        )

    assert (await Sanction.get(id=sanction.id)).state == "in_force"
