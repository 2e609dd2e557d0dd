from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from registry.kernel.errors import ConditionsUnmet, Duplicate, Forbidden, Malformed, NotFound
from registry.parties.records import Appointment
from registry.permits.projects import assess_demand, record_assessment, register_project
from registry.permits.records import Assessment, ConstructionProject, ProjectDemand
from tests.permits.builders import (
    NOON,
    assessment_args,
    create_assessment,
    create_emitter,
    create_province_officer,
    execute_as,
    project_args,
    register_new_project,
)
from tests.support.builders import (
    LANGFANG,
    TANGSHAN,
    create_officer,
    create_officer_of,
    create_organisation,
    stop_clock,
)


async def test_a_developer_registers_its_own_project() -> None:
    developer = await create_officer_of("enterprise")

    project = await register_new_project(
        developer, developer.organisation_id, strategic_industry=True
    )

    assert (project.state, project.city, project.county) == ("planned", LANGFANG, "")
    assert (project.strategic_industry, project.technology_demonstration) == (True, None)


async def test_the_same_key_registers_a_project_once() -> None:
    developer = await create_officer_of("enterprise")
    args = project_args(developer.organisation_id)

    first = await execute_as(developer, register_project, key="same", **args)
    again = await execute_as(developer, register_project, key="same", **args)

    assert (again.is_replay, again.record) == (True, first.record)


async def test_a_project_lies_in_the_city_of_its_county() -> None:
    developer = await create_officer_of("enterprise")

    project = await register_new_project(developer, developer.organisation_id, division="131022")

    assert (project.city, project.county) == (LANGFANG, "131022")


async def test_a_developer_registers_nobody_elses_project() -> None:
    developer, other = await create_officer_of("enterprise"), await create_emitter()

    with pytest.raises(Forbidden):
        await register_new_project(developer, other.id)


@pytest.mark.parametrize(("city", "allowed"), [(LANGFANG, True), (TANGSHAN, False)])
async def test_a_city_registers_projects_inside_itself_alone(city: str, *, allowed: bool) -> None:
    officer, developer = await create_officer_of("city", city=city), await create_emitter()

    if allowed:
        assert await register_new_project(officer, developer.id)
    else:
        with pytest.raises(Forbidden):
            await register_new_project(officer, developer.id)


async def test_a_name_is_used_once_by_a_developer_and_an_approval_once_by_all() -> None:
    province, first, second = (
        await create_province_officer(),
        await create_emitter(1),
        await create_emitter(2),
    )
    await register_new_project(province, first.id, approval_number="冀环审〔2021〕5号")

    name = project_args(first.id)["name"]
    with pytest.raises(Duplicate) as same_name:
        await register_new_project(province, first.id, name=f"{name}\u3164")
    with pytest.raises(Duplicate) as same_number:
        await register_new_project(province, second.id, approval_number="冀环审［２０２１］ 5号")

    assert (same_name.value.field, same_number.value.field) == ("name", "approvalNumber")
    assert await register_new_project(province, second.id)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("division", {"division": "999999"}),
        ("name", {"name": ""}),
        ("source", {"source": "\x00"}),
        ("approvalNumber", {"approval_number": "x" * 101}),
    ],
)
async def test_a_malformed_project_is_refused_by_field(field: str, wrong: dict[str, Any]) -> None:
    province, developer = await create_province_officer(), await create_emitter()

    with pytest.raises(Malformed) as refusal:
        await register_new_project(province, developer.id, **wrong)

    assert refusal.value.field == field


async def test_nobody_and_the_closed_have_no_projects() -> None:
    province, closed = await create_province_officer(), await create_emitter(state="closed")

    with pytest.raises(NotFound):
        await register_new_project(province, uuid4())
    with pytest.raises(ConditionsUnmet):
        await register_new_project(province, closed.id)


async def demands_of(project: ConstructionProject) -> dict[str, int | None]:
    """The demands on record that no later assessment supersedes."""
    demands = await ProjectDemand.filter(project_id=project.id, superseded_at=None)
    return {demand.pollutant: demand.quantity for demand in demands}


async def test_an_assessed_project_knows_what_it_needs() -> None:
    province, developer = await create_province_officer(), await create_emitter()
    project = await register_new_project(province, developer.id)

    assessed = await _assess(province, project, SO2="120", NOX="180.001")

    assert assessed.state == "assessed"
    assert await demands_of(project) == {"SO2": 120_000, "NOX": 180_001}


async def test_a_demand_that_no_source_gives_stays_unknown() -> None:
    province, developer = await create_province_officer(), await create_emitter()
    unknown = await register_new_project(province, developer.id)

    await _assess(province, unknown, SO2=None)

    assert await demands_of(unknown) == {"SO2": None}


