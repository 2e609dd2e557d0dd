"""The verbs of an agreement's milestones, and what others ask of parties and milestones."""

from datetime import date
from typing import Annotated
from uuid import UUID, uuid4

from registry.agreements import rules
from registry.agreements.facts import AGREEMENT
from registry.agreements.milestone_links import MilestoneLinksDraft, check_links
from registry.agreements.records import Agreement, Milestone
from registry.agreements.rules import MilestoneState
from registry.commands.operation import CommandContext, operation
from registry.db.session import save
from registry.kernel.calendar import day_of
from registry.kernel.errors import Condition, Malformed, NotFound
from registry.kernel.identifiers import Sha256, check_sha256, check_text
from registry.kernel.parameters import Parameter
from registry.kernel.state_machine import advance
from registry.kernel.words import chinese_day


async def _check_due_within_term(
    _context: CommandContext, agreement: Agreement, *, due_on: date | None = None, **_said: object
) -> list[Condition]:
    return [rules.check_due_within_term(due_on, agreement.valid_until)]


@operation(AGREEMENT, "plan_milestone", preconditions=(_check_due_within_term,))
async def plan_milestone(
    context: CommandContext,
    agreement: Agreement,
    /,
    *,
    title: Annotated[str, Parameter("The goal 名称.")],
    due_on: Annotated[date | None, Parameter("By when 计划完成日.")] = None,
) -> Agreement:
    """Plan what the parties want to reach, by a day or not.

    Raises:
        ConditionsUnmet: it would be due after the agreement ends.
        Duplicate: the agreement has a milestone of this title.

    Rule: registry rule; rule book G-15.

    """
    advance(agreement, rules.TRANSITIONS, "plan_milestone")
    planned = await Milestone.filter(agreement_id=agreement.id).count()
    if planned >= rules.MILESTONES_MAX:
        raise Malformed(
            "title",
            f"An agreement has at most {rules.MILESTONES_MAX} milestones.",
            f"一份协议最多设{rules.MILESTONES_MAX}项阶段性任务。",
        )
    context.also_save.append(
        Milestone(
            id=uuid4(),
            agreement_id=agreement.id,
            position=planned + 1,
            title=check_text(title, "title", max_length=rules.TITLE_LENGTH_MAX, multiline=False),
            due_on=due_on,
            state=MilestoneState.PLANNED,
            links=[],
            planned_at=context.now,
            changed_at=context.now,
        )
    )
    return agreement


@operation(AGREEMENT, "reach_milestone")
async def reach_milestone(  # noqa: PLR0913 - the forms that evidence takes
    context: CommandContext,
    agreement: Agreement,
    /,
    *,
    milestone: Annotated[UUID, Parameter("The milestone 阶段性任务标识.", refers="Milestone")],
    reached_on: Annotated[date, Parameter("When; not later than today 完成日.")],
    note: Annotated[str, Parameter("A description, at most 4000 characters 说明.")] = "",
    sha256: Annotated[
        Sha256 | None, Parameter("SHA-256 of the document that shows it 证明文件摘要.")
    ] = None,
    links: Annotated[
        MilestoneLinksDraft | None, Parameter("Objects that show it 关联对象.")
    ] = None,
) -> Agreement:
    """Record that a milestone is reached, with its evidence.

    Rule: registry rule; rule book G-16.

    """
    advance(agreement, rules.TRANSITIONS, "reach_milestone")
    found = await Milestone.get_or_none(id=milestone, agreement_id=agreement.id)
    if found is None:
        raise NotFound("milestone")
    advance(found, rules.MILESTONE_TRANSITIONS, "reach")
    found.reached_on = _check_not_future(reached_on, day_of(context.now))
    found.note = check_text(note, "note", max_length=rules.NOTE_LENGTH_MAX, optional=True)
    found.sha256 = None if sha256 is None else check_sha256(sha256, "sha256")
    found.links = await check_links(context.viewer, links or {})
    found.changed_at = context.now
    if not (found.note or found.sha256 or found.links):
        raise Malformed(
            "note",
            "Give a note, a document's digest or a linked object.",
            "请提供说明、文件摘要或关联对象中的至少一项。",
        )
    await save(found)
    return agreement


def _check_not_future(day: date, today: date) -> date:
    if day > today:
        raise Malformed(
            "reachedOn",
            f"{day} is still to come; today is {today}.",
            f"{chinese_day(day)}尚未到来，今日为{chinese_day(today)}。",
        )
    return day
