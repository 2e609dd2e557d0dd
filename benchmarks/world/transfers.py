"""Transfers of a synthetic world, each on a path to its outcome."""

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
    step_postings,
)

LIMIT = timedelta(days=20)
"""Length of a state with a time limit, roughly that of the regulation."""

REGISTRY = Officer("registry")
_INSIDE = ("same_city", "seller_inside", "seller_city_own", *DUTY_FACTS)
_REASON = "by agreement of both sides"


@dataclass(frozen=True, slots=True)
class SimulatedStep:
    """A step: its operation, its actor and the facts that allow it."""

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
"""Steps to each state if one representative signs."""

_TWO_SIGNATURE_STEPS = {
    Step.OFFER: (Step.OFFER_FIRST, Step.COUNTERSIGN_OFFER),
    Step.ACCEPT: (Step.ACCEPT_FIRST, Step.COUNTERSIGN_ACCEPTANCE),
}


def path_to(end: State, *, seller: Firm, buyer: Firm) -> tuple[Step, ...]:
    """The steps to ``end``; a party with two representatives signs twice."""
    twice = {
        step: _TWO_SIGNATURE_STEPS[step]
        for step, firm in ((Step.OFFER, seller), (Step.ACCEPT, buyer))
        if firm.needs_two_signatures
    }
    return tuple(each for step in PATHS[end] for each in twice.get(step, (step,)))


