"""Registering, changing, closing and founding, through the frame, against a real PostgreSQL."""

from typing import Any

import asyncpg
import pytest

from policies.vocabulary import Text
from registry.access.principals import OPERATOR_PRINCIPAL, SYSTEM_PRINCIPAL, Principal
from registry.kernel.errors import (
    Condition,
    ConditionsUnmet,
    Duplicate,
    Forbidden,
    KeyReused,
    Malformed,
    Refused,
)
from registry.parties import CONCEPT as PARTIES
from registry.parties.bootstrap import FirstOfficer
from registry.parties.closing_checks import use_closing_checks
from registry.parties.operations import (
    bootstrap,
    change_organisation,
    close_organisation,
    end_appointment,
    register_organisation,
)
from registry.parties.records import Appointment, Organisation, Person
from tests.support.builders import (
    LANGFANG,
    PROVINCE,
    TANGSHAN,
    count_audit_entries,
    create_client,
    create_officer,
    create_officer_of,
    create_organisation,
    get_province,
    make_credit_code,
    perform,
)

FIRST_OFFICERS = [FirstOfficer("zhao", "赵一"), FirstOfficer("qian", "钱二")]
FOUNDING: dict[str, Any] = {
    "name": "河北省生态环境厅",
    "division": PROVINCE,
    "first_officers": FIRST_OFFICERS,
}


async def test_an_enterprise_is_registered_where_its_division_lies() -> None:
    officer = await create_officer_of("centre")

    done = await perform(
        register_organisation,
        officer,
        kind="enterprise",
        name="  香河能源  ",
        division="131024",
        credit_code="91130200699229617x",
        industry="4412",
        thermal_power=True,
        installed_mw=350,
    )

    stored = await Organisation.get(id=done.record.id)
    assert (stored.city, stored.county, stored.state) == (LANGFANG, "131024", "open")
    assert (stored.name, stored.credit_code) == ("香河能源", "91130200699229617X")
    assert not stored.demo
    assert stored.source == ""


async def test_a_bureau_of_a_city_has_no_county() -> None:
    officer = await create_officer_of("province")

    done = await perform(
        register_organisation, officer, kind="city", name="唐山市生态环境局", division=TANGSHAN
    )

    assert (done.record.city, done.record.county) == (TANGSHAN, "")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("creditCode", {"credit_code": "911302006992296170"}),
        ("division", {"division": "139999"}),
        ("division", {"division": "x"}),
        ("kind", {"kind": "friend"}),
        ("name", {"name": "   "}),
        ("name", {"name": "x"}),
        ("name", {"name": "x" * 201}),
        ("nameEn", {"name_en": "\x01\x02"}),
        ("industry", {"industry": "9999"}),
        ("sourceCategory", {"source_category": "nuclear"}),
        ("installedMw", {"installed_mw": -1}),
        ("division", {"kind": "city", "division": PROVINCE}),
        ("division", {"kind": "county", "division": TANGSHAN}),
        ("division", {"kind": "centre", "division": TANGSHAN}),
    ],
)
async def test_a_wrong_particular_is_refused_by_its_name(field: str, wrong: dict[str, Any]) -> None:
    officer = await create_officer_of("province")
    args: dict[str, Any] = {"kind": "enterprise", "name": "a works", "division": TANGSHAN} | wrong

    with pytest.raises(Malformed) as refusal:
        await perform(register_organisation, officer, **args)

    assert refusal.value.field == field
    assert refusal.value.message.en
    assert refusal.value.message.zh
    assert await count_audit_entries() == 0


@pytest.mark.parametrize(
    ("field", "same"),
    [
        ("name", {"name": "唐钢", "kind": "enterprise"}),
        ("creditCode", {"credit_code": make_credit_code(1), "kind": "enterprise"}),
        ("division", {"kind": "city"}),
        ("kind", {"kind": "centre", "division": PROVINCE}),
    ],
)
async def test_what_must_be_unique_is_refused_by_its_name(field: str, same: dict[str, Any]) -> None:
    officer = await create_officer_of("province")
    await create_organisation(name="唐钢", credit_code=make_credit_code(1))
    await create_organisation("city", city=TANGSHAN)
    await create_organisation("centre", city=PROVINCE)

    with pytest.raises(Duplicate) as refusal:
        await perform(
            register_organisation, officer, **({"name": "another", "division": TANGSHAN} | same)
        )

    assert refusal.value.field == field


