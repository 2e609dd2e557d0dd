"""The life of a negotiated transfer (协议转让), and what moves at each step. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from registry.kernel.words import DescribedEnum
from registry.ledger.rules import MONEY_INSTRUMENT, OUTSIDE_ACCOUNT, EntryKind, Posting

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The deadline of a state that has none, so that comparisons need no NULL."""

NEITHER = ""
"""Value of a column for a side, where there is none."""


class State(DescribedEnum):
    """The state of a transfer, as of now 转让状态."""

    DRAFT = "draft", "Draft", "草稿"
    AWAITING_SIGNATURE = "awaiting_signature", "Awaits a second signature", "待双人签署"
    OFFERED = "offered", "Offered to the buyer", "已发出要约"
    ACCEPTED = "accepted", "Accepted by the buyer", "已接受"
    ELIGIBLE = "eligible", "Found eligible", "资格审核通过"
    APPROVED = "approved", "Approved", "已批准"
    CONTRACTED = "contracted", "Under contract", "已签约"
    PAID = "paid", "Paid into escrow", "已付款"
    SETTLED = "settled", "Settled and attested", "已结算"
    WITHDRAWN = "withdrawn", "Withdrawn", "已撤回"
    REJECTED = "rejected", "Rejected", "不予批准"
    EXPIRED = "expired", "Past its time limit", "已失效"
    DEFAULTED = "defaulted", "One side did not keep the contract", "已违约"


class Step(DescribedEnum):
    """A step of a transfer 转让步骤."""

    OFFER = "offer", "Sign the offer", "发出要约"
    OFFER_FIRST = "offer_first", "Sign the offer first of two", "要约首签"
    COUNTERSIGN_OFFER = "countersign_offer", "Countersign the offer", "双人签署要约"
    ACCEPT = "accept", "Accept the offer", "接受要约"
    ACCEPT_FIRST = "accept_first", "Sign the acceptance first of two", "接受首签"
    COUNTERSIGN_ACCEPTANCE = "countersign_acceptance", "Countersign the acceptance", "双人签署接受"
    QUALIFY = "qualify", "Decide eligibility", "资格审核"
    OPINE = "opine", "Give a city's opinion", "出具市级意见"
    APPROVE = "approve", "Approve", "批准"
    CONTRACT = "contract", "Record the contract", "登记合同"
    PAY = "pay", "Record the payment", "登记付款"
    SETTLE = "settle", "Exchange rights and money", "权款结算"
    WITHDRAW = "withdraw", "Withdraw", "撤回"
    REJECT = "reject", "Reject", "不予批准"
    EXPIRE = "expire", "Let expire", "到期失效"
    DEFAULT = "default", "Declare a default", "认定违约"


class TransferSide(DescribedEnum):
    """A side of a transfer 转让一方."""

    SELLER = "seller", "The seller", "出让方"
    BUYER = "buyer", "The buyer", "受让方"


class Opinion(DescribedEnum):
    """The opinion of a city 市级意见."""

    FAVOURABLE = "favourable", "Favourable", "同意"
    UNFAVOURABLE = "unfavourable", "Unfavourable", "不同意"


class Regime(DescribedEnum):
    """Whether rights leave their city 流转制度."""

    SAME_CITY = "same_city", "Within one city", "市内"
    PILOT = "pilot", "Across cities on trial, each decided by the province", "跨市试点"
    CROSS_REGION = "cross_region", "Across regions", "跨区域"
    UNKNOWN = "unknown", "No rule of the day is known", "未查得规定"


class CategoryRule(StrEnum):
    """Which categories of sources may not trade with each other."""

    INDUSTRIAL_AGRICULTURAL = "industrial_agricultural"
    ALL = "all"


TRANSITIONS = {
    (State.DRAFT, Step.OFFER): State.OFFERED,
    (State.DRAFT, Step.OFFER_FIRST): State.AWAITING_SIGNATURE,
    (State.DRAFT, Step.WITHDRAW): State.WITHDRAWN,
    (State.AWAITING_SIGNATURE, Step.COUNTERSIGN_OFFER): State.OFFERED,
    (State.AWAITING_SIGNATURE, Step.COUNTERSIGN_ACCEPTANCE): State.ACCEPTED,
    (State.AWAITING_SIGNATURE, Step.WITHDRAW): State.WITHDRAWN,
    (State.AWAITING_SIGNATURE, Step.EXPIRE): State.EXPIRED,
    (State.OFFERED, Step.ACCEPT): State.ACCEPTED,
    (State.OFFERED, Step.ACCEPT_FIRST): State.AWAITING_SIGNATURE,
    (State.OFFERED, Step.WITHDRAW): State.WITHDRAWN,
    (State.OFFERED, Step.EXPIRE): State.EXPIRED,
    (State.ACCEPTED, Step.QUALIFY): State.ELIGIBLE,
    (State.ACCEPTED, Step.REJECT): State.REJECTED,
    (State.ACCEPTED, Step.WITHDRAW): State.WITHDRAWN,
    (State.ELIGIBLE, Step.OPINE): State.ELIGIBLE,
    (State.ELIGIBLE, Step.APPROVE): State.APPROVED,
    (State.ELIGIBLE, Step.REJECT): State.REJECTED,
    (State.ELIGIBLE, Step.WITHDRAW): State.WITHDRAWN,
    (State.APPROVED, Step.CONTRACT): State.CONTRACTED,
    (State.APPROVED, Step.WITHDRAW): State.WITHDRAWN,
    (State.APPROVED, Step.EXPIRE): State.EXPIRED,
    (State.CONTRACTED, Step.PAY): State.PAID,
    (State.CONTRACTED, Step.DEFAULT): State.DEFAULTED,
    (State.PAID, Step.SETTLE): State.SETTLED,
    (State.PAID, Step.DEFAULT): State.DEFAULTED,
}
"""Every step. Rule: Market Trading Rules of Hebei; the early exits are our reading."""

