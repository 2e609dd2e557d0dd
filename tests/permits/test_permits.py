from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from registry.kernel.errors import (
    ConditionsUnmet,
    Duplicate,
    Forbidden,
    Malformed,
    NotFound,
)
from registry.parties.records import Appointment
from registry.permits.operations import change_permit_limits, register_permit, revoke_permit
from registry.permits.records import Outlet, Permit, PermitLimit
from registry.permits.rules import day_before
from tests.permits.builders import (
    DAY,
    FIRST,
    LAST,
    NOON,
    create_emitter,
    create_province_officer,
    execute_as,
    permit_args,
    register_new_permit,
)
from tests.support.builders import (
    LANGFANG,
    TANGSHAN,
    count_audit_entries,
    create_officer_of,
    create_organisation,
    stop_clock,
)


async def limit_of(permit: Permit, pollutant: str, on: date) -> int:
    """The limit on record for a day."""
    limits = await PermitLimit.filter(
        permit_id=permit.id, pollutant=pollutant, effective_from__lte=on
    )
    (limit,) = (each for each in limits if (each.effective_until or date.max) >= on)
    return int(limit.quantity)


async def test_a_registered_permit_has_limits_outlets_and_basins() -> None:
    province, emitter = await create_province_officer(), await create_emitter()

    permit = await register_new_permit(province, emitter)

    assert (permit.state, permit.city) == ("in_force", TANGSHAN)
    assert {
        limit.pollutant: limit.quantity for limit in await PermitLimit.filter(permit_id=permit.id)
    } == {
        "SO2": 120_500,
        "COD": 7_000,
    }
    assert [
        (outlet.code, outlet.medium, outlet.river_system)
        for outlet in await Outlet.filter(permit_id=permit.id).order_by("code")
    ] == [
        ("DA001", "air", None),
        ("DW001", "water", "luan"),
    ]


@pytest.mark.parametrize(
    ("city", "allowed"), [(TANGSHAN, True), (LANGFANG, False)], ids=["inside", "outside"]
)
async def test_a_city_registers_permits_inside_itself_alone(city: str, *, allowed: bool) -> None:
    officer, emitter = await create_officer_of("city", city=city), await create_emitter()

    if allowed:
        assert await register_new_permit(officer, emitter)
    else:
        with pytest.raises(Forbidden):
            await register_new_permit(officer, emitter)
        assert await Permit.all().count() == 0


@pytest.mark.parametrize("kind", ["enterprise", "county", "centre", "bank", "auditor"])
async def test_who_issues_no_permits_registers_none(kind: str) -> None:
    officer, emitter = await create_officer_of(kind), await create_emitter()

    with pytest.raises(Forbidden):
        await register_new_permit(officer, emitter)


async def test_registering_needs_the_right_to_initiate() -> None:
    officer, emitter = await create_province_officer(may_initiate=False), await create_emitter()

    with pytest.raises(Forbidden) as refusal:
        await register_new_permit(officer, emitter)

    assert refusal.value.rule == "N-30/register"


async def test_a_permit_number_is_that_of_its_holder() -> None:
    province, emitter, other = (
        await create_province_officer(),
        await create_emitter(1),
        await create_emitter(2),
    )

    with pytest.raises(ConditionsUnmet) as refusal:
        await register_new_permit(province, emitter, number=f"{other.credit_code}001P")

    unmet = [condition.name for condition in refusal.value.conditions if not condition.met]
    assert unmet == ["number_is_the_holders"]
    assert await count_audit_entries() == 0


@pytest.mark.parametrize(("number", "allowed"), [("H9130200000000001A001P", True), ("", False)])
async def test_an_organisation_without_a_credit_code_has_a_number_of_that_form(
    number: str, *, allowed: bool
) -> None:
    province, body, other = (
        await create_province_officer(),
        await create_organisation(),
        await create_emitter(),
    )
    args = permit_args(body, number=number or f"{other.credit_code}001P")

    if allowed:
        assert (await execute_as(province, register_permit, **args)).record.number == number
    else:
        with pytest.raises(ConditionsUnmet):
            await execute_as(province, register_permit, **args)


