"""Discharge permits in the API."""

from datetime import date, datetime
from typing import ClassVar

import strawberry

from registry.kernel.quantities import Quantity
from registry.permits import projections
from registry.permits.facts import PERMIT
from registry.permits.rules import Medium, PermitCategory, PermitEnding, PermitState
from registry.reading.projections import bilingual, plain_column
from schema.framework.fields import FieldArgument, column, projected_field, relation
from schema.framework.governed import Governed
from schema.framework.lists import shared_list
from schema.types.parties import Organisation
from schema.types.reference import (
    Division,
    Pollutant,
    RiverSystem,
)
from schema.types.shared_lists import PERMITS


@strawberry.type(description="Annual limit of a permit for a pollutant 年许可排放量.")
class PermitLimit:
    effective_from: date = column("First day 生效日.")
    effective_until: date | None = column("Last day; null while no change is known 失效日.")
    source: str = column("Where the figure comes from 数据来源.")
    pollutant: Pollutant | None = projected_field("The pollutant 污染物.", projections.POLLUTANT)

    quantity: Quantity = projected_field(
        "How much in a year, in the pollutant's unit 年许可量.", projections.QUANTITY
    )


@strawberry.type(description="A place where a permit lets out 排放口.")
class Outlet:
    code: str = column("DA for air, DW for water 排放口编号.")
    medium: Medium = column("The medium it discharges into 环境要素.")
    river_system: RiverSystem | None = projected_field(
        "The river system it lets out into; null for air 水系.", projections.RIVER_SYSTEM
    )


@strawberry.type(description="A discharge permit 排污许可证.")
class Permit(Governed):
    KIND: ClassVar = PERMIT
    CAPTION: ClassVar = bilingual("'Permit ' || {t}.number", "'排污许可证 ' || {t}.number")

    number: str = column("Its number, 22 characters 许可证编号.", projection=plain_column("number"))
    organisation: Organisation = relation("The holder 持证单位.")
    category: PermitCategory = column("How closely the holder is managed 管理类别.")
    state: PermitState = column("Whether it was revoked 状态.")
    valid_from: date = column("First day 有效期起始日.")
    valid_until: date = column("Last day 有效期截止日.")
    revoked_on: date | None = column("First day on which it was no longer in force 终止日.")
    ending: PermitEnding | None = column("The act that ended it early 终止方式.")
    revocation_reason: str | None = column("Why it was ended 终止原因.", null_value="")
    source: str = column("Where it was read 数据来源.")
    demo: bool = column("Demonstration data 是否演示数据.")
    registered_at: datetime = column("When it was entered here 登记时间.")
    issued_by: Division | None = projected_field(
        "The division that issued it 核发地.", projections.ISSUED_BY
    )
    effective: bool = projected_field(
        "Whether it is in force on a day, today by default 当日是否有效.",
        projections.IN_FORCE,
        arguments={"as_of": FieldArgument(date | None)},
    )
    limits: list[PermitLimit] | None = projected_field(
        "Its limits on a day, today by default; null where this appointment may"
        " not see it 年许可排放量（可查历史日期）.",
        projections.LIMITS,
        arguments={"as_of": FieldArgument(date | None)},
    )
    outlets: list[Outlet] | None = projected_field(
        "Where it lets out; null where this appointment may not see it 排放口.", projections.OUTLETS
    )


@strawberry.type
class PermitQuery:
    permits = shared_list(PERMITS, "Discharge permits 排污许可证.")
