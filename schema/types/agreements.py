"""Cooperation agreements in the API: who agreed what with whom, and what came of it."""

from datetime import date, datetime
from typing import ClassVar

import strawberry

from registry.agreements import projections, rules
from registry.agreements.facts import AGREEMENT
from registry.agreements.rules import AgreementKind, AgreementState, MilestoneState, Visibility
from registry.kernel.identifiers import Sha256
from registry.reading.keyset import Ordering
from registry.reading.projections import bilingual, column_or_null
from schema.framework.fields import column, projected_field, relation
from schema.framework.governed import Governed
from schema.framework.lists import DateFilter, FilterSpec, NameFilter, TimeFilter, list_field
from schema.types.parties import Organisation, Person


@strawberry.type(description="A party of an agreement and its signature 签约方.")
class AgreementParty:
    capacity: str = column("Its capacity in the agreement 签约身份.")
    signed_at: datetime | None = column("When it was signed 签署时间.")
    organisation: Organisation = projected_field("The organisation 单位.", projections.PARTY)

    signed_by: Person | None = projected_field(
        "The signatories, where this appointment may see them 签署人.", projections.SIGNED_BY
    )


@strawberry.type(description="A goal of the parties, and its evidence 阶段性任务.")
class Milestone:
    title: str = column("The goal 名称.")
    due_on: date | None = column("By when 计划完成日.")
    state: MilestoneState = column("Whether it is reached 状态.")
    reached_on: date | None = column("When it was reached 完成日.")
    note: str | None = projected_field("A description 说明.", column_or_null("note"))
    sha256: Sha256 | None = column("SHA-256 of the document that shows it 证明文件摘要.")

    id: strawberry.ID = projected_field("Opaque identifier 标识.", projections.MILESTONE_KEY)
    links: list[Governed] = projected_field(
        "Objects of the registry that show it, those that may be seen 关联对象.",
        projections.LINKS,
        max_items=rules.LINKS_MAX,
    )


@strawberry.type(description="A cooperation agreement 合作协议.")
class Agreement(Governed):
    KIND: ClassVar = AGREEMENT
    CAPTION: ClassVar = bilingual("{t}.title", "{t}.title")

    kind: AgreementKind = column("Kind of cooperation 协议类别.")
    title: str = column("Its title 名称.")
    topics: list[str] = column("Topics agreed 合作内容.")
    visibility: Visibility = column("Its readers once all have signed 公开范围.")
    event: str | None = column("The ceremony it was part of 签约活动.", null_value="")
    valid_from: date | None = column("First day; null if not given 起始日.")
    valid_until: date | None = column("Last day; null if not given 截止日.")
    reason: str | None = column(
        "Why it was withdrawn or terminated 撤回或终止原因.",
        null_value="",
    )
    drafter: Organisation = relation(
        "The organisation that drafted it 起草单位.", name="drafted_by"
    )
    drafted_at: datetime = column("When it was drafted 起草时间.")
    source: str | None = column("Where it was read 数据来源.", null_value="")
    demo: bool = column("Demonstration data 是否演示数据.")
    state: AgreementState = projected_field("State today 当前状态.", projections.STATE)

    parties: list[AgreementParty] = projected_field(
        "The parties in their order 签约方.", projections.PARTIES, max_items=rules.PARTIES_MAX
    )
    milestones: list[Milestone] = projected_field(
        "The milestones as they were planned, at most 200 阶段性任务.", projections.MILESTONES
    )


@strawberry.type
class AgreementQuery:
    agreements = list_field(
        Agreement,
        "Cooperation agreements 合作协议.",
        orders={
            "newest": Ordering("drafted_at", datetime, descending=True),
            "title": Ordering("title", str),
            "oldest": Ordering("drafted_at", datetime),
        },
        where={
            "kind": FilterSpec("The kind of cooperation 协议类别", "kind", words=AgreementKind),
            "title": FilterSpec(
                "Title or a part of it 名称", "title", form=NameFilter, expression="{t}.title_form"
            ),
            "state": FilterSpec(
                "State as of now 当前状态",
                "state",
                words=AgreementState,
                expression=projections.STATE.sql,
            ),
            "valid_until": FilterSpec("Last day 截止日", "valid_until", form=DateFilter),
            "party": FilterSpec("A party 签约方", "parties", kind="Organisation", is_array=True),
            "event": FilterSpec("The ceremony they were part of 签约活动", "event"),
            "drafted_at": FilterSpec(
                "When they were drafted 起草时间", "drafted_at", form=TimeFilter
            ),
        },
    )
