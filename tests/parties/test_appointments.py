"""Offices without a role, and appointments as they stood at a moment."""

from datetime import timedelta

import asyncpg
import pytest

from registry.kernel.errors import Forbidden, Malformed
from registry.parties.operations import (
    appoint,
    countersign_appointment,
    end_appointment,
    register_organisation,
    register_person,
)
from registry.parties.records import Organisation
from schema.framework.global_ids import to_global_id
from tests.support.answers import answer_to
from tests.support.builders import (
    LONG_AGO,
    PROVINCE,
    create_officer,
    create_officer_of,
    install_rules,
    perform,
    stop_clock,
    viewer_of,
)
from tests.support.cluster import Database

EFFECTIVE = """query ($id: ID!, $at: DateTime!) {
    node(id: $id) { ... on Appointment { effective(asOf: $at) } } }"""
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
async def _rules(database: Database, owner: asyncpg.Connection) -> None:
    await install_rules(owner)


async def test_an_office_without_role_has_no_officers() -> None:
    province = await create_officer_of("province")
    office = await perform(
        register_organisation, province, kind="tax_bureau", name="税务局", division=PROVINCE
    )
    someone = await perform(
        register_person, province, organisation=office.record.id, subject="somebody", name="某人"
    )

    with pytest.raises(Malformed) as refused:
        await perform(
            appoint,
            province,
            organisation=office.record.id,
            person=someone.record.id,
            may_initiate=True,
        )

    assert refused.value.field == "organisation"


async def test_only_the_province_registers_an_office() -> None:
    centre = await create_officer_of("centre")

    with pytest.raises(Forbidden):
        await perform(
            register_organisation, centre, kind="price_authority", name="发改委", division=PROVINCE
        )


async def test_an_appointment_is_read_as_of_an_instant(owner: asyncpg.Connection) -> None:
    begin = LONG_AGO + 100 * DAY
    first = await create_officer_of("enterprise")
    organisation = first.organisation_id
    second = await create_officer(await Organisation.get(id=organisation))
    await stop_clock(owner, begin)
    person = (
        await perform(
            register_person, first, organisation=organisation, subject="li-wei", name="李"
        )
    ).record
    proposed = await perform(
        appoint, first, organisation=organisation, person=person.id, may_initiate=True
    )
    await stop_clock(owner, begin + DAY)
    await perform(countersign_appointment, second, id=proposed.record.id)
    await stop_clock(owner, begin + 2 * DAY)
    await perform(end_appointment, first, id=proposed.record.id)

    answered = [
        (await answer_to(viewer_of(first), EFFECTIVE, id=id, at=at.isoformat()))["node"]
        for id in (to_global_id("Appointment", proposed.record.id),)
        for at in (begin + days * DAY for days in (-1, 0, 1, 2))
    ]

    assert [node["effective"] for node in answered] == [False, False, True, False]
