"""Transfers of the synthetic world: each follows a path to its end, or stops on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from benchmarks.world.ledger_writer import AuditRow, LedgerWriter, Officer
from benchmarks.world.organisations import DUTY_FACTS, Firm, Holding
from benchmarks.world.rule_lookup import pg_array
from registry.kernel.calendar import day_of, end_of_day
from registry.kernel.quantities import total_price_fen
from registry.ledger.rules import MONEY_INSTRUMENT, OUTSIDE_ACCOUNT, EntryKind, Posting
from registry.transfers.rules import (
    DEADLINES,
    NEITHER,
    NEVER,
    TRANSITIONS,
    SettlementTerms,
    State,
    Step,
    attestation_number,
    step_postings,
)

LIMIT = timedelta(days=20)
"""How long a state with a time limit lasts, roughly what the regulation gives."""

REGISTRY = Officer("registry")
_INSIDE = ("same_city", "seller_inside", "seller_city_own", *DUTY_FACTS)
_REASON = "by agreement of both sides"


@dataclass(frozen=True, slots=True)
class SimulatedStep:
    """The actor and operation of a step, and the facts that allow it."""

    operation: str
    actor: str
    facts: tuple[str, ...] = DUTY_FACTS


_SIMULATED_STEPS = {
    Step.OFFER: SimulatedStep("offer_transfer", "seller", ("own_sale", "stage_draft", *DUTY_FACTS)),
    Step.OFFER_FIRST: SimulatedStep(
        "offer_transfer", "seller", ("own_sale", "stage_draft", *DUTY_FACTS)
    ),
    Step.COUNTERSIGN_OFFER: SimulatedStep(
        "countersign_transfer",
        "seller_second",
        ("own_sale", "awaiting_own_side", "stage_awaiting_signature", *DUTY_FACTS),
    ),
    Step.ACCEPT: SimulatedStep(
        "accept_transfer", "buyer", ("own_purchase", "stage_offered", *DUTY_FACTS)
    ),
    Step.ACCEPT_FIRST: SimulatedStep(
        "accept_transfer", "buyer", ("own_purchase", "stage_offered", *DUTY_FACTS)
    ),
    Step.COUNTERSIGN_ACCEPTANCE: SimulatedStep(
        "countersign_transfer",
        "buyer_second",
        ("own_purchase", "awaiting_own_side", "stage_awaiting_signature", *DUTY_FACTS),
    ),
    Step.QUALIFY: SimulatedStep("qualify_transfer", "centre", ("stage_accepted", *DUTY_FACTS)),
    Step.APPROVE: SimulatedStep("approve_transfer", "city", ("stage_eligible", *_INSIDE)),
    Step.REJECT: SimulatedStep("reject_transfer", "city", ("stage_eligible", *_INSIDE)),
    Step.CONTRACT: SimulatedStep("contract_transfer", "centre", ("stage_approved", *DUTY_FACTS)),
    Step.PAY: SimulatedStep("record_payment", "centre", ("stage_contracted", *DUTY_FACTS)),
    Step.SETTLE: SimulatedStep("settle_transfer", "centre", ("stage_paid", *DUTY_FACTS)),
    Step.WITHDRAW: SimulatedStep(
        "withdraw_transfer", "seller", ("own_sale", "stage_before_contract", *DUTY_FACTS)
    ),
    Step.EXPIRE: SimulatedStep("expire_transfer", "registry", ("overdue",)),
    Step.DEFAULT: SimulatedStep("declare_default", "centre", ("stage_contracted", *DUTY_FACTS)),
}

_MAIN_PATH = (
    Step.OFFER, Step.ACCEPT, Step.QUALIFY, Step.APPROVE, Step.CONTRACT, Step.PAY, Step.SETTLE,
)  # fmt: skip

PATHS: Mapping[State, tuple[Step, ...]] = {
    State.DRAFT: (),
    State.AWAITING_SIGNATURE: (Step.OFFER_FIRST,),
    State.OFFERED: _MAIN_PATH[:1],
    State.ACCEPTED: _MAIN_PATH[:2],
    State.ELIGIBLE: _MAIN_PATH[:3],
    State.APPROVED: _MAIN_PATH[:4],
    State.CONTRACTED: _MAIN_PATH[:5],
    State.PAID: _MAIN_PATH[:6],
    State.SETTLED: _MAIN_PATH,
    State.WITHDRAWN: (*_MAIN_PATH[:2], Step.WITHDRAW),
    State.REJECTED: (*_MAIN_PATH[:3], Step.REJECT),
    State.EXPIRED: (*_MAIN_PATH[:1], Step.EXPIRE),
    State.DEFAULTED: (*_MAIN_PATH[:5], Step.DEFAULT),
}
"""The steps that lead to each state where one representative signs."""

_TWO_SIGNATURE_STEPS = {
    Step.OFFER: (Step.OFFER_FIRST, Step.COUNTERSIGN_OFFER),
    Step.ACCEPT: (Step.ACCEPT_FIRST, Step.COUNTERSIGN_ACCEPTANCE),
}


def path_to(end: State, *, seller: Firm, buyer: Firm) -> tuple[Step, ...]:
    """The steps to ``end``; two sign for a side with two representatives."""
    twice = {
        step: _TWO_SIGNATURE_STEPS[step]
        for step, firm in ((Step.OFFER, seller), (Step.ACCEPT, buyer))
        if firm.needs_two_signatures
    }
    return tuple(each for step in PATHS[end] for each in twice.get(step, (step,)))


@dataclass(slots=True)
class SimulatedTransfer:
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
    signatories: list[Officer] = field(default_factory=list)
    number: str = ""

    @property
    def sum_fen(self) -> int:
        """The payment of the buyer."""
        return total_price_fen(self.quantity, self.price_fen, self.scale)

    @property
    def deal(self) -> SettlementTerms:
        """The accounts it passes through, and what passes."""
        return SettlementTerms(
            seller_holding=self.seller.holding,
            seller_escrow=self.seller.escrow,
            buyer_holding=self.buyer.holding,
            buyer_escrow=self.buyer.escrow,
            instrument=self.right.instrument,
            quantity=self.quantity,
            sum_fen=self.sum_fen,
        )


@dataclass(slots=True)
class TransferSimulator:
    """Carries cases on, one step at a time, in the order of time."""

    writer: LedgerWriter
    centre: Officer
    bureaus: Mapping[str, Officer]
    attestation_counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def draft(self, case: SimulatedTransfer) -> None:
        """The seller opens the case."""
        facts = ("own_sale", "same_city", *DUTY_FACTS)
        by = case.seller.people[0]
        done = AuditRow(
            "draft_transfer", by, case.drafted_at, case.id, facts, state_after=case.state.value
        )
        self.writer.write_audit_entry(done)
        self._record_signatory(case, by, case.drafted_at)

    def advance(self, case: SimulatedTransfer, step: Step, at: datetime) -> None:
        """One step of the case: its audit entry, its ledger entries, its state afterwards."""
        move, before = _SIMULATED_STEPS[step], case.state
        by = self._officer(case, move.actor)
        case.state = TRANSITIONS[before, step]
        done = AuditRow(move.operation, by, at, case.id, move.facts, before.value, case.state.value)
        act = self.writer.write_audit_entry(done)
        for kind, of_terms in step_postings(before, step).items():
            reference = f"BK{case.id.hex[:20].upper()}" if kind is EntryKind.PAYMENT else ""
            entry = self.writer.write_entry(
                act, kind, at, postings=of_terms(case.deal), reference=reference
            )
            if kind is EntryKind.SETTLEMENT:
                self._write_certificate(case, entry, at)
        case.deadline_at = end_of_day(day_of(at + LIMIT)) if case.state in DEADLINES else NEVER
        if case.state is State.OFFERED:
            case.offered_at = at
        self._record_signatory(case, by, at)

    def pay_out(self, case: SimulatedTransfer, at: datetime) -> None:
        """The centre pays the seller's money out."""
        done = AuditRow("record_payout", self.centre, at, case.seller.holding, DUTY_FACTS)
        act = self.writer.write_audit_entry(done)
        posting = Posting(case.seller.holding, OUTSIDE_ACCOUNT, MONEY_INSTRUMENT, case.sum_fen)
        reference = f"PO{case.id.hex[:20].upper()}"
        self.writer.write_entry(act, EntryKind.PAYOUT, at, postings=[posting], reference=reference)

    def write_transfers(self, cases: Sequence[SimulatedTransfer]) -> None:
        """Write every case and the last attestation numbers."""
        for case in cases:
            self._write(case)
        for (city, year), last in self.attestation_counts.items():
            self.writer.buffer.add("certificate_sequence", city, year, last)

    def _officer(self, case: SimulatedTransfer, named: str) -> Officer:
        return {
            "seller": case.seller.people[0],
            "seller_second": case.seller.people[1],
            "buyer": case.buyer.people[0],
            "buyer_second": case.buyer.people[1],
            "centre": self.centre,
            "city": self.bureaus[case.seller.division.city],
            "registry": REGISTRY,
        }[named]

    def _record_signatory(self, case: SimulatedTransfer, by: Officer, at: datetime) -> None:
        case.changed_at = at
        if by not in case.signatories and by is not REGISTRY:
            case.signatories.append(by)

    def _write_certificate(self, case: SimulatedTransfer, entry: UUID, at: datetime) -> None:
        key = (case.seller.division.city, day_of(at).year)
        self.attestation_counts[key] = sequence = self.attestation_counts.get(key, 0) + 1
        case.number = attestation_number(*key, sequence)
        self.writer.buffer.add(
            "certificate", self.writer.next_id(), case.number, case.id, entry, at, case.seller.id,
            case.buyer.id, case.right.pollutant, case.quantity, "true",
        )  # fmt: skip

    def _write(self, case: SimulatedTransfer) -> None:
        state, seller, buyer = case.state, case.seller, case.buyer
        contracted = state in {State.CONTRACTED, State.PAID, State.SETTLED, State.DEFAULTED}
        paid = state in {State.PAID, State.SETTLED}
        ended = state in {State.WITHDRAWN, State.REJECTED, State.DEFAULTED}
        self.writer.buffer.add(
            "transfer", case.id,
            *(seller.id, seller.division.city, _county(seller)),
            *(buyer.id, buyer.division.city, _county(buyer)),
            *(case.right.instrument, case.quantity, case.price_fen, case.sum_fen, "", ""),
            *("same_city", state.value, case.deadline_at, case.offered_at),
            "seller" if state is State.AWAITING_SIGNATURE else NEITHER,
            f"HT-{case.id.hex[:20]}" if contracted else "",
            f"BK{case.id.hex[:20].upper()}" if paid else "",
            *(case.number, _REASON if ended else ""),
            "buyer" if state is State.DEFAULTED else NEITHER,
            *(seller.people[0].person, seller.id),
            pg_array(officer.person for officer in case.signatories),
            pg_array(officer.organisation for officer in case.signatories),
            *("true", case.drafted_at, case.changed_at),
        )  # fmt: skip


def _county(firm: Firm) -> str:
    return "" if firm.division.code == firm.division.city else firm.division.code
