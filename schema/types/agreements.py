"""Cooperation agreements in the API: who agreed what with whom, and what came of it."""

from datetime import date, datetime
from typing import ClassVar

import strawberry

from registry.agreements import milestones, operations, projections, rules
from registry.agreements.facts import AGREEMENT
from registry.agreements.rules import AgreementKind, AgreementState, MilestoneState, Visibility
from registry.reading.keyset import Ordering
from registry.reading.projections import bilingual, column_or_null
from schema.framework.fields import column, projected_field, relation
from schema.framework.governed import Governed
from schema.framework.inputs import CommandInput, node_id_field
from schema.framework.lists import DateFilter, FilterSpec, NameFilter, TimeFilter, list_field
from schema.framework.mutations import governed_mutation
from schema.framework.scalars import Sha256
from schema.types.parties import Organisation, Person


@strawberry.type(description="A party of an agreement and its signature 签约方.")
class AgreementParty:
    capacity: str = column("Its capacity in the agreement 签约身份.")
    signed_at: datetime | None = column("When it was signed 签署时间.")
    organisation: Organisation = projected_field("The organisation 单位.", projections.PARTY)

    signed_by: Person | None = projected_field(
        "The signatories, where this appointment may see them 签署人.", projections.SIGNED_BY
    )


@strawberry.type(description="A goal of the parties, and its evidence 里程碑.")
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
        "The milestones as they were planned, at most 200 里程碑.", projections.MILESTONES
    )


@strawberry.input(description="A party to be 签约方.")
class AgreementPartyInput:
    """An organisation and what it is in the agreement."""

    organisation: strawberry.ID = node_id_field("Organisation", "The organisation 单位.")
    capacity: str = strawberry.field(description="Its capacity in the agreement 签约身份.")


@strawberry.input(description="Draft a cooperation agreement 起草合作协议.")
class DraftAgreementInput(CommandInput):
    """A proposed agreement."""

    kind: AgreementKind = strawberry.field(description="Kind of cooperation 协议类别.")
    title: str = strawberry.field(description="Its title 名称.")
    topics: list[str] = strawberry.field(description="Topics agreed, 1 to 20 合作内容.")
    parties: list[AgreementPartyInput] = strawberry.field(
        description="The parties, 2 to 20, your own organisation among them 签约方."
    )
    visibility: Visibility = strawberry.field(
        description="Its readers once all have signed 公开范围."
    )
    event: str = strawberry.field(default="", description="The ceremony it is part of 签约活动.")
    valid_from: date | None = strawberry.field(
        default=strawberry.UNSET, description="First day 起始日."
    )
    valid_until: date | None = strawberry.field(
        default=strawberry.UNSET, description="Last day 截止日."
    )
    source: str = strawberry.field(default="", description="Where it was read 数据来源.")
    demo: bool = strawberry.field(default=False, description="Demonstration data 是否演示数据.")


@strawberry.input(description="Name an agreement 指定合作协议.")
class AgreementInput(CommandInput):
    """Which agreement, and nothing else."""

    id: strawberry.ID = node_id_field("Agreement", "The agreement 协议标识.")


@strawberry.input(description="End an agreement with a reason 撤回或终止合作协议.")
class EndAgreementInput(AgreementInput):
    """Which agreement, and why it ends."""

    reason: str = strawberry.field(description="Why 原因.")


@strawberry.input(description="Plan a milestone 设定里程碑.")
class PlanMilestoneInput(AgreementInput):
    """A goal and its date."""

    title: str = strawberry.field(description="The goal 名称.")
    due_on: date | None = strawberry.field(
        default=strawberry.UNSET, description="By when 计划完成日."
    )


@strawberry.input(description="Objects that show what was reached 关联对象.")
class MilestoneLinksInput:
    """By kind; only objects that you may see, at most 50 together."""

    organisations: list[strawberry.ID] | None = node_id_field(
        "Organisation", "Organisations 单位.", default=strawberry.UNSET
    )
    permits: list[strawberry.ID] | None = node_id_field(
        "Permit", "Discharge permits 排污许可证.", default=strawberry.UNSET
    )
    construction_projects: list[strawberry.ID] | None = node_id_field(
        "ConstructionProject", "Construction projects 建设项目.", default=strawberry.UNSET
    )
    transfers: list[strawberry.ID] | None = node_id_field(
        "Transfer", "Transfers 转让.", default=strawberry.UNSET
    )
    certificates: list[strawberry.ID] | None = node_id_field(
        "Certificate", "Attestation certificates 交易鉴证书.", default=strawberry.UNSET
    )
    agreements: list[strawberry.ID] | None = node_id_field(
        "Agreement", "Agreements 合作协议.", default=strawberry.UNSET
    )


@strawberry.input(description="Record that a milestone is reached 登记里程碑完成.")
class ReachMilestoneInput(AgreementInput):
    """With at least one of note, digest and linked objects."""

    milestone: strawberry.ID = node_id_field("Milestone", "The milestone 里程碑标识.")
    reached_on: date = strawberry.field(description="When; not later than today 完成日.")
    note: str = strawberry.field(default="", description="A description 说明.")
    sha256: Sha256 | None = strawberry.field(
        default=strawberry.UNSET, description="SHA-256 of the document that shows it 证明文件摘要."
    )
    links: MilestoneLinksInput | None = strawberry.field(
        default=strawberry.UNSET, description="Objects that show it 关联对象."
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
            "title": FilterSpec("Title or a part of it 名称", "title", form=NameFilter),
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


@strawberry.type
class AgreementMutation:
    """Mutations of agreements."""

    draft_agreement = governed_mutation(
        Agreement,
        "draft",
        operations.draft_agreement,
        DraftAgreementInput,
        "Draft an agreement; your own organisation is a party 起草合作协议.",
    )
    sign_agreement = governed_mutation(
        Agreement,
        "sign",
        operations.sign_agreement,
        AgreementInput,
        "Sign for your organisation; the last signature makes it signed 签署合作协议.",
    )
    withdraw_agreement = governed_mutation(
        Agreement,
        "withdraw",
        operations.withdraw_agreement,
        EndAgreementInput,
        "Step back from an agreement that is not yet in force 撤回合作协议.",
    )
    bring_into_force = governed_mutation(
        Agreement,
        "bring_into_force",
        operations.bring_into_force,
        AgreementInput,
        "Bring into force what all have signed 合作协议生效.",
    )
    plan_milestone = governed_mutation(
        Agreement,
        "plan_milestone",
        milestones.plan_milestone,
        PlanMilestoneInput,
        "Plan a milestone 设定里程碑.",
    )
    reach_milestone = governed_mutation(
        Agreement,
        "reach_milestone",
        milestones.reach_milestone,
        ReachMilestoneInput,
        "Record that a milestone is reached, with what shows it 登记里程碑完成.",
    )
    complete_agreement = governed_mutation(
        Agreement,
        "complete",
        operations.complete_agreement,
        AgreementInput,
        "Close an agreement whose milestones are all reached 合作协议履行完毕.",
    )
    terminate_agreement = governed_mutation(
        Agreement,
        "terminate",
        operations.terminate_agreement,
        EndAgreementInput,
        "End an agreement before its work is done 终止合作协议.",
    )
