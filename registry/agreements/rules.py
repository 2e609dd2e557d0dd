"""Rules of agreements and milestones: contents, states, steps. Pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Annotated, TypedDict
from uuid import UUID

from policies.vocabulary import Text
from registry.kernel.errors import Condition, Malformed
from registry.kernel.identifiers import check_text
from registry.kernel.legal_bases import AGREEMENTS, REGISTER_OF_ORGANISATIONS
from registry.kernel.parameters import Parameter
from registry.kernel.texts import comparison_form
from registry.kernel.words import DescribedEnum, chinese_day
from registry.parties.rules import OrganisationKind

PARTIES_MIN, PARTIES_MAX = 2, 20
TOPICS_MAX = 20
MILESTONES_MAX = 200
LINKS_MAX = 50
TITLE_LENGTH_MAX = 300
TOPIC_LENGTH_MAX = 500
EVENT_LENGTH_MAX = 200
CAPACITY_LENGTH_MAX = 200
NOTE_LENGTH_MAX = 4000

SIGNATORIES = frozenset(OrganisationKind) - {
    OrganisationKind.VERIFIER,
    OrganisationKind.AUDITOR,
    OrganisationKind.PORTAL,
    OrganisationKind.APPROVAL_BUREAU,
    OrganisationKind.PRICE_AUTHORITY,
    OrganisationKind.TAX_BUREAU,
}
"""The kinds of body whose representatives may sign; the group ``signatory`` of the rule book."""


class AgreementKind(DescribedEnum):
    """The kind of cooperation 协议类别."""

    STRATEGIC_COOPERATION = "strategic_cooperation", "Strategic cooperation", "战略合作"
    VALUE_REALISATION = "value_realisation", "Realisation of value", "价值实现"
    METHODOLOGY_DEVELOPMENT = "methodology_development", "Development of methodology", "方法学开发"
    MORTGAGE_COOPERATION = "mortgage_cooperation", "Cooperation on mortgages", "抵押贷款合作"
    FINANCIAL_FRAMEWORK = "financial_framework", "Financial framework", "金融框架"


class Visibility(DescribedEnum):
    """Readers of an agreement once all have signed 公开范围."""

    PUBLIC = "public", "Everyone", "社会公众"
    PARTIES = "parties", "Its parties only", "仅签约方"


class AgreementState(DescribedEnum):
    """The state of an agreement 协议状态."""

    DRAFT = "draft", "Draft", "草稿"
    SIGNED = "signed", "Signed by all parties", "各方已签署"
    IN_FORCE = "in_force", "In force", "生效"
    COMPLETED = "completed", "Completed", "履行完毕"
    TERMINATED = "terminated", "Terminated", "已终止"
    WITHDRAWN = "withdrawn", "Withdrawn", "已撤回"
    EXPIRED = "expired", "Past its last day", "期满"


class MilestoneState(DescribedEnum):
    """The state of a milestone 阶段性任务状态."""

    PLANNED = "planned", "Planned", "计划中"
    REACHED = "reached", "Reached", "已完成"


TRANSITIONS = {
    (AgreementState.DRAFT, "sign"): AgreementState.DRAFT,
    (AgreementState.DRAFT, "sign_last"): AgreementState.SIGNED,
    (AgreementState.DRAFT, "withdraw"): AgreementState.WITHDRAWN,
    (AgreementState.SIGNED, "withdraw"): AgreementState.WITHDRAWN,
    (AgreementState.SIGNED, "bring_into_force"): AgreementState.IN_FORCE,
    (AgreementState.IN_FORCE, "plan_milestone"): AgreementState.IN_FORCE,
    (AgreementState.IN_FORCE, "reach_milestone"): AgreementState.IN_FORCE,
    (AgreementState.IN_FORCE, "complete"): AgreementState.COMPLETED,
    (AgreementState.IN_FORCE, "terminate"): AgreementState.TERMINATED,
}
MILESTONE_TRANSITIONS = {(MilestoneState.PLANNED, "reach"): MilestoneState.REACHED}


class AgreementPartyDraft(TypedDict):
    """A party to be, with its capacity in its own words 签约方."""

    organisation: Annotated[UUID, Parameter("The organisation 单位.", refers="Organisation")]
    capacity: Annotated[str, Parameter("Its capacity in the agreement 签约身份.")]


def state_on(state: AgreementState, valid_until: date | None, on: date) -> AgreementState:
    """The state as it is on a day: what is in force past its last day has expired."""
    over = valid_until is not None and valid_until < on
    return AgreementState.EXPIRED if over and state is AgreementState.IN_FORCE else state


def next_signing_step(parties: Collection[UUID], signed: Collection[UUID]) -> str:
    """Whether the signatures given, the new one among them, are all there must be."""
    return "sign_last" if set(parties) <= set(signed) else "sign"


def check_topics(topics: Sequence[str]) -> list[str]:
    """The topics without blanks around them."""
    plain = [
        check_text(topic, "topics", max_length=TOPIC_LENGTH_MAX, multiline=False)
        for topic in topics
    ]
    if not 1 <= len(plain) <= TOPICS_MAX or len(set(map(comparison_form, plain))) < len(plain):
        raise Malformed(
            "topics",
            f"An agreement has 1 to {TOPICS_MAX} topics, each once.",
            f"协议主题须为1至{TOPICS_MAX}项且不得重复。",
        )
    return plain


def check_parties(parties: Sequence[AgreementPartyDraft]) -> dict[UUID, str]:
    """The capacity of each party, in the order given."""
    capacities = {
        party["organisation"]: check_text(
            party["capacity"],
            "parties.capacity",
            max_length=CAPACITY_LENGTH_MAX,
            multiline=False,
        )
        for party in parties
    }
    if not PARTIES_MIN <= len(parties) <= PARTIES_MAX or len(capacities) < len(parties):
        raise Malformed(
            "parties",
            f"An agreement has {PARTIES_MIN} to {PARTIES_MAX} parties, each once.",
            f"协议签约方须为{PARTIES_MIN}至{PARTIES_MAX}个且不得重复。",
        )
    return capacities


def check_signatory(name: Text, kind: str, *, is_open: bool) -> Condition:
    """Whether a body is in the register and of a kind whose representatives sign agreements."""
    met = is_open and kind in SIGNATORIES
    return Condition(
        name="party_can_sign",
        met=met,
        message=Text(
            f"{name.en} {'can' if met else 'cannot'} sign agreements.",
            f"{name.zh}{'可以' if met else '不能'}签署协议。",
        ),
        source=REGISTER_OF_ORGANISATIONS,
    )


def _day(day: date | None) -> str:
    return chinese_day(day) if day else "未定"


def check_term(valid_from: date | None, valid_until: date | None, on: date) -> Condition:
    """Whether the day lies in the term of the agreement; what is not given does not bound it."""
    begun = valid_from is None or valid_from <= on
    ended = valid_until is not None and valid_until < on
    return Condition(
        name="term_runs",
        met=begun and not ended,
        message=Text(
            f"The term runs from {valid_from or 'an open day'} to {valid_until or 'an open day'};"
            f" today is {on}.",
            f"协议期限为{_day(valid_from)}至{_day(valid_until)}；今日为{_day(on)}。",
        ),
        source=AGREEMENTS,
    )


def check_due_within_term(due_on: date | None, valid_until: date | None) -> Condition:
    """Whether a milestone is due before the agreement ends."""
    late = due_on is not None and valid_until is not None and due_on > valid_until
    return Condition(
        name="due_within_the_term",
        met=not late,
        message=Text(
            f"It is due {due_on or 'on no day'}; the term ends {valid_until or 'on no day'}.",
            f"计划完成日为{_day(due_on)}；协议截止日为{_day(valid_until)}。",
        ),
        source=AGREEMENTS,
    )


def check_milestones_reached(milestones: Iterable[tuple[str, str]]) -> list[Condition]:
    """For each milestone, given by title and state, whether it is reached."""
    return [_check_reached(title, MilestoneState(state)) for title, state in milestones]


def _check_reached(title: str, state: MilestoneState) -> Condition:
    met = state is MilestoneState.REACHED
    return Condition(
        name="milestone_is_reached",
        met=met,
        message=Text(
            f"The milestone «{title}» is {'reached' if met else 'open'}.",
            f"阶段性任务“{title}”{'已完成' if met else '未完成'}。",
        ),
        source=AGREEMENTS,
    )