async def test_a_closed_organisation_leaves_its_name_to_another() -> None:
    officer = await create_officer_of("province")
    await create_organisation(name="唐钢", state="closed")

    done = await perform(
        register_organisation, officer, kind="enterprise", name="唐钢", division=TANGSHAN
    )

    assert done.record.name == "唐钢"


async def test_the_centre_registers_no_authority() -> None:
    officer = await create_officer_of("centre")

    with pytest.raises(Forbidden) as refusal:
        await perform(
            register_organisation, officer, kind="city", name="a bureau", division=TANGSHAN
        )

    assert refusal.value.near_misses[0].rule == "O-21"


async def test_who_may_not_initiate_registers_nothing() -> None:
    officer = await create_officer(await get_province(), may_initiate=False)

    with pytest.raises(Forbidden) as refusal:
        await perform(register_organisation, officer, kind="bank", name="a bank", division=TANGSHAN)

    assert refusal.value.rule == "N-30/register"


async def test_the_same_key_registers_once() -> None:
    officer = await create_officer_of("centre")
    args: dict[str, Any] = {"kind": "bank", "name": "兴业银行", "division": TANGSHAN}

    first = await perform(register_organisation, officer, key="k", **args)
    again = await perform(register_organisation, officer, key="k", **args)

    assert again.is_replay
    assert again.record.id == first.record.id
    assert again.audit_entry_id == first.audit_entry_id
    assert await count_audit_entries() == 1
    with pytest.raises(KeyReused):
        await perform(register_organisation, officer, key="k", **args | {"name": "another"})


async def test_a_preview_registers_nothing_and_leaves_the_key() -> None:
    officer = await create_officer_of("centre")
    args: dict[str, Any] = {"kind": "bank", "name": "兴业银行", "division": TANGSHAN}

    shown = await perform(register_organisation, officer, key="k", preview=True, **args)

    assert shown.preview is not None
    assert shown.preview.next_state == "open"
    assert not await Organisation.exists(name="兴业银行")
    assert not (await perform(register_organisation, officer, key="k", **args)).is_replay


async def test_an_organisation_keeps_its_english_name_and_its_second_signature() -> None:
    officer = await create_officer_of("enterprise")

    done = await perform(
        change_organisation,
        officer,
        id=officer.organisation_id,
        name_en="Tangshan Steel",
        two_representatives=True,
    )

    assert done.record.name_en == "Tangshan Steel"
    stored = await Organisation.get(id=officer.organisation_id)
    assert stored.two_representatives
    assert stored.name_en == "Tangshan Steel"


@pytest.mark.parametrize(
    "change", [{"name": "x y"}, {"source_category": "other"}, {"two_representatives": False}]
)
async def test_an_organisation_does_not_change_what_its_rights_depend_on(
    change: dict[str, Any],
) -> None:
    body = await create_organisation(two_representatives=True)
    officer = await create_officer(body)

    with pytest.raises(ConditionsUnmet) as refusal:
        await perform(change_organisation, officer, id=body.id, **change)

    assert [c.name for c in refusal.value.conditions if not c.met] == ["changed_by_registrar"]
    assert next(iter(change)) in refusal.value.message.en


async def test_the_centre_corrects_and_empties_what_it_registered() -> None:
    officer = await create_officer_of("centre")
    body = await create_organisation(name_en="Wrong", two_representatives=True)

    await perform(
        change_organisation,
        officer,
        id=body.id,
        name="right",
        name_en=None,
        two_representatives=False,
    )

    stored = await Organisation.get(id=body.id)
    assert (stored.name, stored.name_en, stored.two_representatives) == ("right", None, False)


