"""Organisations, people and appointments in the API."""

from datetime import datetime
from typing import ClassVar

import strawberry

from registry.parties import projections
from registry.parties.facts import APPOINTMENT, ORGANISATION, PERSON
from registry.parties.rules import (
    AppointmentState,
    OrganisationKind,
    OrganisationState,
    SourceCategory,
)
from registry.reading.keyset import Ordering
from registry.reading.projections import bilingual, plain_column
from schema.framework.enums import Role
from schema.framework.fields import FieldArgument, column, projected_field, relation
from schema.framework.governed import Governed
from schema.framework.lists import FilterSpec, NameFilter, list_field, shared_list
from schema.types.reference import Division, division_field
from schema.types.shared_lists import ACCOUNTS, PERMITS, PROJECTS, TRANSFERS


@strawberry.type(description="A body the registry knows: its public card, and more for some 单位.")
class Organisation(Governed):
    KIND: ClassVar = ORGANISATION
    CAPTION: ClassVar = bilingual("coalesce({t}.name_en, {t}.name)", "{t}.name")
    kind: OrganisationKind = column("Its kind 单位类别.")
    name: str = column("Its legal name 名称.")
    name_en: str | None = column("Its name in English 英文名称.")
    credit_code: str | None = column(
        "Unified social credit code; null where it has none 统一社会信用代码.",
        projection=plain_column("credit_code"),
    )
    division: Division = division_field(
        "The division it is registered in 行政区划.", column="division"
    )
    city: Division = division_field(
        "Its city; a province's own for the province 设区的市.", column="city"
    )
    county: Division | None = division_field(
        "Its county; null for an organisation of a whole city 县（市、区）.", column="county"
    )
    source_category: SourceCategory | None = column("Kind of its emission source 污染源类别.")
    industry: str | None = column("Code of GB/T 4754 行业代码.")
    thermal_power: bool | None = column(
        "Runs a thermal or captive power plant; null where no source says 是否火电或自备电厂."
    )
    installed_mw: int | None = column("Installed capacity in megawatts 装机容量（兆瓦）.")
    two_representatives: bool | None = column(
        "Whether each of its signatures needs a second one 是否须双人签署."
    )
    state: OrganisationState = column("Whether it takes part 状态.")
    registered_at: datetime = column("When it was registered 登记时间.")
    source: str | None = column(
        "Where the particulars come from 数据来源.",
        null_value="",
    )
    demo: bool = column("Demonstration data 是否演示数据.")
    permits = shared_list(PERMITS, "Its discharge permits 排污许可证.", parent="organisation_id")
    construction_projects = shared_list(
        PROJECTS, "Its construction projects 建设项目.", parent="organisation_id"
    )
    accounts = shared_list(ACCOUNTS, "Its accounts 账户.", parent="organisation_id")
    sales = shared_list(TRANSFERS, "Transfers in which it sells 出让交易.", parent="seller_id")
    purchases = shared_list(TRANSFERS, "Transfers in which it buys 受让交易.", parent="buyer_id")


@strawberry.type(description="A natural person, on one side of the market only 人员.")
class Person(Governed):
    KIND: ClassVar = PERSON
    CAPTION: ClassVar = bilingual("{t}.name", "{t}.name")
    subject: str = column("The subject of their access tokens 登录名.")
    name: str = column("Their name 姓名.")
    organisation: Organisation = relation("Their organisation 所属单位.")
    demo: bool = column("Demonstration data 是否演示数据.")


@strawberry.type(
    description="A person acts for a body in a role and division, within dates 岗位授权."
)
class Appointment(Governed):
    KIND: ClassVar = APPOINTMENT
    CAPTION: ClassVar = projections.APPOINTMENT_CAPTION
    person: Person | None = relation("The appointed person 获授权人员.")
    organisation: Organisation = relation("For whom 授权单位.")
    role: Role = column("The role in the rule book 角色.")
    division: Division | None = division_field("Where they act 辖区.", column="division")
    may_initiate: bool = column("May open business and sign first 经办权限.")
    may_approve: bool = column("May decide and countersign 审批权限.")
    valid_from: datetime = column("From when 起始时间.")
    valid_until: datetime | None = column("Until when; null without end 截止时间.")
    state: AppointmentState = projected_field(
        "Its state now; past its end it has ended 当前状态.", projections.APPOINTMENT_STATE
    )
    ended_at: datetime | None = column("When it was ended before its time 终止时间.")
    proposed_by: Person | None = relation("The proposer 提出人.", name="submitted_by")
    proposing_organisation: Organisation = relation(
        "On whose behalf 提出单位.", name="submitting_organisation"
    )
    demo: bool = column("Demonstration data 是否演示数据.")

    effective: bool = projected_field(
        "Whether it counts, now or at a moment 是否有效（可查历史时点）.",
        projections.IN_FORCE_AT,
        arguments={"as_of": FieldArgument(datetime | None)},
    )


ORGANISATION_FILTER = {
    "organisation": FilterSpec("Of which body 所属单位", "organisation_id", kind="Organisation")
}
"""Filter that restricts a shared list to its organisation."""


@strawberry.type
class PartyQuery:
    organisations = list_field(
        Organisation,
        "Organisations 单位.",
        orders={
            "name": Ordering("name", str),
            "newest": Ordering("registered_at", datetime, descending=True),
        },
        where={
            "kind": FilterSpec("Their kinds 单位类别", "kind", words=OrganisationKind),
            "city": FilterSpec("Code of the city 设区的市代码", "city", codes="Division"),
            "county": FilterSpec("Code of the county 县级代码", "county", codes="Division"),
            "name": FilterSpec(
                "Legal name or a part of it 名称",
                "name",
                form=NameFilter,
                expression="{t}.name_form",
            ),
            "credit_code": FilterSpec(
                "Credit code, exactly 统一社会信用代码", "credit_code", is_number=True
            ),
            "state": FilterSpec("Whether they take part 状态", "state", words=OrganisationState),
        },
    )
    people = list_field(
        Person,
        "People 人员.",
        orders={"subject": Ordering("subject", str), "name": Ordering("name", str)},
        where=ORGANISATION_FILTER,
    )
    appointments = list_field(
        Appointment,
        "Appointments 岗位授权.",
        orders={
            "newest": Ordering("changed_at", datetime, descending=True),
            "oldest": Ordering("changed_at", datetime),
        },
        where=ORGANISATION_FILTER
        | {
            "person": FilterSpec("Of whom 获授权人员", "person_id", kind="Person"),
            "state": FilterSpec(
                "State as of now 当前状态",
                "state",
                words=AppointmentState,
                expression=projections.APPOINTMENT_STATE.sql,
            ),
        },
    )
