"""How a transfer moves on: its state, its deadline and what lies in escrow change here together."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from registry.commands.operation import CommandContext
from registry.kernel.calendar import add_working_days, day_of, end_of_day
from registry.kernel.state_machine import transition
from registry.ledger.journal import ensure_accounts, post_entry
from registry.ledger.rules import AccountKind, EntryKind
from registry.reference.cache import ReferenceData, load_reference
from registry.transfers.records import Transfer
from registry.transfers.rules import (
    AT_THE_EXCHANGE,
    DEADLINES,
    NEVER,
    TRANSITIONS,
    Regime,
    SettlementTerms,
    State,
    Step,
    StepPostings,
    state_at,
    step_postings,
)


async def advance_transfer(
    context: CommandContext, transfer: Transfer, step: Step, *, reference: str | None = None
) -> dict[EntryKind, UUID]:
    """Take ``step``: post what moves with it and advance the case. The entries written, by kind.

    Raises:
        WrongState: the case has no such step in its present state.
        Insufficient: what is to move is not there.
        Frozen: what is to move is frozen.
        NotInForce: the right has run out.

    """
    state = State(transfer.state)
    # A case past its deadline counts as expired; only the expiry step sees the stored state.
    current = state if step is Step.EXPIRE else state_at(state, transfer.deadline_at, context.now)
    after = transition(TRANSITIONS, current, step)
    written = await _post(context, transfer, step_postings(state, step), reference)
    if after in DEADLINES:
        transfer.deadline_at = await _deadline_after(context, transfer, step, after)
    else:
        transfer.deadline_at = NEVER
    transfer.state = after.value
    if after is State.OFFERED:
        transfer.offered_at = context.now
    return written


async def _post(
    context: CommandContext,
    transfer: Transfer,
    postings: Mapping[EntryKind, StepPostings],
    reference: str | None,
) -> dict[EntryKind, UUID]:
    if not postings:
        return {}
    terms = await _load_settlement_terms(context, transfer)
    return {
        kind: post_entry(context, kind, of_terms(terms), reference=reference, demo=transfer.demo)
        for kind, of_terms in postings.items()
    }


async def _load_settlement_terms(context: CommandContext, transfer: Transfer) -> SettlementTerms:
    seller, buyer = transfer.seller_id, transfer.buyer_id
    accounts = await ensure_accounts(
        context, (seller, buyer), AccountKind.HOLDING, AccountKind.ESCROW
    )
    return SettlementTerms(
        seller_holding=accounts[seller, AccountKind.HOLDING],
        seller_escrow=accounts[seller, AccountKind.ESCROW],
        buyer_holding=accounts[buyer, AccountKind.HOLDING],
        buyer_escrow=accounts[buyer, AccountKind.ESCROW],
        instrument=transfer.instrument_id,
        quantity=transfer.quantity,
        sum_fen=transfer.sum_fen,
    )


async def _deadline_after(
    context: CommandContext, transfer: Transfer, step: Step, after: State
) -> datetime:
    """When the state after ``step``, one with a deadline, ends by itself."""
    if step is Step.ACCEPT_FIRST:
        return transfer.deadline_at  # A second signature of the buyer is part of accepting in time.
    if transfer.accept_by is not None and after in (State.AWAITING_SIGNATURE, State.OFFERED):
        return end_of_day(transfer.accept_by)
    reference = await load_reference(context.reference_version)
    last = last_day_of(reference, DEADLINES[after], day_of(context.now))
    hours = (
        reference.parameters.find("business_day_ends", last) if after in AT_THE_EXCHANGE else None
    )
    return end_of_day(last, hours.time_of_day) if hours and hours.value else end_of_day(last)


def last_day_of(reference: ReferenceData, name: str, on: date) -> date:
    """The last day of a limit that begins to run on ``on``; ``name`` is one in working days."""
    days = reference.parameters.require(name, on).days
    return add_working_days(reference.calendar, on, days)


def regime_on(reference: ReferenceData, on: date, pollutant: str | None) -> Regime:
    """The regime in force for a pollutant; where none is known, nothing may leave its city.

    Rule: parameter ``cross_region_regime``.
    """
    found = reference.parameters.find("cross_region_regime", on, pollutant=pollutant or "")
    return Regime(found.word) if found and found.value else Regime.UNKNOWN
