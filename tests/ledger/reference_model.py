"""What the ledger should do, in plain Python; the state machine holds PostgreSQL against it.

It is written from the rules, not from the SQL: whatever is simple and slow is welcome here.
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
from registry.ledger.rules import REVERSIBLE, AccountKind, EntryKind

NO_ENTRY = "BD006"
"""What no caller can ask for and a mistaken programmer meets: an error, not a refusal."""

UNBOUND = {EntryKind.EXPIRY, EntryKind.RELEASE, EntryKind.REVERSAL, EntryKind.CONVERSION}
BANKED = {EntryKind.PAYMENT, EntryKind.PAYOUT}

Key = tuple[UUID, UUID]
Move = tuple[UUID, UUID, UUID, int]


class No(Exception):
    """The model refuses, with the code that the registry must answer."""

    def __init__(self, code: Code | str) -> None:
        super().__init__(str(code))
        self.code = str(code)


@dataclass(frozen=True, slots=True)
class Place:
    """An account."""

    id: UUID
    kind: AccountKind
    organisation: UUID | None = None
    city: str = ""

    @property
    def issuer(self) -> bool:
        return self.organisation is None


@dataclass(frozen=True, slots=True)
class Thing:
    """An instrument; one without pollutant is money."""

    id: UUID
    pollutant: str = ""
    until: date | None = None

    def in_force(self, at: datetime) -> bool:
        return self.until is None or day_of(at) <= self.until


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one balance, with whoever stood on the other side."""

    change: int
    balance: int
    other: UUID
    known: datetime
    effective: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that is asked for."""

    kind: EntryKind
    moves: tuple[Move, ...]
    now: datetime
    effective: datetime | None = None
    reverses: UUID | None = None
    reference: str = ""

    @property
    def keys(self) -> set[Key]:
        return {
            key
            for source, target, thing, _ in self.moves
            for key in ((source, thing), (target, thing))
        }


@dataclass(frozen=True, slots=True)
class Hold:
    """A freeze."""

    organisation: UUID
    account: UUID | None
    instrument: UUID | None
    starts: datetime
    ends: datetime | None
    lifted: bool = False

    def stops(self, place: Place, thing: UUID, at: datetime) -> bool:
        return (
            not self.lifted
            and self.starts <= at
            and (self.ends is None or at < self.ends)
            and self.organisation == place.organisation
            and self.account in {None, place.id}
            and self.instrument in {None, thing}
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """A reversal somebody proposed."""

    entry: UUID
    by: str
    state: str = "proposed"


@dataclass
class Book:
    """The ledger as the model keeps it; everything that refuses raises ``No`` first."""

    places: Mapping[UUID, Place]
    things: Mapping[UUID, Thing]
    caps: Mapping[tuple[str, str], int]
    now: datetime
    acts: int = 0
    lines: dict[Key, list[Line]] = field(default_factory=dict)
    entries: dict[UUID, Draft] = field(default_factory=dict)
    known: dict[UUID, datetime] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    proposals: dict[UUID, Proposal] = field(default_factory=dict)

    def balance(self, key: Key) -> int:
        lines = self.lines.get(key)
        return lines[-1].balance if lines else 0

    def balances(self) -> dict[Key, tuple[int, int, datetime]]:
        """Quantity, number of lines and last knowledge of every balance there is."""
        return {
            key: (lines[-1].balance, len(lines), lines[-1].known)
            for key, lines in self.lines.items()
        }

    def as_known(self, key: Key, at: datetime) -> int:
        seen = list(takewhile(lambda line: line.known <= at, self.lines.get(key, [])))
        return seen[-1].balance if seen else 0

    def as_effective(self, key: Key, effective: datetime, known: datetime) -> int:
        return sum(
            line.change
            for line in self.lines.get(key, [])
            if line.effective <= effective and line.known <= known
        )

    def positions(self, *kinds: AccountKind, money: bool | None = None) -> list[Key]:
        """What accounts of these kinds hold, of money or of rights alone where that is said."""
        return [
            (account, thing)
            for (account, thing) in self.lines
            if self.places[account].kind in kinds
            and self.balance((account, thing)) > 0
            and money in {None, not self.things[thing].pollutant}
        ]

    def references(self) -> dict[str, UUID]:
        """The bank's references that are taken, with their entries."""
        undone = self.undone()
        return {
            draft.reference: id
            for id, draft in self.entries.items()
            if draft.reference and id not in undone
        }

    def undone(self) -> set[UUID]:
        return {draft.reverses for draft in self.entries.values() if draft.reverses}

    def city_holds(self, city: str, pollutant: str, lines: Mapping[Key, int]) -> int:
        return sum(
            quantity
            for (account, thing), quantity in lines.items()
            if self.places[account].city == city
            and self.things[thing].pollutant == pollutant
            and self.things[thing].in_force(self.now)
        )

    def over_cap(self) -> bool:
        held = {key: self.balance(key) for key in self.lines}
        return any(self.city_holds(*city, held) > cap for city, cap in self.caps.items())

    # What is refused, in the order in which it is found.

    def weigh(self, draft: Draft) -> None:
        """Refuse what cannot be an entry."""
        if any(not 0 < q <= MONEY_MAX or s == t for s, t, _, q in draft.moves):
            raise No(Code.MALFORMED)
        if any(a not in self.places or i not in self.things for a, i in draft.keys):
            raise No(Code.NOT_FOUND)
        if any(self._crosses_wrongly(draft.kind, move) for move in draft.moves):
            raise No(NO_ENTRY)
        if any(self._is_frozen(move, draft.now) for move in draft.moves):
            raise No(Code.FROZEN)
        if draft.kind not in UNBOUND and not all(
            self.things[thing].in_force(draft.now) for _, _, thing, _ in draft.moves
        ):
            raise No(Code.NOT_IN_FORCE)
        if draft.effective and draft.effective > self.known_at(draft):
            raise No(Code.MALFORMED)
        self._weigh_quantities(draft)
        if draft.kind in BANKED and draft.reference in self.references():
            raise No(Code.DUPLICATE)

    def _crosses_wrongly(self, kind: EntryKind, move: Move) -> bool:
        source, target = self.places[move[0]], self.places[move[1]]
        kinds = {source.kind, target.kind}
        if not (source.issuer or target.issuer) or kind == EntryKind.REVERSAL:
            return False
        one = not (source.issuer and target.issuer)
        way = {
            EntryKind.OPENING: source.kind == AccountKind.ISSUANCE,
            EntryKind.EXPIRY: target.kind == AccountKind.ISSUANCE,
            EntryKind.CONVERSION: AccountKind.ISSUANCE in kinds,
            EntryKind.PAYMENT: source.kind == AccountKind.OUTSIDE,
            EntryKind.PAYOUT: target.kind == AccountKind.OUTSIDE,
        }.get(kind, False)
        is_money = not self.things[move[2]].pollutant
        return not (way and one and is_money == (AccountKind.OUTSIDE in kinds))

    def _is_frozen(self, move: Move, at: datetime) -> bool:
        source, target = self.places[move[0]], self.places[move[1]]
        home = target.kind == AccountKind.HOLDING and target.organisation == source.organisation
        return not home and any(hold.stops(source, move[2], at) for hold in self.holds.values())

    def _weigh_quantities(self, draft: Draft) -> None:
        held = {key: self.balance(key) for key in {*self.lines, *draft.keys}}
        before = dict(held)
        for source, target, thing, quantity in draft.moves:
            if held[source, thing] < quantity and not self.places[source].issuer:
                raise No(Code.INSUFFICIENT)
            held[source, thing] -= quantity
            held[target, thing] += quantity
        for city, cap in self.caps.items():
            if self.city_holds(*city, before) < self.city_holds(*city, held) > cap:
                raise No(Code.INSUFFICIENT)

    def known_at(self, draft: Draft) -> datetime:
        """Never before what is known of the balances it touches."""
        return (
            max(draft.now, *(self.lines[k][-1].known for k in draft.keys if k in self.lines))
            if any(k in self.lines for k in draft.keys)
            else draft.now
        )

    # What becomes of it.

    def write(self, id: UUID, draft: Draft) -> None:
        known = self.known_at(draft)
        self.entries[id], self.known[id] = draft, known
        for source, target, thing, quantity in draft.moves:
            for mine, other, change in ((source, target, -quantity), (target, source, quantity)):
                lines = self.lines.setdefault((mine, thing), [])
                balance = lines[-1].balance if lines else 0
                lines.append(
                    Line(change, balance + change, other, known, draft.effective or draft.now)
                )

    def undoing(self, entry: UUID) -> tuple[Move, ...]:
        """The way back; what had been blocked goes home instead."""
        draft = self.entries[entry]
        back = (
            (target, self._home(source, thing, self.known[entry]), thing, quantity)
            for source, target, thing, quantity in reversed(draft.moves)
        )
        return tuple(move for move in back if move[0] != move[1])

    def _home(self, account: UUID, thing: UUID, at: datetime) -> UUID:
        place = self.places[account]
        if place.kind != AccountKind.ESCROW:
            return account
        own = {p.id: p for p in self.places.values() if p.organisation == place.organisation}
        fillers = [
            line.other
            for line in self.lines[account, thing]
            if line.change > 0 and line.other in own and line.known <= at
        ]
        holding = next(p.id for p in own.values() if p.kind == AccountKind.HOLDING)
        return fillers[-1] if fillers else holding

    def weigh_reversal(self, entry: UUID) -> None:
        """Refuse where the kind, an earlier reversal, or somebody who sold on is in the way."""
        back = self.undoing(entry)
        net: dict[Key, int] = defaultdict(int)
        for source, target, thing, quantity in back:
            net[source, thing] -= quantity
            net[target, thing] += quantity
        kept = all(
            self.places[account].issuer or self.balance((account, thing)) + change >= 0
            for (account, thing), change in net.items()
            if change < 0
        )
        reversible = self.entries[entry].kind in REVERSIBLE and entry not in self.undone()
        if not (kept and reversible and back):
            raise No(Code.CONDITIONS_UNMET)

    def propose(self, entry: UUID) -> None:
        if entry not in self.entries:
            raise No(Code.NOT_FOUND)
        self.weigh_reversal(entry)
        if any(p.entry == entry and p.state != "rejected" for p in self.proposals.values()):
            raise No(Code.DUPLICATE)

    def decide(self, proposal: UUID, by: str) -> Proposal:
        """The proposal, where whoever asks may decide it."""
        found = self.proposals[proposal]
        if found.state != "proposed" or found.by == by:
            raise No(Code.FORBIDDEN)
        return found

    def set_state(self, proposal: UUID, state: str) -> None:
        self.proposals[proposal] = replace(self.proposals[proposal], state=state)

    def freeze(self, hold: Hold) -> None:
        if hold.ends is not None and hold.ends <= hold.starts:
            raise No(Code.MALFORMED)

    def lift(self, id: UUID) -> None:
        if self.holds[id].lifted:
            raise No(Code.FORBIDDEN)

    def states(self) -> dict[UUID, str]:
        """Where freezes and reversals stand."""
        lifted = {True: "lifted", False: "in_force"}
        return {id: lifted[hold.lifted] for id, hold in self.holds.items()} | {
            id: proposal.state for id, proposal in self.proposals.items()
        }

    def counts(self) -> dict[str, int]:
        """How many rows there are of what grows."""
        entries: Iterable[Draft] = self.entries.values()
        banked = [draft for draft in entries if draft.reference]
        return {
            "act": self.acts,
            "idempotency_key": self.acts,
            "entry": len(self.entries),
            "posting": sum(len(draft.moves) for draft in self.entries.values()),
            "bank_reference": len(banked),
            "released": len(banked) - len(self.references()),
        }
