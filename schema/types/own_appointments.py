"""The appointments between which a person chooses, before one of them acts."""

from datetime import datetime
from typing import ClassVar

import strawberry

from registry.parties import projections
from registry.reading.keyset import MAX_PAGE_SIZE
from registry.reading.projections import ColumnExpr
from schema.framework.enums import Role
from schema.framework.fields import (
    FieldArgument,
    bounded_list,
    column,
    projected_field,
    relation,
)
from schema.framework.next_actors import ROLE_TEXT
from schema.framework.refusals import LocalisedText
from schema.types.parties import Organisation
from schema.types.reference import Division, division_field


@strawberry.type(
    description="An appointment in force of the person who signed in 本人有效岗位授权."
)
class OwnAppointment:
    """Its particulars, by which a person chooses it."""

    TABLE: ClassVar = "appointment"

    id: strawberry.ID = projected_field(
        "Its identifier, to be sent in the header `Biandan-Appointment` 标识.",
        ColumnExpr("{t}.id", id_kind="Appointment"),
    )
    organisation: Organisation = relation("For whom 授权单位.")
    role: Role = column("The role in the rule book 角色.")
    role_text: LocalisedText = projected_field("The role's name 角色名称.", ROLE_TEXT)
    division: Division | None = division_field("Where they act 辖区.", column="division")
    may_initiate: bool = column("May open business and sign first 经办权限.")
    may_approve: bool = column("May decide and countersign 审批权限.")
    valid_from: datetime = column("From when 起始时间.")
    valid_until: datetime | None = column("Until when; null without end 截止时间.")


@strawberry.type
class OwnAppointmentQuery:
    """The first query of a person with several appointments."""

    my_appointments: list[OwnAppointment] = projected_field(
        "Your appointments in force, answered before one is chosen 本人有效岗位授权.",
        projections.OWN_APPOINTMENTS,
        arguments={"first": FieldArgument(int, MAX_PAGE_SIZE)},
        check_arguments=bounded_list,
        needs_appointment=False,
    )
