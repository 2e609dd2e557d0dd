"""The authorities: county comments, eligibility by the centre, opinions, approval, rejection."""

from typing import Annotated
from uuid import uuid4

from registry.commands.operation import CommandContext, operation
from registry.db.session import get_by_id
from registry.kernel.calendar import day_of
from registry.kernel.identifiers import REASON_LENGTH_MAX, check_text
from registry.kernel.parameters import Parameter, Reason
from registry.ledger.records import Instrument
from registry.reference.cache import load_reference
from registry.transfers.conditions import ELIGIBILITY_CONDITIONS, ONGOING_CONDITIONS
from registry.transfers.eligibility_data import load_and_evaluate
from registry.transfers.facts import TRANSFER
from registry.transfers.records import (
    EligibilityFinding,
    Transfer,
    TransferComment,
    TransferOpinion,
)
from registry.transfers.rules import Opinion, Step
from registry.transfers.workflow import advance_transfer, regime_on


@operation(TRANSFER, "comment")
async def comment_on_transfer(
    context: CommandContext,
    transfer: Transfer,
    *,
    text: Annotated[str, Parameter("The remark, 1 to 2000 characters 内容.")],
) -> Transfer:
    """Add the county's remark, which is not binding."""
    context.also_save.append(
        TransferComment(
            id=uuid4(),
            transfer_id=transfer.id,
            county=context.viewer.division,
            text=check_text(text, "text", max_length=REASON_LENGTH_MAX),
            audit_entry_id=context.audit_entry_id,
            given_at=context.now,
        )
    )
    return transfer


@operation(TRANSFER, "qualify", preconditions=(load_and_evaluate(ELIGIBILITY_CONDITIONS),))
async def qualify_transfer(context: CommandContext, transfer: Transfer) -> Transfer:
    """Find both sides eligible, with each condition stored.

    Raises:
        ConditionsUnmet: any of ``ELIGIBILITY_CONDITIONS``; the centre may then reject.

    Rule: both sides hold the opinion on their eligibility (交易主体资格审核意见).

    """
    on = day_of(context.now)
    for found in context.conditions:
        context.also_save.append(
            EligibilityFinding(
                id=uuid4(),
                transfer_id=transfer.id,
                name=found.name,
                met=found.met,
                message_en=found.message.en,
                message_zh=found.message.zh,
                legal_basis=found.legal_basis.joined(),
                source=found.source.joined(),
                evaluated_on=on,
                audit_entry_id=context.audit_entry_id,
            )
        )
    reference = await load_reference(context.reference_version)
    instrument = await get_by_id(Instrument, transfer.instrument_id)
    assert instrument is not None, "a transfer is about an instrument"
    transfer.regime = regime_on(reference, on, instrument.pollutant).value
    await advance_transfer(context, transfer, Step.QUALIFY)
    return transfer


@operation(TRANSFER, "opine")
async def opine_on_transfer(
    context: CommandContext,
    transfer: Transfer,
    *,
    favourable: Annotated[bool, Parameter("Whether the city is for it 是否同意.")],
    reasons: Annotated[str, Parameter("Its reasons, 1 to 2000 characters 理由.")],
) -> Transfer:
    """Give one's city's opinion, which does not bind.

    Rule: 河北省排污权跨区域流转和交易管理暂行办法; both opinions exist before the province decides.

    """
    opinion = Opinion.FAVOURABLE if favourable else Opinion.UNFAVOURABLE
    sides = {transfer.seller_city: "seller_opinion", transfer.buyer_city: "buyer_opinion"}
    setattr(transfer, sides[context.viewer.division], opinion.value)
    context.also_save.append(
        TransferOpinion(
            id=uuid4(),
            transfer_id=transfer.id,
            city=context.viewer.division,
            favourable=favourable,
            reasons=check_text(reasons, "reasons", max_length=REASON_LENGTH_MAX),
            audit_entry_id=context.audit_entry_id,
            given_at=context.now,
        )
    )
    await advance_transfer(context, transfer, Step.OPINE)
    return transfer


@operation(TRANSFER, "approve", preconditions=(load_and_evaluate(ONGOING_CONDITIONS),))
async def approve_transfer(context: CommandContext, transfer: Transfer) -> Transfer:
    """Approve as city, or across cities as province.

    Raises:
        ConditionsUnmet: a side was sanctioned, frozen or closed meanwhile, or the right ran out.

    Rule: parameter ``contract_days``.

    """
    await advance_transfer(context, transfer, Step.APPROVE)
    return transfer


@operation(TRANSFER, "reject", posts=True)
async def reject_transfer(
    context: CommandContext, transfer: Transfer, *, reason: Reason
) -> Transfer:
    """End the case as not eligible or not approved.

    Blocked rights return to the seller.
    """
    transfer.reason = check_text(reason, "reason", max_length=REASON_LENGTH_MAX)
    await advance_transfer(context, transfer, Step.REJECT)
    return transfer
