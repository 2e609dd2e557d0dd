"""Permits and projects for tests, made through the operations."""

from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from tortoise.models import Model

from registry.commands.command import CommandResult, execute_command
from registry.commands.operation import Operation
from registry.parties.records import Appointment, Organisation
from registry.permits.operations import register_permit
from registry.permits.projects import record_assessment, register_project
from registry.permits.records import Assessment, ConstructionProject, Permit
from tests.support.builders import (
    create_officer,
    create_organisation,
    get_province,
    make_credit_code,
    principal_of,
)

NOON = datetime(2022, 6, 7, 4, tzinfo=UTC)
FIRST, LAST = date(2020, 1, 1), date(2024, 12, 31)
DAY = date(2022, 6, 7)

R = TypeVar("R", bound=Model)


async def execute_as(
    who: Appointment,
    operation: Operation[R],
    /,
    *,
    key: str = "",
    preview: bool = False,
    **args: object,
) -> CommandResult[R]:
    """Send a command as one officer."""
    caller = await principal_of(who)
    return await execute_command(operation, caller, args, key=key or uuid4().hex, preview=preview)


async def create_province_officer(
    *, may_initiate: bool = True, may_approve: bool = True
) -> Appointment:
    return await create_officer(
        await get_province(), may_initiate=may_initiate, may_approve=may_approve
    )


async def create_emitter(number: int = 1, *, state: str = "open") -> Organisation:
    return await create_organisation(credit_code=make_credit_code(number), state=state)


def permit_args(emitter: Organisation, **changed: object) -> dict[str, Any]:
    return {
        "number": f"{emitter.credit_code}001P",
        "organisation": emitter.id,
        "issued_by": emitter.city,
        "category": "key",
        "valid_from": FIRST,
        "valid_until": LAST,
        "limits": [
            {"pollutant": "SO2", "quantity": "120.5"},
            {"pollutant": "COD", "quantity": "7"},
        ],
        "outlets": [{"code": "DA001"}, {"code": "DW001", "river_system": "luan"}],
        "source": "permit platform, 2020-01-01",
    } | changed


async def register_new_permit(who: Appointment, emitter: Organisation, **changed: object) -> Permit:
    return (await execute_as(who, register_permit, **permit_args(emitter, **changed))).record


def project_args(owner: UUID, **changed: object) -> dict[str, Any]:
    return {
        "organisation": owner,
        "name": "Langfang thermal power plant, phase two",
        "division": "131000",
        "source": "Hebei Daily, 2022-06-09",
    } | changed


async def register_new_project(
    who: Appointment, owner: UUID, **changed: object
) -> ConstructionProject:
    return (await execute_as(who, register_project, **project_args(owner, **changed))).record


def assessment_args(**changed: object) -> dict[str, Any]:
    return {
        "city": "131000",
        "year": 2021,
        "medium": "air",
        "quality_attained": True,
        "reduction_task_done": True,
        "improvement_target_met": False,
        "source": "notice 2022-3",
    } | changed


async def create_assessment(who: Appointment, **changed: object) -> Assessment:
    return (await execute_as(who, record_assessment, **assessment_args(**changed))).record