FINAL = frozenset(State) - {state for state, _ in TRANSITIONS}
"""States from which nothing leads on."""

EXPIRES = frozenset(state for state, step in TRANSITIONS if step is Step.EXPIRE)
"""States that end by themselves when their deadline passes."""

LOCKS_RIGHTS = frozenset(State) - FINAL - {State.DRAFT}
"""States in which the units lie in the seller's escrow: from the first signature to the end."""

BEFORE_CONTRACT = frozenset(state for state, step in TRANSITIONS if step is Step.WITHDRAW)
"""States from which either side may still withdraw."""

DEADLINES = {
    State.AWAITING_SIGNATURE: "acceptance_days",
    State.OFFERED: "acceptance_days",
    State.APPROVED: "contract_days",
    State.CONTRACTED: "payment_days",
}
"""States with a deadline, and the parameter that says how many working days it is away."""

AT_THE_EXCHANGE = frozenset({State.APPROVED, State.CONTRACTED})
"""States whose next act is done at the exchange: their last day ends when its business does."""


def state_at(state: State, deadline_at: datetime, now: datetime) -> State:
    """The state as of ``now``: what has passed its deadline has expired, swept or not."""
    return State.EXPIRED if state in EXPIRES and now > deadline_at else state


@dataclass(frozen=True, slots=True)
class SettlementTerms:
    """The exchanged quantities, and the accounts they pass through."""

    seller_holding: UUID
    seller_escrow: UUID
    buyer_holding: UUID
    buyer_escrow: UUID
    instrument: UUID
    quantity: int  # Base units of ``instrument``.
    sum_fen: int  # The price of all of it.


def lock_rights_postings(terms: SettlementTerms) -> tuple[Posting, ...]:
    """The seller can no longer dispose of the rights, and still owns them."""
    return (Posting(terms.seller_holding, terms.seller_escrow, terms.instrument, terms.quantity),)


def release_rights_postings(terms: SettlementTerms) -> tuple[Posting, ...]:
    """The rights come home to the seller."""
    return (Posting(terms.seller_escrow, terms.seller_holding, terms.instrument, terms.quantity),)


def pay_in_postings(terms: SettlementTerms) -> tuple[Posting, ...]:
    """The buyer's money enters the registry and is bound to the case."""
    return (Posting(OUTSIDE_ACCOUNT, terms.buyer_escrow, MONEY_INSTRUMENT, terms.sum_fen),)


def refund_postings(terms: SettlementTerms) -> tuple[Posting, ...]:
    """The money goes back to what the buyer can dispose of."""
    return (Posting(terms.buyer_escrow, terms.buyer_holding, MONEY_INSTRUMENT, terms.sum_fen),)


def exchange_postings(terms: SettlementTerms) -> tuple[Posting, ...]:
    """Rights against money (权款结算): both, or neither."""
    return (
        Posting(terms.seller_escrow, terms.buyer_holding, terms.instrument, terms.quantity),
        Posting(terms.buyer_escrow, terms.seller_holding, MONEY_INSTRUMENT, terms.sum_fen),
    )


StepPostings = Callable[[SettlementTerms], tuple[Posting, ...]]
"""The postings of an entry, given the accounts and quantities of a case."""


def step_postings(state: State, step: Step) -> dict[EntryKind, StepPostings]:
    """The entries that ``step`` writes when it is taken from ``state``; most steps move nothing."""
    match step:
        case Step.OFFER | Step.OFFER_FIRST:
            return {EntryKind.BLOCK: lock_rights_postings}
        case Step.PAY:
            return {EntryKind.PAYMENT: pay_in_postings}
        case Step.SETTLE:
            return {EntryKind.SETTLEMENT: exchange_postings}
        case Step.WITHDRAW | Step.REJECT | Step.EXPIRE | Step.DEFAULT:
            return _return_postings(state)
    return {}


def _return_postings(state: State) -> dict[EntryKind, StepPostings]:
    """The entries by which everything in escrow in ``state`` returns to its owner."""
    found: dict[EntryKind, StepPostings] = {}
    if state in LOCKS_RIGHTS:
        found[EntryKind.RELEASE] = release_rights_postings
    if state is State.PAID:
        found[EntryKind.REFUND] = refund_postings
    return found
