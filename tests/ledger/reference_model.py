"""The ledger in plain Python; the state machine compares PostgreSQL with it.

It is written from the rules, not from the SQL: simple and slow code is welcome here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import takewhile
from uuid import UUID

from registry.kernel.calendar import day_of
from registry.kernel.errors import Code
from registry.kernel.quantities import MONEY_MAX
from registry.ledger.rules import REVERSIBLE_KINDS, AccountKind, EntryKind

NO_ENTRY = "BD006"
"""A call that only a programming mistake can make: an error, not a refusal."""

EXEMPT_FROM_TERM = {EntryKind.EXPIRY, EntryKind.RELEASE, EntryKind.REVERSAL, EntryKind.CONVERSION}
NEEDS_BANK_REFERENCE = {EntryKind.PAYMENT, EntryKind.PAYOUT}

Key = tuple[UUID, UUID]
Move = tuple[UUID, UUID, UUID, int]


class ModelRefusal(Exception):
    """The model refuses, with the code that the registry must answer."""

    def __init__(self, code: Code | str) -> None:
        super().__init__(str(code))
        self.code = str(code)


@dataclass(frozen=True, slots=True)
class ModelAccount:
    """An account."""

    id: UUID
    kind: AccountKind
    organisation: UUID | None = None
    city: str = ""

    @property
    def is_issuer(self) -> bool:
        return self.organisation is None


@dataclass(frozen=True, slots=True)
class ModelInstrument:
    """An instrument; one without pollutant is money."""

    id: UUID
    pollutant: str = ""
    until: date | None = None

    def in_force(self, at: datetime) -> bool:
        return self.until is None or day_of(at) <= self.until


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One line of one balance, with the account on the other side."""

    change: int
    balance: int
    other: UUID
    recorded: datetime
    effective: datetime


@dataclass(frozen=True, slots=True)
class EntryRequest:
    """An entry that is asked for."""

    kind: EntryKind
    movements: tuple[Move, ...]
    now: datetime
    effective: datetime | None = None
    reverses: UUID | None = None
    reference: str = ""

    @property
    def keys(self) -> set[Key]:
        return {
            key
            for source, target, thing, _ in self.movements
            for key in ((source, thing), (target, thing))
        }