async def test_a_closed_organisation_gets_no_permit() -> None:
    province, emitter = await create_province_officer(), await create_emitter(state="closed")

    with pytest.raises(ConditionsUnmet) as refusal:
        await register_new_permit(province, emitter)

    assert [c.name for c in refusal.value.conditions if not c.met] == ["organisation_open"]


async def test_a_permit_number_is_registered_once() -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    await register_new_permit(province, emitter)

    with pytest.raises(Duplicate):
        await register_new_permit(province, emitter)

    assert await Permit.all().count() == 1


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("number", {"number": "123"}),
        ("issuedBy", {"issued_by": "139999"}),
        ("source", {"source": " "}),
        ("validUntil", {"valid_until": date(2019, 12, 31)}),
        ("limits", {"limits": []}),
        ("limits.pollutant", {"limits": [{"pollutant": "GOLD", "quantity": "1"}]}),
        ("limits.pollutant", {"limits": [{"pollutant": "SO2", "quantity": "1"}] * 2}),
        ("limits.quantity", {"limits": [{"pollutant": "SO2", "quantity": "1.0001"}]}),
        ("outlets.code", {"outlets": [{"code": "DX001"}]}),
        ("outlets.code", {"outlets": [{"code": "DA001"}, {"code": "da001"}]}),
        ("outlets.riverSystem", {"outlets": [{"code": "DW001"}]}),
        ("outlets.riverSystem", {"outlets": [{"code": "DA001", "river_system": "luan"}]}),
        ("outlets.riverSystem", {"outlets": [{"code": "DW001", "river_system": "nile"}]}),
    ],
)
async def test_a_malformed_permit_is_refused_by_field(field: str, wrong: dict[str, Any]) -> None:
    province, emitter = await create_province_officer(), await create_emitter()

    with pytest.raises(Malformed) as refusal:
        await register_new_permit(province, emitter, **wrong)

    assert refusal.value.field == field
    assert await Permit.all().count() == 0


async def test_an_unknown_holder_is_not_found() -> None:
    province, emitter = await create_province_officer(), await create_emitter()

    with pytest.raises(NotFound):
        await register_new_permit(province, emitter, organisation=uuid4())


async def test_a_preview_registers_nothing() -> None:
    province, emitter = await create_province_officer(), await create_emitter()

    outcome = await execute_as(province, register_permit, preview=True, **permit_args(emitter))

    assert outcome.preview is not None
    assert outcome.preview.next_state == "in_force"
    assert await Permit.all().count() == 0


async def test_the_same_key_registers_once() -> None:
    province, emitter = await create_province_officer(), await create_emitter()

    first = await execute_as(province, register_permit, key="same", **permit_args(emitter))
    again = await execute_as(province, register_permit, key="same", **permit_args(emitter))

    assert (again.is_replay, again.record) == (True, first.record)
    assert await count_audit_entries() == 1


async def test_a_change_of_limits_leaves_the_past_as_it_was() -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)
    spring, summer = date(2022, 3, 1), date(2022, 7, 1)

    await _change(province, permit, "100", spring)
    await _change(province, permit, "90", summer)

    asked = [FIRST, day_before(spring), spring, day_before(summer), summer, LAST]
    assert [await limit_of(permit, "SO2", day) for day in asked] == [
        120_500,
        120_500,
        100_000,
        100_000,
        90_000,
        90_000,
    ]
    assert await limit_of(permit, "COD", LAST) == 7_000


@pytest.mark.parametrize(
    ("effective_from", "unmet"),
    [
        (date(2022, 3, 1), "change_is_later_than_the_newest"),
        (date(2021, 3, 1), "change_is_later_than_the_newest"),
        (date(2025, 1, 1), "change_is_within_the_permit"),
    ],
    ids=["same day", "before", "after the permit"],
)
async def test_no_limit_changes_over_an_existing_change(effective_from: date, unmet: str) -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)
    await _change(province, permit, "100", date(2022, 3, 1))

    with pytest.raises(ConditionsUnmet) as refusal:
        await _change(province, permit, "1", effective_from)

    assert [c.name for c in refusal.value.conditions if not c.met] == [unmet]
    assert await PermitLimit.filter(permit_id=permit.id, pollutant="SO2").count() == 2