async def test_a_new_assessment_supersedes_the_old_one_of_the_same_pollutant() -> None:
    province, developer = await create_province_officer(), await create_emitter()
    project = await register_new_project(province, developer.id)
    await _assess(province, project, SO2="120", NOX="180")

    await _assess(province, project, SO2="100")

    assert await demands_of(project) == {"SO2": 100_000, "NOX": 180_000}
    assert await ProjectDemand.filter(project_id=project.id).count() == 3


async def test_an_approval_number_once_recorded_stays() -> None:
    province, developer = await create_province_officer(), await create_emitter()
    project = await register_new_project(province, developer.id, approval_number="A-1234")

    assert (await _assess(province, project, SO2="1")).approval_number == "A-1234"


@pytest.mark.parametrize("role", ["enterprise", "county", "centre"])
async def test_who_does_not_assess_is_forbidden(role: str) -> None:
    body = await create_organisation(role, city=LANGFANG, county="131022")
    developer = body if role == "enterprise" else await create_organisation(city=LANGFANG)
    project = await register_new_project(
        await create_province_officer(), developer.id, division="131022"
    )

    with pytest.raises(Forbidden):
        await _assess(await create_officer(body), project, SO2="1")


async def test_a_project_is_public_and_a_stranger_may_not_assess_it() -> None:
    province, developer = await create_province_officer(), await create_emitter()
    stranger = await create_officer_of("enterprise")
    project = await register_new_project(province, developer.id)

    with pytest.raises(Forbidden):
        await _assess(stranger, project, SO2="1")
    with pytest.raises(NotFound):
        await execute_as(stranger, assess_demand, id=uuid4(), demands=[], source="x")


@pytest.mark.parametrize("demands", [{}, {"GOLD": "1"}, {"SO2": "-1"}])
async def test_a_malformed_demand_changes_nothing(demands: dict[str, str | None]) -> None:
    province, developer = await create_province_officer(), await create_emitter()
    project = await register_new_project(province, developer.id)

    with pytest.raises(Malformed):
        await _assess(province, project, **demands)

    assert (await ConstructionProject.get(id=project.id)).state == "planned"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE project_demand SET quantity = 1",
        "DELETE FROM project_demand",
        "UPDATE environment_assessment SET quality_attained = false",
        "DELETE FROM environment_assessment",
    ],
)
async def test_what_was_found_stays(owner: asyncpg.Connection, statement: str) -> None:
    province, developer = await create_province_officer(), await create_emitter()
    await _assess(province, await register_new_project(province, developer.id), SO2="1")
    await create_assessment(province)

    with pytest.raises(asyncpg.PostgresError) as error:
        await owner.execute(statement)

    assert error.value.sqlstate == "BD009"


async def test_an_assessment_is_recorded_as_given() -> None:
    assessment = await create_assessment(await create_province_officer())

    assert await Assessment.get(city=LANGFANG, year=2021, medium="air") == assessment
    assert (assessment.quality_attained, assessment.improvement_target_met) == (True, False)


async def test_a_city_is_assessed_once_for_a_year_and_a_medium() -> None:
    province = await create_province_officer()
    await create_assessment(province)

    with pytest.raises(Duplicate):
        await create_assessment(province, improvement_target_met=True)

    assert await create_assessment(province, medium="water")
    assert await Assessment.all().count() == 2


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("city", {"city": "131022"}),
        ("city", {"city": "130000"}),
        ("year", {"year": 2022}),
        ("year", {"year": 1999}),
    ],
)
async def test_only_cities_are_assessed_and_only_for_years_that_are_over(
    owner: asyncpg.Connection, field: str, wrong: dict[str, Any]
) -> None:
    await stop_clock(owner, NOON)
    province = await create_province_officer()

    with pytest.raises(Malformed) as refusal:
        await create_assessment(province, **wrong)

    assert refusal.value.field == field


@pytest.mark.parametrize("kind", ["city", "county", "centre", "enterprise", "auditor"])
async def test_only_the_province_assesses_cities(kind: str) -> None:
    officer = await create_officer_of(kind, city=LANGFANG)

    with pytest.raises(Forbidden):
        await execute_as(officer, record_assessment, **assessment_args())


async def _assess(
    who: Appointment, project: ConstructionProject, **demands: str | None
) -> ConstructionProject:
    listed = [
        {"pollutant": pollutant}
        if quantity is None
        else {"pollutant": pollutant, "quantity": quantity}
        for pollutant, quantity in demands.items()
    ]
    outcome = await execute_as(
        who, assess_demand, id=project.id, demands=listed, source="EIA report"
    )
    return outcome.record