async def test_a_stranger_changes_no_organisation() -> None:
    officer = await create_officer_of("enterprise")
    other = await create_organisation()

    with pytest.raises(Forbidden):
        await perform(change_organisation, officer, id=other.id, name_en="mine")


async def test_an_organisation_closes_only_when_nothing_is_left() -> None:
    province = await create_officer_of("province")
    body = await create_organisation()
    officer = await create_officer(body)
    await create_client(body)

    async def rights(_organisation: object, _now: object) -> Condition:
        return Condition(
            name="no_rights",
            met=False,
            message=Text("It holds 30 t.", "持有30吨。"),
        )

    use_closing_checks((*PARTIES.closing_checks, rights))

    with pytest.raises(ConditionsUnmet) as refusal:
        await perform(close_organisation, province, id=body.id)

    unmet = {condition.name for condition in refusal.value.conditions if not condition.met}
    assert unmet == {"no_appointments", "no_clients", "no_rights"}
    assert "1 appointments" in refusal.value.message.en
    assert "30吨" in refusal.value.message.zh
    assert (await Appointment.get(id=officer.id)).state == "in_force"


async def test_a_closed_organisation_stays_closed() -> None:
    province = await create_officer_of("province")
    officer = await create_officer(await create_organisation())
    await perform(end_appointment, province, id=officer.id)

    done = await perform(close_organisation, province, id=officer.organisation_id)

    assert done.record.state == "closed"
    with pytest.raises(Forbidden) as refusal:
        await perform(close_organisation, province, id=officer.organisation_id)
    assert refusal.value.near_misses[0].rule == "O-40"


async def test_only_the_province_closes() -> None:
    officer = await create_officer_of("centre")

    with pytest.raises(Forbidden):
        await perform(close_organisation, officer, id=(await create_organisation()).id)


async def test_the_registry_begins_with_two_officers_in_one_audit_entry() -> None:
    done = await perform(bootstrap, OPERATOR_PRINCIPAL, **FOUNDING)

    posts = await Appointment.all()
    assert await count_audit_entries() == 1
    assert [(p.state, p.role, p.may_initiate, p.may_approve) for p in posts] == [
        ("in_force", "province", True, True)
    ] * 2
    assert {p.subject for p in await Person.all()} == {"zhao", "qian"}
    await perform(
        register_organisation,
        Principal(subject="zhao"),
        kind="centre",
        name="a centre",
        division=done.record.division,
    )


async def test_the_registry_begins_once() -> None:
    await perform(bootstrap, OPERATOR_PRINCIPAL, key="k", **FOUNDING)

    with pytest.raises(Forbidden) as refusal:
        await perform(bootstrap, OPERATOR_PRINCIPAL, **FOUNDING | {"name": "another"})

    assert refusal.value.near_misses[0].rule == "O-50"
    assert (await perform(bootstrap, OPERATOR_PRINCIPAL, key="k", **FOUNDING)).is_replay
    assert await Organisation.all().count() == 1


@pytest.mark.parametrize("caller", [SYSTEM_PRINCIPAL, Principal(subject="zhao"), Principal()])
async def test_nobody_but_the_operator_begins(caller: Principal) -> None:
    with pytest.raises(Refused):
        await perform(bootstrap, caller, **FOUNDING)

    assert not await Organisation.exists()


@pytest.mark.parametrize(
    "first_officers",
    [FIRST_OFFICERS[:1], [FIRST_OFFICERS[0]] * 2, [*FIRST_OFFICERS, FirstOfficer("sun", "孙三")]],
)
async def test_it_takes_two_different_people_to_begin(first_officers: list[FirstOfficer]) -> None:
    with pytest.raises(Malformed) as refusal:
        await perform(
            bootstrap, OPERATOR_PRINCIPAL, **FOUNDING | {"first_officers": first_officers}
        )

    assert refusal.value.field == "firstOfficers"


async def test_the_database_checks_the_side_of_every_kind(owner: asyncpg.Connection) -> None:
    body = await create_organisation("county", city=TANGSHAN, county="130281")

    assert (
        await owner.fetchval("SELECT side FROM organisation WHERE id = $1", body.id) == "official"
    )
