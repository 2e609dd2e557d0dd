"""The log and the ledger of the larger world, kept in memory as ``post_entry`` keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from random import Random
from uuid import UUID

from benchmarks.world.copy_buffer import Sheaf
from benchmarks.world.rule_lookup import Rulings
from registry.access.principals import NIL
from registry.ledger.rules import ISSUANCE, OUTSIDE, EntryKind, Posting

SOURCE = "larger world"


@dataclass(frozen=True)
class Officer:
    """Somebody with an appointment; of a machine, its role alone."""

    role: str
    person: UUID = NIL
    appointment: UUID = NIL
    organisation: UUID = NIL

    @cached_property
    def signature(self) -> tuple[str | None, ...]:
        """Person, appointment and organisation, as acts say them: many acts have the same."""
        signed = (self.person, self.appointment, self.organisation)
        return tuple(None if who == NIL else str(who) for who in signed)


@dataclass(frozen=True, slots=True)
class Done:
    """What an act did: by whom, when, to what, and how that stood before and after."""

    operation: str
    by: Officer
    at: datetime
    object: UUID
    facts: tuple[str, ...] = ()
    before: str | None = None
    after: str | None = None


@dataclass(slots=True)
class _Position:
    quantity: int
    sequence: int
    known_at: datetime


@dataclass(slots=True)
class Books:
    """Writes acts and entries, in the order of their time, and keeps every balance."""

    sheaf: Sheaf
    rulings: Rulings
    chance: Random
    entries: int = 0
    _positions: dict[tuple[UUID, UUID], _Position] = field(default_factory=dict)

    def id(self) -> UUID:
        """The next identifier; the same in every world of the same size."""
        return UUID(int=self.chance.getrandbits(128), version=4)

    def act(self, done: Done) -> UUID:
        """Write an act under the rule that allows it.

        Raises:
            NotLet: no rule does.

        """
        by, id = done.by, self.id()
        ruling = self.rulings.of(done.operation, by.role, done.facts)
        self.sheaf.add(
            "act",
            *(id, done.at, done.at, ruling.operation, ruling.kind, ruling.verb, done.object),
            ruling.role,
            *by.signature,
            *(ruling.edition, ruling.rule, ruling.facts, f"larger:{id}", done.before, done.after),
            "{}",
        )
        return id

    def post(
        self,
        act: UUID,
        kind: EntryKind,
        at: datetime,
        *,
        postings: Sequence[Posting],
        reference: str = "",
    ) -> UUID:
        """Write an entry as ``post_entry`` would; ``reference`` where money enters or leaves."""
        entry = self.id()
        source = SOURCE if kind is EntryKind.OPENING else None
        self.sheaf.add("entry", entry, act, kind.value, at, at, source, "true")
        for line, posting in enumerate(postings, start=1):
            given = self._move(posting.source, posting.instrument, -posting.quantity, at=at)
            taken = self._move(posting.target, posting.instrument, posting.quantity, at=at)
            self.sheaf.add(
                "posting",
                *(entry, line, posting.source, posting.target, posting.instrument),
                *(posting.quantity, given.sequence, given.quantity),
                *(taken.sequence, taken.quantity, at, at),
            )
        if reference:
            self.sheaf.add("bank_reference", entry, reference)
        self.entries += 1
        return entry

    def _move(self, account: UUID, instrument: UUID, change: int, *, at: datetime) -> _Position:
        position = self._positions.setdefault((account, instrument), _Position(0, 0, at))
        position.quantity += change
        position.sequence += 1
        assert position.known_at <= at, "events are told in their order"
        position.known_at = at
        assert position.quantity >= 0 or account in {ISSUANCE, OUTSIDE}, "nobody gives what is not"
        return position

    def close(self) -> None:
        """Write every balance as it stands."""
        for (account, instrument), position in self._positions.items():
            issuer = account in {ISSUANCE, OUTSIDE}
            self.sheaf.add(
                "balance", account, instrument, position.quantity, issuer, position.sequence,
                position.known_at,
            )  # fmt: skip