@dataclass(frozen=True, slots=True)
class Freeze:
    """A freeze."""

    organisation: UUID
    account: UUID | None
    instrument: UUID | None
    starts: datetime
    ends: datetime | None
    is_lifted: bool = False

    def applies_to(self, place: ModelAccount, thing: UUID, at: datetime) -> bool:
        return (
            not self.is_lifted
            and self.starts <= at
            and (self.ends is None or at < self.ends)
            and self.organisation == place.organisation
            and self.account in {None, place.id}
            and self.instrument in {None, thing}
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed reversal."""

    entry: UUID
    by: str
    state: str = "proposed"


@dataclass
class ReferenceModel:
    """The ledger as the model keeps it; everything that refuses raises ``ModelRefusal`` first."""

    accounts: Mapping[UUID, ModelAccount]
    instruments: Mapping[UUID, ModelInstrument]
    caps: Mapping[tuple[str, str], int]
    now: datetime
    audit_entries: int = 0
    lines: dict[Key, list[BalanceLine]] = field(default_factory=dict)
    entries: dict[UUID, EntryRequest] = field(default_factory=dict)
    recorded: dict[UUID, datetime] = field(default_factory=dict)
    freezes: dict[UUID, Freeze] = field(default_factory=dict)
    proposals: dict[UUID, Proposal] = field(default_factory=dict)

    def balance(self, key: Key) -> int:
        lines = self.lines.get(key)
        return lines[-1].balance if lines else 0

    def balances(self) -> dict[Key, tuple[int, int, datetime]]:
        """Quantity, number of lines and last knowledge of every balance there is."""
        return {
            key: (lines[-1].balance, len(lines), lines[-1].recorded)
            for key, lines in self.lines.items()
        }

    def balance_recorded_at(self, key: Key, at: datetime) -> int:
        seen = list(takewhile(lambda line: line.recorded <= at, self.lines.get(key, [])))
        return seen[-1].balance if seen else 0

    def balance_effective_at(self, key: Key, effective: datetime, known: datetime) -> int:
        return sum(
            line.change
            for line in self.lines.get(key, [])
            if line.effective <= effective and line.recorded <= known
        )

    def positions(self, *kinds: AccountKind, money: bool | None = None) -> list[Key]:
        """Holdings of accounts of these kinds, of money or of rights alone where asked."""
        return [
            (account, thing)
            for (account, thing) in self.lines
            if self.accounts[account].kind in kinds
            and self.balance((account, thing)) > 0
            and money in {None, not self.instruments[thing].pollutant}
        ]

    def references(self) -> dict[str, UUID]:
        """The bank's references that are taken, with their entries."""
        undone = self.reversed_entries()
        return {
            draft.reference: id
            for id, draft in self.entries.items()
            if draft.reference and id not in undone
        }

    def reversed_entries(self) -> set[UUID]:
        return {draft.reverses for draft in self.entries.values() if draft.reverses}

    def city_holds(self, city: str, pollutant: str, lines: Mapping[Key, int]) -> int:
        return sum(
            quantity
            for (account, thing), quantity in lines.items()
            if self.accounts[account].city == city
            and self.instruments[thing].pollutant == pollutant
            and self.instruments[thing].in_force(self.now)
        )

    def over_cap(self) -> bool:
        held = {key: self.balance(key) for key in self.lines}
        return any(self.city_holds(*city, held) > cap for city, cap in self.caps.items())

    # Refusals, in the order in which they are found.

    def validate(self, draft: EntryRequest) -> None:
        """Refuse what cannot be an entry."""
        if any(not 0 < q <= MONEY_MAX or s == t for s, t, _, q in draft.movements):
            raise ModelRefusal(Code.MALFORMED)
        if any(a not in self.accounts or i not in self.instruments for a, i in draft.keys):
            raise ModelRefusal(Code.NOT_FOUND)
        if any(self._has_wrong_accounts(draft.kind, move) for move in draft.movements):
            raise ModelRefusal(NO_ENTRY)
        if any(self._is_frozen(move, draft.now) for move in draft.movements):
            raise ModelRefusal(Code.FROZEN)
        if draft.kind not in EXEMPT_FROM_TERM and not all(
            self.instruments[thing].in_force(draft.now) for _, _, thing, _ in draft.movements
        ):
            raise ModelRefusal(Code.NOT_IN_FORCE)
        if draft.effective and draft.effective > self.recorded_at(draft):
            raise ModelRefusal(Code.MALFORMED)
        self._validate_quantities(draft)
        if draft.kind in NEEDS_BANK_REFERENCE and draft.reference in self.references():
            raise ModelRefusal(Code.DUPLICATE)

    def _has_wrong_accounts(self, kind: EntryKind, move: Move) -> bool:
        source, target = self.accounts[move[0]], self.accounts[move[1]]
        kinds = {source.kind, target.kind}
        if not (source.is_issuer or target.is_issuer) or kind == EntryKind.REVERSAL:
            return False
        one = not (source.is_issuer and target.is_issuer)
        way = {
            EntryKind.OPENING: source.kind == AccountKind.ISSUANCE,
            EntryKind.EXPIRY: target.kind == AccountKind.ISSUANCE,
            EntryKind.CONVERSION: AccountKind.ISSUANCE in kinds,
            EntryKind.PAYMENT: source.kind == AccountKind.OUTSIDE,
            EntryKind.PAYOUT: target.kind == AccountKind.OUTSIDE,
        }.get(kind, False)
        is_money = not self.instruments[move[2]].pollutant
        return not (way and one and is_money == (AccountKind.OUTSIDE in kinds))

    def _is_frozen(self, move: Move, at: datetime) -> bool:
        source, target = self.accounts[move[0]], self.accounts[move[1]]
        home = target.kind == AccountKind.HOLDING and target.organisation == source.organisation
        return not home and any(
            hold.applies_to(source, move[2], at) for hold in self.freezes.values()
        )

    def _validate_quantities(self, draft: EntryRequest) -> None:
        held = {key: self.balance(key) for key in {*self.lines, *draft.keys}}
        before = dict(held)
        for source, target, thing, quantity in draft.movements:
            if held[source, thing] < quantity and not self.accounts[source].is_issuer:
                raise ModelRefusal(Code.INSUFFICIENT)
            held[source, thing] -= quantity
            held[target, thing] += quantity
        for city, cap in self.caps.items():
            if self.city_holds(*city, before) < self.city_holds(*city, held) > cap:
                raise ModelRefusal(Code.INSUFFICIENT)

    def recorded_at(self, draft: EntryRequest) -> datetime:
        """Never before what is known of the balances it touches."""
        return (
            max(draft.now, *(self.lines[k][-1].recorded for k in draft.keys if k in self.lines))
            if any(k in self.lines for k in draft.keys)
            else draft.now
        )

    # Its effect.

    def write(self, id: UUID, draft: EntryRequest) -> None:
        known = self.recorded_at(draft)
        self.entries[id], self.recorded[id] = draft, known
        for source, target, thing, quantity in draft.movements:
            for mine, other, change in ((source, target, -quantity), (target, source, quantity)):
                lines = self.lines.setdefault((mine, thing), [])
                balance = lines[-1].balance if lines else 0
                lines.append(
                    BalanceLine(
                        change, balance + change, other, known, draft.effective or draft.now
                    )
                )

    def reversal_of(self, entry: UUID) -> tuple[Move, ...]:
        """The way back; what had been blocked goes home instead."""
        draft = self.entries[entry]
        back = (
            (target, self._home_account(source, thing, self.recorded[entry]), thing, quantity)
            for source, target, thing, quantity in reversed(draft.movements)
        )
        return tuple(move for move in back if move[0] != move[1])

    def _home_account(self, account: UUID, thing: UUID, at: datetime) -> UUID:
        place = self.accounts[account]
        if place.kind != AccountKind.ESCROW:
            return account
        own = {p.id: p for p in self.accounts.values() if p.organisation == place.organisation}
        fillers = [
            line.other
            for line in self.lines[account, thing]
            if line.change > 0 and line.other in own and line.recorded <= at
        ]
        holding = next(p.id for p in own.values() if p.kind == AccountKind.HOLDING)
        return fillers[-1] if fillers else holding

    def validate_reversal(self, entry: UUID) -> None:
        """Refuse because of the kind, an earlier reversal, or a holder who sold on."""
        back = self.reversal_of(entry)
        net: dict[Key, int] = defaultdict(int)
        for source, target, thing, quantity in back:
            net[source, thing] -= quantity
            net[target, thing] += quantity
        kept = all(
            self.accounts[account].is_issuer or self.balance((account, thing)) + change >= 0
            for (account, thing), change in net.items()
            if change < 0
        )
        reversible = (
            self.entries[entry].kind in REVERSIBLE_KINDS and entry not in self.reversed_entries()
        )
        if not (kept and reversible and back):
            raise ModelRefusal(Code.CONDITIONS_UNMET)

    def propose(self, entry: UUID) -> None:
        if entry not in self.entries:
            raise ModelRefusal(Code.NOT_FOUND)
        self.validate_reversal(entry)
        if any(p.entry == entry and p.state != "rejected" for p in self.proposals.values()):
            raise ModelRefusal(Code.DUPLICATE)

    def decide(self, proposal: UUID, by: str) -> Proposal:
        """The proposal, if the caller may decide it."""
        found = self.proposals[proposal]
        if found.state != "proposed" or found.by == by:
            raise ModelRefusal(Code.FORBIDDEN)
        return found

    def set_state(self, proposal: UUID, state: str) -> None:
        self.proposals[proposal] = replace(self.proposals[proposal], state=state)

    def freeze(self, hold: Freeze) -> None:
        if hold.ends is not None and hold.ends <= hold.starts:
            raise ModelRefusal(Code.MALFORMED)

    def lift(self, id: UUID) -> None:
        if self.freezes[id].is_lifted:
            raise ModelRefusal(Code.FORBIDDEN)

    def states(self) -> dict[UUID, str]:
        """Where freezes and reversals stand."""
        lifted = {True: "lifted", False: "in_force"}
        return {id: lifted[hold.is_lifted] for id, hold in self.freezes.items()} | {
            id: proposal.state for id, proposal in self.proposals.items()
        }

    def counts(self) -> dict[str, int]:
        """How many rows there are of what grows."""
        entries: Iterable[EntryRequest] = self.entries.values()
        banked = [draft for draft in entries if draft.reference]
        return {
            "audit_entry": self.audit_entries,
            "idempotency_key": self.audit_entries,
            "entry": len(self.entries),
            "posting": sum(len(draft.movements) for draft in self.entries.values()),
            "bank_reference": len(banked),
            "released": len(banked) - len(self.references()),
        }
