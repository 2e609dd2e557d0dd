"""The verbs of the ledger: opening stocks, paying out, freezing, reversing."""

from typing import Unpack
from uuid import UUID

from policies.vocabulary import Text
from registry.commands.command import Work, operation
from registry.kernel.errors import Condition
from registry.kernel.identifiers import check_bank_reference, check_text
from registry.kernel.state_machine import advance
from registry.ledger.facts import ACCOUNT, FREEZE, REVERSAL
from registry.ledger.freezes import FreezeOrder, freeze_order
from registry.ledger.journal import post
from registry.ledger.opening_balances import (
    HoldingOpening,
    Opening,
    enter,
    holding_account,
    holding_right,
    reserve_account,
    reserve_right,
    stock_conditions,
)
from registry.ledger.records import Account, Freeze, Reversal
from registry.ledger.reversals import can_be_undone, proposal, undoing
from registry.ledger.rules import (
    FREEZE_LIFE,
    MONEY,
    OUTSIDE,
    REASON_MAX,
    REVERSAL_LIFE,
    AccountKind,
    EntryKind,
    FreezeState,
    FreezeStep,
    Posting,
    ReversalState,
    ReversalStep,
)


@operation(ACCOUNT, "open_reserve", propose=reserve_account, weigh=(stock_conditions,))
async def open_reserve(work: Work, account: Account, **opening: Unpack[Opening]) -> Account:
    """Enter what a province's or city's reserve holds when the registry begins.

    It is a right as the reserve will sell it: paid for, its period beginning with the sale.

    Raises:
        Malformed: an unknown pollutant or division, a basin of air, a bad quantity or text.
        Insufficient: the city would exceed its recorded cap.
        ConditionsUnmet: see ``stock_conditions``.

    Rule: 冀政办字〔2022〕3号 (provincial and city reserves, each with its ledger).

    """
    await enter(work, account, reserve_right(account, opening), opening)
    return account


@operation(ACCOUNT, "open_holding", propose=holding_account, weigh=(stock_conditions,))
async def open_holding(work: Work, account: Account, **opening: Unpack[HoldingOpening]) -> Account:
    """Enter what an enterprise holds when the registry begins.

    Raises:
        Malformed: an unknown pollutant, division or acquisition, a basin of air, a period that ends
            before it begins, a bad quantity or text.
        NotInForce: the right has ended already.
        Insufficient: the city would exceed its recorded cap.
        ConditionsUnmet: see ``stock_conditions``.

    Rule: 河北省主要污染物排污权确权管理暂行办法; parameter ``validity_years``.

    """
    right = await holding_right(work, account, opening)
    await enter(work, account, right, opening)
    return account


async def _pays(_work: Work, account: Account, **_: object) -> list[Condition]:
    return [
        Condition(
            name="holding_account",
            met=account.kind == AccountKind.HOLDING,
            message=Text(
                "Money is paid out of a holding account; what is in escrow belongs to a case.",
                "出金须从持有账户办理,在途资金属于案件。",
            ),
            ground="registry rule",
        )
    ]


@operation(ACCOUNT, "pay_out", weigh=(_pays,))
async def record_payout(
    work: Work, account: Account, *, money: int, reference: str, note: str = ""
) -> Account:
    """Record that the bank paid a holder's money out.

    Args:
        work: the command.
        account: the holding account.
        money: fen, more than zero.
        reference: the bank's reference; each is recorded once.
        note: at most 2000 characters.

    Raises:
        Malformed: a bad sum, reference or note.
        Insufficient: the account holds less.
        Frozen: the holder, the account or its money is frozen.
        Duplicate: the reference is recorded already.

    Rule: nothing but recorded payments and payouts touches money outside the registry.

    """
    await post(
        work,
        EntryKind.PAYOUT,
        [Posting(account.id, OUTSIDE, MONEY, money)],
        reference=check_bank_reference(reference, "reference"),
        note=check_text(note, "note", most=REASON_MAX) if note else "",
    )
    return account


@operation(FREEZE, "impose", propose=freeze_order)
async def impose_freeze(_work: Work, freeze: Freeze, **_order: Unpack[FreezeOrder]) -> Freeze:
    """Let nothing leave an organisation, account or position; what is blocked may still come home.

    Raises:
        Malformed: neither or both of organisation and account, an instrument without account, a bad
            text, an end that is not in the future.
        NotFound: no such organisation, account or instrument; or an account that belongs to nobody.

    Rule: property preservation (财产保全), listed supervision.

    """
    return freeze


@operation(FREEZE, "lift")
async def lift_freeze(work: Work, freeze: Freeze, *, reason: str) -> Freeze:
    """End a freeze, with the reason in 1 to 2000 characters.

    Raises:
        WrongState: it is lifted already.
        Malformed: a bad reason.

    """
    freeze.state = advance(FREEZE_LIFE, FreezeState(freeze.state), FreezeStep.LIFT).value
    freeze.lifted_at = work.now
    freeze.lifted_reason = check_text(reason, "reason", most=REASON_MAX)
    return freeze


@operation(REVERSAL, "propose", propose=proposal, weigh=(can_be_undone,))
async def propose_reversal(
    _work: Work,
    reversal: Reversal,
    *,
    entry: UUID,  # noqa: ARG001 - the proposal is built from it
    reason: str,  # noqa: ARG001 - likewise
) -> Reversal:
    """Propose to undo an entry whole, rights and money alike.

    Raises:
        NotFound: there is no such entry.
        ConditionsUnmet: an entry of its kind is not reversed, it is reversed already, or somebody
            no longer holds what he received; named with what he holds.
        Duplicate: a reversal of the entry is proposed already.

    Rule: nothing is edited; reversal by two officers (separation of duties).

    """
    return reversal


@operation(REVERSAL, "approve", weigh=(can_be_undone,))
async def approve_reversal(work: Work, reversal: Reversal) -> Reversal:
    """Undo the entry by an entry of its own, both legs or none.

    Raises:
        WrongState: it was decided already.
        ConditionsUnmet: as in ``propose_reversal``, judged again.
        Frozen: something would leave what is frozen.

    Rule: the second officer decides, never the one who proposed.

    """
    state = ReversalState(reversal.state)
    reversal.state = advance(REVERSAL_LIFE, state, ReversalStep.APPROVE).value
    reversal.reversing_entry_id = await post(
        work,
        EntryKind.REVERSAL,
        await undoing(reversal.entry_id),
        reverses=reversal.entry_id,
        note=reversal.reason,
        demo=reversal.demo,
    )
    return reversal


@operation(REVERSAL, "reject")
async def reject_reversal(_work: Work, reversal: Reversal, *, reason: str) -> Reversal:
    """Leave the entry as it is, with the reason in 1 to 2000 characters.

    Raises:
        WrongState: it was decided already.
        Malformed: a bad reason.

    """
    state = ReversalState(reversal.state)
    reversal.state = advance(REVERSAL_LIFE, state, ReversalStep.REJECT).value
    reversal.decision = check_text(reason, "reason", most=REASON_MAX)
    return reversal
