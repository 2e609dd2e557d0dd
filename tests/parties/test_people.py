"""People and their appointments, through the frame, against a real PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from registry.access.principals import Principal
from registry.db.session import transaction
from registry.kernel.errors import (
    AppointmentRequired,
    ConditionsUnmet,
    Duplicate,
    Forbidden,
    Malformed,
    NotFound,
)
from registry.parties.operations import (
    appoint,
    change_organisation,
    countersign_appointment,
    end_appointment,
    register_person,
)
from registry.parties.records import Appointment, Organisation
from tests.support.builders import (
    LANGFANG,
    TANGSHAN,
    count_audit_entries,
    create_officer,
    create_officer_of,
    create_organisation,
    create_person,
    get_province,
    perform,
    principal_of,
    stop_clock,
)

NOW = datetime(2022, 6, 7, 2, tzinfo=UTC)


async def create_two_officers(organisation: Organisation) -> tuple[Appointment, Appointment]:
    return await create_officer(organisation), await create_officer(organisation)


async def propose(
    organisation: Organisation, proposer: Appointment, **terms: object
) -> Appointment:
    person = await create_person(organisation)
    args: dict[str, Any] = {
        "person": person.id,
        "organisation": organisation.id,
        "may_initiate": True,
    } | terms
    return (await perform(appoint, proposer, **args)).record


async def test_the_first_officers_of_an_organisation_are_appointed_externally() -> None:
    centre, second = await create_officer_of("centre"), await create_officer_of("centre")
    body = await create_organisation()

    person = await perform(
        register_person, centre, organisation=body.id, subject="wang.wu", name="王五"
    )
    post = await perform(
        appoint, centre, person=person.record.id, organisation=body.id, may_initiate=True
    )
    signed = await perform(countersign_appointment, second, id=post.record.id)

    assert (post.record.division, post.record.role) == (TANGSHAN, "enterprise")
    assert signed.record.state == "in_force"
    stored = await Appointment.get(id=post.record.id)
    assert stored.signatories == [centre.person_id, second.person_id]


async def test_an_organisation_with_two_officers_appoints_its_own() -> None:
    centre = await create_officer_of("centre")
    body = await create_organisation()
    first, second = await create_two_officers(body)

    post = await propose(body, first)
    signed = await perform(countersign_appointment, second, id=post.id)

    assert signed.record.state == "in_force"
    with pytest.raises(NotFound):
        await perform(
            appoint, centre, person=post.person_id, organisation=body.id, may_approve=True
        )
    with pytest.raises(Forbidden):
        await perform(
            register_person, centre, organisation=body.id, subject="mole", name="somebody"
        )


async def test_a_single_officer_is_helped_from_outside() -> None:
    centre = await create_officer_of("centre")
    body = await create_organisation()

    post = await propose(body, await create_officer(body))

    assert (await perform(countersign_appointment, centre, id=post.id)).record.state == "in_force"


async def test_the_centre_appoints_no_authority() -> None:
    centre = await create_officer_of("centre")
    bureau = await create_organisation("city")

    with pytest.raises(Forbidden):
        await perform(
            register_person, centre, organisation=bureau.id, subject="mole", name="somebody"
        )
    with pytest.raises(NotFound):
        await propose(
            bureau, centre, person=(await create_person(bureau, appointed_externally=True)).id
        )


async def test_nobody_countersigns_an_own_proposal() -> None:
    body = await create_organisation()
    first, _ = await create_two_officers(body)
    post = await propose(body, first)

    with pytest.raises(Forbidden) as refusal:
        await perform(countersign_appointment, first, id=post.id)

    assert refusal.value.rule == "N-07"
    assert (await Appointment.get(id=post.id)).state == "proposed"


async def test_an_appointment_is_countersigned_once() -> None:
    body = await create_organisation()
    first, second = await create_two_officers(body)
    post = await propose(body, first)
    await perform(countersign_appointment, second, id=post.id)

    with pytest.raises(Forbidden) as refusal:
        await perform(countersign_appointment, second, id=post.id)

    assert refusal.value.rule == "N-10"
    with pytest.raises(Forbidden) as refusal:
        await perform(countersign_appointment, await create_officer(body), id=post.id)
    assert refusal.value.near_misses[0].rule == "A-20"


async def test_of_two_who_countersign_at_once_one_does() -> None:
    body = await create_organisation()
    first, second = await create_two_officers(body)
    third = await create_officer(body)
    post = await propose(body, first)

    both = await asyncio.gather(
        perform(countersign_appointment, second, id=post.id),
        perform(countersign_appointment, third, id=post.id),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in both) == ["CommandResult", "Forbidden"]
    assert len((await Appointment.get(id=post.id)).signatories) == 2


async def test_the_database_takes_no_appointment_signed_by_one() -> None:
    body = await create_organisation()
    first, _ = await create_two_officers(body)

    with pytest.raises(Exception, match="appointment_two_people"):
        await create_officer(body, signatories=[first.person_id], submitted_by=first.person_id)


async def test_an_officer_without_approval_does_not_countersign() -> None:
    body = await create_organisation()
    first, _ = await create_two_officers(body)
    clerk = await create_officer(body, may_approve=False)
    post = await propose(body, first)

    with pytest.raises(Forbidden) as refusal:
        await perform(countersign_appointment, clerk, id=post.id)

    assert refusal.value.rule == "N-60/countersign"


async def test_a_foreign_appointment_is_not_there() -> None:
    body = await create_organisation()
    first, _ = await create_two_officers(body)
    post = await propose(body, first)

    with pytest.raises(NotFound):
        await perform(countersign_appointment, await create_officer_of("enterprise"), id=post.id)


async def test_one_person_has_one_side() -> None:
    province = await create_officer_of("province")
    bureau, works = await create_organisation("city"), await create_organisation()
    person = await create_person(works)

    with pytest.raises(ConditionsUnmet) as refusal:
        await propose(bureau, province, person=person.id)

    assert [c.name for c in refusal.value.conditions if not c.met] == ["one_side"]
    with pytest.raises(Malformed) as impossible:
        async with transaction():
            await create_officer(bureau, person=person)
    assert impossible.value.field == "person"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("role", {"role": "bank"}),
        ("division", {"division": LANGFANG}),
        ("division", {"division": "139999"}),
        ("validFrom", {"valid_from": NOW - timedelta(days=1)}),
        ("validUntil", {"valid_until": NOW}),
        ("mayInitiate", {"may_initiate": False}),
    ],
)
async def test_wrong_terms_are_refused_by_their_name(
    field: str, wrong: dict[str, Any], owner: asyncpg.Connection
) -> None:
    await stop_clock(owner, NOW)
    body = await create_organisation()
    first, _ = await create_two_officers(body)

    with pytest.raises(Malformed) as refusal:
        await propose(body, first, **wrong)

    assert refusal.value.field == field
    assert await count_audit_entries() == 0


async def test_an_officer_of_a_city_may_be_kept_to_one_county() -> None:
    bureau = await create_organisation("city", city=LANGFANG)
    first, _ = await create_two_officers(bureau)

    post = await propose(bureau, first, division="131024")

    assert (post.role, post.division) == ("city", "131024")


async def test_the_same_appointment_is_not_proposed_twice() -> None:
    body = await create_organisation()
    first, _ = await create_two_officers(body)
    post = await propose(body, first)

    with pytest.raises(Duplicate) as refusal:
        await propose(body, first, person=post.person_id)

    assert refusal.value.field == "person"


async def test_a_subject_is_one_person() -> None:
    body = await create_organisation()
    officer = await create_officer(body)
    args: dict[str, Any] = {"organisation": body.id, "subject": "li.si", "name": "李四"}
    await perform(register_person, officer, **args)

    with pytest.raises(Duplicate) as refusal:
        await perform(register_person, officer, **args | {"name": "another"})

    assert refusal.value.field == "subject"
    with pytest.raises(Malformed) as short:
        await perform(register_person, officer, **args | {"subject": "li"})
    assert short.value.field == "subject"


async def test_a_closed_organisation_gets_no_people() -> None:
    province = await create_officer_of("province")
    body = await create_organisation(state="closed")

    with pytest.raises(ConditionsUnmet) as refusal:
        await perform(
            register_person, province, organisation=body.id, subject="late", name="somebody"
        )

    assert refusal.value.conditions[0].name == "organisation_open"


async def test_an_appointment_lapses_by_the_clock(owner: asyncpg.Connection) -> None:
    await stop_clock(owner, NOW)
    body = await create_organisation()
    officer = await create_officer(body, valid_until=NOW + timedelta(days=1))
    change: dict[str, Any] = {"id": body.id, "name_en": "Still Here"}
    await perform(change_organisation, officer, **change)

    await stop_clock(owner, NOW + timedelta(days=1))

    with pytest.raises(Forbidden) as changing:
        await perform(change_organisation, officer, **change)
    with pytest.raises(Forbidden) as registering:
        await perform(
            register_person, officer, organisation=body.id, subject="late", name="somebody"
        )
    assert changing.value.rule == registering.value.rule == "N-02"
    unnamed = Principal(subject=(await principal_of(officer)).subject)
    with pytest.raises(AppointmentRequired):
        await perform(change_organisation, unnamed, **change)


async def test_an_appointment_that_ran_out_is_not_countersigned(owner: asyncpg.Connection) -> None:
    await stop_clock(owner, NOW)
    body = await create_organisation()
    first, second = await create_two_officers(body)
    post = await propose(body, first, valid_until=NOW + timedelta(days=1))

    await stop_clock(owner, NOW + timedelta(days=2))

    with pytest.raises(ConditionsUnmet) as refusal:
        await perform(countersign_appointment, second, id=post.id)
    assert [c.name for c in refusal.value.conditions if not c.met] == ["period_ahead"]


async def test_a_late_countersignature_does_not_reach_back(owner: asyncpg.Connection) -> None:
    await stop_clock(owner, NOW)
    body = await create_organisation()
    first, second = await create_two_officers(body)
    post = await propose(body, first)

    await stop_clock(owner, NOW + timedelta(days=2))
    signed = await perform(countersign_appointment, second, id=post.id)

    assert signed.record.valid_from == NOW + timedelta(days=2)


async def test_a_dismissed_officer_can_do_nothing() -> None:
    body = await create_organisation()
    first, second = await create_two_officers(body)

    done = await perform(end_appointment, first, id=second.id)

    assert done.record.state == "ended"
    assert done.record.ended_at is not None
    with pytest.raises(Forbidden):
        await perform(change_organisation, second, id=body.id, name_en="Mine")


async def test_the_province_always_keeps_two_who_appoint() -> None:
    province = await get_province()
    first, second = await create_two_officers(province)

    with pytest.raises(ConditionsUnmet) as refusal:
        await perform(end_appointment, first, id=second.id)

    assert refusal.value.conditions[0].name == "province_stays_able"
    await create_officer(province)
    assert (await perform(end_appointment, first, id=second.id)).record.state == "ended"
