"""The verbs of an agreement's making and end."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import uuid4

from policies.vocabulary import Text
from registry.agreements import rules
from registry.agreements.facts import AGREEMENT
from registry.agreements.records import Agreement, AgreementParty, Milestone
from registry.agreements.rules import (
    AgreementKind,
    AgreementPartyDraft,
    AgreementState,
    Visibility,
)
from registry.commands.operation import CommandContext, operation
from registry.db.session import save
from registry.kernel.calendar import day_of
from registry.kernel.errors import Condition, NotFound
from registry.kernel.identifiers import REASON_LENGTH_MAX, SOURCE_LENGTH_MAX, check_text
from registry.kernel.parameters import Demo, Parameter, Reason, Source
from registry.kernel.state_machine import advance
from registry.parties.records import Organisation
from registry.parties.rules import OrganisationState


async def _build_agreement(  # noqa: PLR0913 - what an agreement says
    context: CommandContext,
    *,
    kind: Annotated[AgreementKind, Parameter("Kind of cooperation 协议类别.")],
    title: Annotated[str, Parameter("Its title 名称.")],
    topics: Annotated[Sequence[str], Parameter("Topics agreed, 1 to 20 合作内容.")],
    parties: Annotated[
        Sequence[AgreementPartyDraft],
        Parameter("The parties, 2 to 20, your own organisation among them 签约方."),
    ],
    visibility: Annotated[Visibility, Parameter("Its readers once all have signed 公开范围.")],
    event: Annotated[str, Parameter("The ceremony it is part of 签约活动.")] = "",
    valid_from: Annotated[date | None, Parameter("First day 起始日.")] = None,
    valid_until: Annotated[date | None, Parameter("Last day 截止日.")] = None,
    source: Source = "",
    demo: Demo = False,
) -> Agreement:
    return Agreement(
        id=uuid4(),
        kind=AgreementKind(kind),
        title=check_text(title, "title", max_length=rules.TITLE_LENGTH_MAX, multiline=False),
        topics=rules.check_topics(topics),
        visibility=Visibility(visibility),
        state=AgreementState.DRAFT,
        event=check_text(event, "event", max_length=rules.EVENT_LENGTH_MAX, optional=True),
        valid_from=valid_from,
        valid_until=valid_until,
        parties=list(rules.check_parties(parties)),
        signed=[],
        drafted_by=context.viewer.organisation,
        source=check_text(source, "source", max_length=SOURCE_LENGTH_MAX, optional=True),
        demo=demo,
        drafted_at=context.now,
        changed_at=context.now,
    )


async def _check_parties_can_sign(
    _context: CommandContext, agreement: Agreement, **_said: object
) -> list[Condition]:
    found = {body.id: body for body in await Organisation.filter(id__in=agreement.parties)}
    if any(party not in found for party in agreement.parties):
        raise NotFound("parties.organisation")
    bodies = [found[party] for party in agreement.parties]
    return [
        rules.check_signatory(
            Text(body.name_en or body.name, body.name),
            body.kind,
            is_open=body.state == OrganisationState.OPEN,
        )
        for body in bodies
    ]


@operation(AGREEMENT, "draft", build=_build_agreement, preconditions=(_check_parties_can_sign,))
async def draft_agreement(
    _context: CommandContext,
    agreement: Agreement,
    /,
    *,
    parties: Sequence[AgreementPartyDraft],
    **_said: object,
) -> Agreement:
    """Draft an agreement of 2 to 20 parties, oneself among them.

    Raises:
        ConditionsUnmet: a party is closed, or of a kind that signs no agreements.

    Rule: registry rule; rule book G-10.

    """
    await save(agreement)
    await AgreementParty.bulk_create(
        AgreementParty(
            id=uuid4(),
            agreement_id=agreement.id,
            organisation_id=organisation,
            position=position,
            capacity=capacity,
        )
        for position, (organisation, capacity) in enumerate(
            rules.check_parties(parties).items(), start=1
        )
    )
    return agreement


@operation(AGREEMENT, "sign")
async def sign_agreement(context: CommandContext, agreement: Agreement) -> Agreement:
    """Sign for one's own organisation; the last makes it signed.

    Rule: registry rule; rule book G-11.

    """
    own = context.viewer.organisation
    await AgreementParty.filter(agreement_id=agreement.id, organisation_id=own).update(
        signed_at=context.now,
        signed_by=context.viewer.person,
        audit_entry_id=context.audit_entry_id,
    )
    agreement.signed = [*agreement.signed, own]
    advance(
        agreement,
        rules.TRANSITIONS,
        rules.next_signing_step(agreement.parties, agreement.signed),
    )
    return agreement


@operation(AGREEMENT, "withdraw")
async def withdraw_agreement(
    _context: CommandContext, agreement: Agreement, /, *, reason: Reason
) -> Agreement:
    """End an agreement not yet in force, for all its parties.

    Rule: registry rule; rule book G-12, G-13.

    """
    advance(agreement, rules.TRANSITIONS, "withdraw")
    agreement.reason = check_text(reason, "reason", max_length=REASON_LENGTH_MAX)
    return agreement


async def _check_term(
    context: CommandContext, agreement: Agreement, **_said: object
) -> list[Condition]:
    return [rules.check_term(agreement.valid_from, agreement.valid_until, day_of(context.now))]


@operation(AGREEMENT, "bring_into_force", preconditions=(_check_term,))
async def bring_into_force(_context: CommandContext, agreement: Agreement, /) -> Agreement:
    """Bring into force what all have signed.

    Raises:
        ConditionsUnmet: today lies outside the term of the agreement.

    Rule: registry rule; rule book G-14.

    """
    advance(agreement, rules.TRANSITIONS, "bring_into_force")
    return agreement


async def _check_milestones_reached(
    _context: CommandContext, agreement: Agreement, **_said: object
) -> list[Condition]:
    found = await Milestone.filter(agreement_id=agreement.id).order_by("position")
    return rules.check_milestones_reached((milestone.title, milestone.state) for milestone in found)


@operation(AGREEMENT, "complete", preconditions=(_check_milestones_reached,))
async def complete_agreement(_context: CommandContext, agreement: Agreement, /) -> Agreement:
    """Close an agreement whose work is done.

    Raises:
        ConditionsUnmet: a milestone is not reached.

    Rule: registry rule; rule book G-17.

    """
    advance(agreement, rules.TRANSITIONS, "complete")
    return agreement


@operation(AGREEMENT, "terminate")
async def terminate_agreement(
    _context: CommandContext, agreement: Agreement, /, *, reason: Reason
) -> Agreement:
    """End an agreement before its work is done.

    Rule: registry rule; rule book G-18.

    """
    advance(agreement, rules.TRANSITIONS, "terminate")
    agreement.reason = check_text(reason, "reason", max_length=REASON_LENGTH_MAX)
    return agreement
