"""The verbs of the ledger: opening stocks, paying out, freezing, reversing."""

from typing import Annotated, Unpack

from registry.commands.operation import CommandContext, operation
from registry.kernel.identifiers import REASON_LENGTH_MAX, check_bank_reference, check_text
from registry.kernel.parameters import Parameter, Reason
from registry.kernel.quantities import Money
from registry.kernel.state_machine import advance
from registry.ledger.facts import ACCOUNT, FREEZE, REVERSAL
from registry.ledger.freezes import FreezeOrder, build_freeze
from registry.ledger.journal import post_entry
from registry.ledger.opening_balances import (
    HoldingOpeningTerms,
    OpeningTerms,
    build_holding_account,
    build_holding_right,
    build_reserve_account,
    build_reserve_right,
    check_may_hold_stock,
    post_opening,
)
from registry.ledger.records import Account, Freeze, Reversal
from registry.ledger.reversals import (
    build_reversal,
    check_undo,
    load_reversal_postings,
    open_return_accounts,
)
from registry.ledger.rules import (
    FREEZE_TRANSITIONS,
    MONEY_INSTRUMENT,
    OUTSIDE_ACCOUNT,
    REVERSAL_TRANSITIONS,
    EntryKind,
    Posting,
)
from registry.parties.organisations import check_organisation_open


@operation(
    ACCOUNT,
    "open_reserve",
    build=build_reserve_account,
    preconditions=(check_organisation_open, check_may_hold_stock),
    posts=True,
)
async def open_reserve(
    context: CommandContext, account: Account, **opening: Unpack[OpeningTerms]
) -> Account:
    """Enter what a reserve holds when the registry begins.

    It is a right as the reserve will sell it: paid for, its period beginning with the sale.

    Raises:
        Insufficient: the city would exceed its recorded cap.
        ConditionsUnmet: see ``check_may_hold_stock``.

    Rule: 冀政办字〔2022〕3号 (provincial and city reserves, each with its ledger).

    """
    return await post_opening(context, account, build_reserve_right(account, opening), opening)


@operation(
    ACCOUNT,
    "open_holding",
    build=build_holding_account,
    preconditions=(check_organisation_open, check_may_hold_stock),
    posts=True,
)
async def open_holding(
    context: CommandContext, account: Account, **opening: Unpack[HoldingOpeningTerms]
) -> Account:
    """Enter what an enterprise holds when the registry begins.

    Raises:
        NotInForce: the right has ended already.
        Insufficient: the city would exceed its recorded cap.
        ConditionsUnmet: see ``check_may_hold_stock``.

    Rule: 河北省主要污染物排污权确权管理暂行办法; parameter ``validity_years``.

    """
    right = await build_holding_right(context, account, opening)
    return await post_opening(context, account, right, opening)


@operation(ACCOUNT, "pay_out", posts=True)
async def record_payout(
    context: CommandContext,
    account: Account,
    *,
    money: Annotated[Money, Parameter("How much, more than zero 金额.")],
    reference: Annotated[str, Parameter("The bank's reference, used once 银行流水号.")],
    note: Annotated[str, Parameter("A note, at most 2000 characters 备注.")] = "",
) -> Account:
    """Record that the bank paid out a holder's money, never escrow.

    Raises:
        Insufficient: the account holds less.
        Frozen: the holder, the account or its money is frozen.
        Duplicate: the reference is recorded already.

    Rule: nothing but recorded payments and payouts touches money outside the registry.

    """
    post_entry(
        context,
        EntryKind.PAYOUT,
        [Posting(account.id, OUTSIDE_ACCOUNT, MONEY_INSTRUMENT, money)],
        reference=check_bank_reference(reference, "reference"),
        note=check_text(note, "note", max_length=REASON_LENGTH_MAX, optional=True),
    )
    return account


@operation(FREEZE, "impose", build=build_freeze, exclusive=True)
async def impose_freeze(
    _context: CommandContext, freeze: Freeze, **_order: Unpack[FreezeOrder]
) -> Freeze:
    """Let nothing leave; what is blocked may still come home.

    Rule: property preservation (财产保全).

    """
    return freeze


@operation(FREEZE, "lift")
async def lift_freeze(context: CommandContext, freeze: Freeze, *, reason: Reason) -> Freeze:
    """End a freeze, with the reason in 1 to 2000 characters."""
    advance(freeze, FREEZE_TRANSITIONS, "lift")
    freeze.lifted_at = context.now
    freeze.lifted_reason = check_text(reason, "reason", max_length=REASON_LENGTH_MAX)
    return freeze


@operation(REVERSAL, "propose", build=build_reversal, preconditions=(check_undo,))
async def propose_reversal(
    _context: CommandContext, reversal: Reversal, /, **_proposal: object
) -> Reversal:
    """Propose to undo an entry whole, rights and money alike.

    Raises:
        ConditionsUnmet: an entry of its kind is not reversed, it is reversed already, or a
            holder no longer holds the quantity received; the refusal names the holder.
        Duplicate: a reversal of the entry is proposed already.

    Rule: nothing is edited; reversal by two officers (separation of duties).

    """
    return reversal


@operation(REVERSAL, "approve", preconditions=(check_undo,), posts=True)
async def approve_reversal(context: CommandContext, reversal: Reversal) -> Reversal:
    """Undo the entry by an entry of its own, both legs or none.

    Rule: the second officer decides, never the one who proposed.

    """
    advance(reversal, REVERSAL_TRANSITIONS, "approve")
    await open_return_accounts(reversal.entry_id)
    reversal.reversing_entry_id = post_entry(
        context,
        EntryKind.REVERSAL,
        await load_reversal_postings(reversal.entry_id),
        reverses=reversal.entry_id,
        note=reversal.reason,
        demo=reversal.demo,
    )
    return reversal


@operation(REVERSAL, "reject")
async def reject_reversal(
    _context: CommandContext, reversal: Reversal, *, reason: Reason
) -> Reversal:
    """Leave the entry as it is, with a reason."""
    advance(reversal, REVERSAL_TRANSITIONS, "reject")
    reversal.decision = check_text(reason, "reason", max_length=REASON_LENGTH_MAX)
    return reversal
