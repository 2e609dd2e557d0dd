"""Transfers of the larger world: each goes a road of its own to its end, or stands on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from benchmarks.world.ledger_writer import Books, Done, Officer
from benchmarks.world.organisations import ABLE, Firm, Holding
from benchmarks.world.rule_lookup import array
from registry.kernel.calendar import day_of, end_of_day
from registry.kernel.quantities import amount_fen
from registry.ledger.rules import MONEY, OUTSIDE, EntryKind, Posting
from registry.transfers.rules import (
    DEADLINES,
    LIFE,
    NEITHER,
    NEVER,
    Deal,
    State,
    Step,
    attestation_number,
    entries,
)

LIMIT = timedelta(days=20)
"""How long a state with a time limit lasts, roughly what the regulation gives."""

REGISTRY = Officer("registry")
_INSIDE = ("same_city", "seller_inside", "seller_city_own", *ABLE)
_REASON = "by agreement of both sides"


@dataclass(frozen=True, slots=True)
class Move:
    """Who takes a step by which operation, and the facts that let him."""

    operation: str
    by: str
    facts: tuple[str, ...] = ABLE


_MOVES = {
    Step.OFFER: Move("offer_transfer", "seller", ("own_sale", "stage_draft", *ABLE)),
    Step.OFFER_FIRST: Move("offer_transfer", "seller", ("own_sale", "stage_draft", *ABLE)),
    Step.COUNTERSIGN_OFFER: Move(
        "countersign_transfer",
        "seller_second",
        ("own_sale", "awaiting_own_side", "stage_awaiting_signature", *ABLE),
    ),
    Step.ACCEPT: Move("accept_transfer", "buyer", ("own_purchase", "stage_offered", *ABLE)),
    Step.ACCEPT_FIRST: Move("accept_transfer", "buyer", ("own_purchase", "stage_offered", *ABLE)),
    Step.COUNTERSIGN_ACCEPTANCE: Move(
        "countersign_transfer",
        "buyer_second",
        ("own_purchase", "awaiting_own_side", "stage_awaiting_signature", *ABLE),
    ),
    Step.QUALIFY: Move("qualify_transfer", "centre", ("stage_accepted", *ABLE)),
    Step.APPROVE: Move("approve_transfer", "city", ("stage_eligible", *_INSIDE)),
    Step.REJECT: Move("reject_transfer", "city", ("stage_eligible", *_INSIDE)),
    Step.CONTRACT: Move("contract_transfer", "centre", ("stage_approved", *ABLE)),
    Step.PAY: Move("record_payment", "centre", ("stage_contracted", *ABLE)),
    Step.SETTLE: Move("settle_transfer", "centre", ("stage_paid", *ABLE)),
    Step.WITHDRAW: Move(
        "withdraw_transfer", "seller", ("own_sale", "stage_before_contract", *ABLE)
    ),
    Step.EXPIRE: Move("expire_transfer", "registry", ("overdue",)),
    Step.DEFAULT: Move("declare_default", "centre", ("stage_contracted", *ABLE)),
}

_MAIN = (
    Step.OFFER, Step.ACCEPT, Step.QUALIFY, Step.APPROVE, Step.CONTRACT, Step.PAY, Step.SETTLE,
)  # fmt: skip

ROADS: Mapping[State, tuple[Step, ...]] = {
    State.DRAFT: (),
    State.AWAITING_SIGNATURE: (Step.OFFER_FIRST,),
    State.OFFERED: _MAIN[:1],
    State.ACCEPTED: _MAIN[:2],
    State.ELIGIBLE: _MAIN[:3],
    State.APPROVED: _MAIN[:4],
    State.CONTRACTED: _MAIN[:5],
    State.PAID: _MAIN[:6],
    State.SETTLED: _MAIN,
    State.WITHDRAWN: (*_MAIN[:2], Step.WITHDRAW),
    State.REJECTED: (*_MAIN[:3], Step.REJECT),
    State.EXPIRED: (*_MAIN[:1], Step.EXPIRE),
    State.DEFAULTED: (*_MAIN[:5], Step.DEFAULT),
}
"""The steps that lead to each state where one representative signs."""

_TWICE = {
    Step.OFFER: (Step.OFFER_FIRST, Step.COUNTERSIGN_OFFER),
    Step.ACCEPT: (Step.ACCEPT_FIRST, Step.COUNTERSIGN_ACCEPTANCE),
}


def road(end: State, *, seller: Firm, buyer: Firm) -> tuple[Step, ...]:
    """The steps to ``end``, where two sign for whoever has two representatives."""
    twice = {
        step: _TWICE[step]
        for step, firm in ((Step.OFFER, seller), (Step.ACCEPT, buyer))
        if firm.two_sign
    }
    return tuple(each for step in ROADS[end] for each in twice.get(step, (step,)))


@dataclass(slots=True)
class Case:
    """A transfer on its way; ``quantity`` in base units, ``price_fen`` for one unit."""

    id: UUID
    seller: Firm
    buyer: Firm
    right: Holding
    quantity: int
    price_fen: int
    scale: int
    drafted_at: datetime
    state: State = State.DRAFT
    changed_at: datetime = NEVER
    deadline_at: datetime = NEVER
    offered_at: datetime = NEVER
    acted: list[Officer] = field(default_factory=list)
    number: str = ""

    @property
    def sum_fen(self) -> int:
        """What the buyer pays."""
        return amount_fen(self.quantity, self.price_fen, self.scale)

    @property
    def deal(self) -> Deal:
        """The accounts it passes through, and what passes."""
        return Deal(
            seller_holding=self.seller.holding,
            seller_escrow=self.seller.escrow,
            buyer_holding=self.buyer.holding,
            buyer_escrow=self.buyer.escrow,
            instrument=self.right.instrument,
            quantity=self.quantity,
            sum_fen=self.sum_fen,
        )


@dataclass(slots=True)
class Market:
    """Carries cases on, one step at a time, in the order of time."""

    books: Books
    centre: Officer
    bureaus: Mapping[str, Officer]
    attested: dict[tuple[str, int], int] = field(default_factory=dict)

    def draft(self, case: Case) -> None:
        """The seller opens the case."""
        facts = ("own_sale", "same_city", *ABLE)
        by = case.seller.people[0]
        done = Done("draft_transfer", by, case.drafted_at, case.id, facts, after=case.state.value)
        self.books.act(done)
        self._remember(case, by, case.drafted_at)

    def take(self, case: Case, step: Step, at: datetime) -> None:
        """One step of the case: its act, its entries, where it stands then."""
        move, before = _MOVES[step], case.state
        by = self._officer(case, move.by)
        case.state = LIFE[before, step]
        done = Done(move.operation, by, at, case.id, move.facts, before.value, case.state.value)
        act = self.books.act(done)
        for kind, postings in entries(case.deal, before, step).items():
            reference = f"BK{case.id.hex[:20].upper()}" if kind is EntryKind.PAYMENT else ""
            entry = self.books.post(act, kind, at, postings=postings, reference=reference)
            if kind is EntryKind.SETTLEMENT:
                self._attest(case, entry, at)
        case.deadline_at = end_of_day(day_of(at + LIMIT)) if case.state in DEADLINES else NEVER
        if case.state is State.OFFERED:
            case.offered_at = at
        self._remember(case, by, at)

    def pay_out(self, case: Case, at: datetime) -> None:
        """The centre pays the seller's money out."""
        done = Done("record_payout", self.centre, at, case.seller.holding, ABLE)
        act = self.books.act(done)
        posting = Posting(case.seller.holding, OUTSIDE, MONEY, case.sum_fen)
        reference = f"PO{case.id.hex[:20].upper()}"
        self.books.post(act, EntryKind.PAYOUT, at, postings=[posting], reference=reference)

    def close(self, cases: Sequence[Case]) -> None:
        """Write every case as it stands, and the last attestation numbers."""
        for case in cases:
            self._write(case)
        for (city, year), last in self.attested.items():
            self.books.sheaf.add("certificate_sequence", city, year, last)

    def _officer(self, case: Case, named: str) -> Officer:
        return {
            "seller": case.seller.people[0],
            "seller_second": case.seller.people[1],
            "buyer": case.buyer.people[0],
            "buyer_second": case.buyer.people[1],
            "centre": self.centre,
            "city": self.bureaus[case.seller.place.city],
            "registry": REGISTRY,
        }[named]

    def _remember(self, case: Case, by: Officer, at: datetime) -> None:
        case.changed_at = at
        if by not in case.acted and by is not REGISTRY:
            case.acted.append(by)

    def _attest(self, case: Case, entry: UUID, at: datetime) -> None:
        key = (case.seller.place.city, day_of(at).year)
        self.attested[key] = sequence = self.attested.get(key, 0) + 1
        case.number = attestation_number(*key, sequence)
        self.books.sheaf.add(
            "certificate", self.books.id(), case.number, case.id, entry, at, case.seller.id,
            case.buyer.id, case.right.pollutant, case.quantity, "true",
        )  # fmt: skip

    def _write(self, case: Case) -> None:
        state, seller, buyer = case.state, case.seller, case.buyer
        contracted = state in {State.CONTRACTED, State.PAID, State.SETTLED, State.DEFAULTED}
        paid = state in {State.PAID, State.SETTLED}
        ended = state in {State.WITHDRAWN, State.REJECTED, State.DEFAULTED}
        self.books.sheaf.add(
            "transfer", case.id,
            *(seller.id, seller.place.city, _county(seller)),
            *(buyer.id, buyer.place.city, _county(buyer)),
            *(case.right.instrument, case.quantity, case.price_fen, case.sum_fen, "", ""),
            *("same_city", state.value, case.deadline_at, case.offered_at),
            "seller" if state is State.AWAITING_SIGNATURE else NEITHER,
            f"HT-{case.id.hex[:20]}" if contracted else "",
            f"BK{case.id.hex[:20].upper()}" if paid else "",
            *(case.number, _REASON if ended else ""),
            "buyer" if state is State.DEFAULTED else NEITHER,
            *(seller.people[0].person, seller.id),
            array(officer.person for officer in case.acted),
            array(officer.organisation for officer in case.acted),
            *("true", case.drafted_at, case.changed_at),
        )  # fmt: skip


def _county(firm: Firm) -> str:
    return "" if firm.place.code == firm.place.city else firm.place.code