@dataclass(slots=True)
class SimulatedTransfer:
    """A transfer in simulation; ``quantity`` in base units, ``price_fen`` for one unit."""

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
        """The price of all units."""
        return total_price_fen(self.quantity, self.price_fen, self.scale)

    @property
    def terms(self) -> SettlementTerms:
        """Quantity, price and accounts."""
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
    """Advances transfers, one step at a time, in order of time."""

    writer: LedgerWriter
    centre: Officer
    bureaus: Mapping[str, Officer]
    attestation_counts: dict[tuple[str, int], int] = field(default_factory=dict)
    case_counts: dict[int, int] = field(default_factory=dict)

    def draft(self, transfer: SimulatedTransfer) -> None:
        """The seller drafts the transfer."""
        facts = ("own_sale", "same_city", *DUTY_FACTS)
        by = transfer.seller.people[0]
        row = AuditRow(
            "draft_transfer",
            by,
            transfer.drafted_at,
            transfer.id,
            facts,
            state_after=transfer.state.value,
        )
        self.writer.write_audit_entry(row)
        self._record_signatory(transfer, by, transfer.drafted_at)

    def advance(self, transfer: SimulatedTransfer, step: Step, at: datetime) -> None:
        """One step: its audit entry, its ledger entries and the state after it."""
        move, before = _SIMULATED_STEPS[step], transfer.state
        by = self._officer(transfer, move.actor)
        transfer.state = TRANSITIONS[before, step]
        row = AuditRow(
            move.operation, by, at, transfer.id, move.facts, before.value, transfer.state.value
        )
        audit_entry = self.writer.write_audit_entry(row)
        for kind, of_terms in step_postings(before, step).items():
            reference = f"BK{transfer.id.hex[:20].upper()}" if kind is EntryKind.PAYMENT else ""
            entry = self.writer.write_entry(
                audit_entry, kind, at, postings=of_terms(transfer.terms), reference=reference
            )
            if kind is EntryKind.SETTLEMENT:
                self._write_certificate(transfer, entry, at)
        transfer.deadline_at = (
            end_of_day(day_of(at + LIMIT)) if transfer.state in DEADLINES else NEVER
        )
        if transfer.state is State.OFFERED:
            transfer.offered_at = at
        self._record_signatory(transfer, by, at)

    def pay_out(self, transfer: SimulatedTransfer, at: datetime) -> None:
        """The centre pays the seller's money out."""
        facts = (*DUTY_FACTS, "holding_account")
        row = AuditRow("record_payout", self.centre, at, transfer.seller.holding, facts)
        audit_entry = self.writer.write_audit_entry(row)
        posting = Posting(
            transfer.seller.holding, OUTSIDE_ACCOUNT, MONEY_INSTRUMENT, transfer.sum_fen
        )
        reference = f"PO{transfer.id.hex[:20].upper()}"
        self.writer.write_entry(
            audit_entry, EntryKind.PAYOUT, at, postings=[posting], reference=reference
        )

    def write_transfers(self, transfers: Sequence[SimulatedTransfer]) -> None:
        """Write every transfer and the last attestation numbers."""
        for transfer in transfers:
            self._write(transfer)
        for (city, year), last in self.attestation_counts.items():
            self.writer.buffer.add("certificate_sequence", city, year, last)
        for year, last in self.case_counts.items():
            self.writer.buffer.add("case_number_sequence", year, last)

    def _officer(self, transfer: SimulatedTransfer, named: str) -> Officer:
        return {
            "seller": transfer.seller.people[0],
            "seller_second": transfer.seller.people[1],
            "buyer": transfer.buyer.people[0],
            "buyer_second": transfer.buyer.people[1],
            "centre": self.centre,
            "city": self.bureaus[transfer.seller.division.city],
            "registry": REGISTRY,
        }[named]

    def _record_signatory(self, transfer: SimulatedTransfer, by: Officer, at: datetime) -> None:
        transfer.changed_at = at
        if by not in transfer.signatories and by is not REGISTRY:
            transfer.signatories.append(by)

    def _write_certificate(self, transfer: SimulatedTransfer, entry: UUID, at: datetime) -> None:
        key = (transfer.seller.division.city, day_of(at).year)
        self.attestation_counts[key] = sequence = self.attestation_counts.get(key, 0) + 1
        transfer.number = "HB-{}-{}-{:05}".format(*key, sequence)
        self.writer.buffer.add(
            "certificate", self.writer.next_id(), transfer.number, transfer.id, entry, at,
            transfer.seller.id, transfer.buyer.id, transfer.right.pollutant, transfer.quantity,
            "true",
        )  # fmt: skip

    def _next_case_number(self, transfer: SimulatedTransfer) -> str:
        year = day_of(transfer.drafted_at).year
        self.case_counts[year] = last = self.case_counts.get(year, 0) + 1
        return f"SL-{year}-{last:06}"

    def _write(self, transfer: SimulatedTransfer) -> None:
        state, seller, buyer = transfer.state, transfer.seller, transfer.buyer
        contracted = state in {State.CONTRACTED, State.PAID, State.SETTLED, State.DEFAULTED}
        paid = state in {State.PAID, State.SETTLED}
        ended = state in {State.WITHDRAWN, State.REJECTED, State.DEFAULTED}
        self.writer.buffer.add(
            "transfer", transfer.id, self._next_case_number(transfer),
            *(seller.id, seller.division.city, _county(seller)),
            *(buyer.id, buyer.division.city, _county(buyer)),
            *(transfer.right.instrument, transfer.quantity),
            *(transfer.price_fen, transfer.sum_fen, "", ""),
            *("same_city", state.value, transfer.deadline_at, transfer.offered_at),
            "seller" if state is State.AWAITING_SIGNATURE else NEITHER,
            f"HT-{transfer.id.hex[:20]}" if contracted else "",
            f"BK{transfer.id.hex[:20].upper()}" if paid else "",
            *(transfer.number, _REASON if ended else ""),
            "buyer" if state is State.DEFAULTED else NEITHER,
            *(seller.people[0].person, seller.id),
            pg_array(officer.person for officer in transfer.signatories),
            pg_array(officer.organisation for officer in transfer.signatories),
            *("true", transfer.drafted_at, transfer.changed_at),
        )  # fmt: skip


def _county(firm: Firm) -> str:
    return "" if firm.division.code == firm.division.city else firm.division.code