async def test_a_pollutant_without_a_limit_gets_one_by_a_change() -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)

    args: dict[str, Any] = {
        "limits": [{"pollutant": "NOX", "quantity": "0"}],
        "effective_from": FIRST,
    }
    await execute_as(province, change_permit_limits, id=permit.id, source="decision", **args)

    assert await limit_of(permit, "NOX", FIRST) == 0


async def test_a_revoked_permit_was_in_force_until_the_day_before(
    owner: asyncpg.Connection,
) -> None:
    await stop_clock(owner, NOON)
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)

    revoked = (
        await execute_as(
            province, revoke_permit, id=permit.id, ending="deregistered", reason="closed down"
        )
    ).record

    assert (revoked.state, revoked.revoked_on) == ("revoked", DAY)


async def test_a_revoked_permit_is_changed_no_more() -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)
    await execute_as(
        province, revoke_permit, id=permit.id, ending="deregistered", reason="closed down"
    )

    with pytest.raises(Forbidden):
        await _change(province, permit, "1", LAST)
    with pytest.raises(Forbidden):
        await execute_as(
            province, revoke_permit, id=permit.id, ending="deregistered", reason="again"
        )


async def test_revoking_needs_a_reason_and_the_right_to_approve() -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    clerk = await create_province_officer(may_approve=False)
    permit = await register_new_permit(province, emitter)

    with pytest.raises(Malformed):
        await execute_as(province, revoke_permit, id=permit.id, ending="deregistered", reason=" ")
    with pytest.raises(Forbidden) as refusal:
        await execute_as(
            clerk, revoke_permit, id=permit.id, ending="deregistered", reason="closed down"
        )

    assert refusal.value.rule == "N-60/revoke"


async def test_an_unknown_permit_is_not_found() -> None:
    province = await create_province_officer()

    with pytest.raises(NotFound):
        await execute_as(
            province, revoke_permit, id=uuid4(), ending="deregistered", reason="closed down"
        )


async def test_a_permit_moves_with_its_holder(owner: asyncpg.Connection) -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)

    await owner.execute("UPDATE organisation SET city = $2 WHERE id = $1", emitter.id, LANGFANG)

    assert (await Permit.get(id=permit.id)).city == LANGFANG


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE permit_limit SET quantity = 1",
        "UPDATE permit_limit SET effective_until = '2030-01-01' WHERE pollutant = 'SO2'",
        "DELETE FROM permit_limit",
        "UPDATE outlet SET code = 'DA002' WHERE code = 'DA001'",
    ],
)
async def test_what_was_recorded_of_a_permit_stays(
    owner: asyncpg.Connection, statement: str
) -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)
    await _change(province, permit, "100", date(2022, 3, 1))
    closed = "UPDATE permit_limit SET effective_until = '2030-01-01' WHERE effective_until IS NULL"
    await owner.execute(closed)

    with pytest.raises(asyncpg.PostgresError) as error:
        await owner.execute(statement)

    assert error.value.sqlstate == "BD009"


async def test_limits_of_one_pollutant_never_overlap(owner: asyncpg.Connection) -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)

    with pytest.raises(asyncpg.ExclusionViolationError):
        await owner.execute(
            "INSERT INTO permit_limit VALUES ($1, $2, 'SO2', 1, '2022-01-01', '2022-02-01', 'x')",
            uuid4(),
            permit.id,
        )


async def _change(who: Appointment, permit: Permit, quantity: str, effective_from: date) -> None:
    limits = [{"pollutant": "SO2", "quantity": quantity}]
    await execute_as(
        who,
        change_permit_limits,
        id=permit.id,
        limits=limits,
        effective_from=effective_from,
        source="decision 7",
    )


async def test_f14_a_permit_that_is_ended_says_by_which_act() -> None:
    province, emitter = await create_province_officer(), await create_emitter()
    permit = await register_new_permit(province, emitter)

    with pytest.raises(Malformed) as refusal:
        await execute_as(province, revoke_permit, id=permit.id, ending="expired", reason="over")
    ended = await execute_as(
        province, revoke_permit, id=permit.id, ending="forfeited", reason="penalty 7"
    )

    assert refusal.value.field == "ending"
    assert ended.record.ending == "forfeited"
