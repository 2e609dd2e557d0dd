"""The log and the ledger of the larger world, kept in memory as ``post_entry`` keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from random import Random
from uuid import UUID

from benchmarks.world.copy_buffer import CopyBuffer
from benchmarks.world.rule_lookup import RuleLookup
from registry.access.principals import NIL
from registry.ledger.rules import ISSUANCE_ACCOUNT, OUTSIDE_ACCOUNT, EntryKind, Posting

SOURCE = "larger world"


@dataclass(frozen=True)
class Officer:
    """A person with an appointment; of a system role, the role alone."""

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
class AuditRow:
    """An audit entry: actor, time, object, state before and after."""

    operation: str
    actor: Officer
    at: datetime
    object_id: UUID
    facts: tuple[str, ...] = ()
    state_before: str | None = None
    state_after: str | None = None


@dataclass(slots=True)
class _Position:
    quantity: int
    sequence: int
    recorded_at: datetime


@dataclass(slots=True)
class LedgerWriter:
    """Writes acts and entries, in the order of their time, and keeps every balance."""

    buffer: CopyBuffer
    rules: RuleLookup
    rng: Random
    entries: int = 0
    _positions: dict[tuple[UUID, UUID], _Position] = field(default_factory=dict)

    def next_id(self) -> UUID:
        """The next identifier; the same in every world of the same size."""
        return UUID(int=self.rng.getrandbits(128), version=4)

    def write_audit_entry(self, row: AuditRow) -> UUID:
        """Write an act under the rule that allows it.

        Raises:
            NotLet: no rule does.

        """
        by, id = row.actor, self.next_id()
        ruling = self.rules.lookup(row.operation, by.role, row.facts)
        self.buffer.add(
            "audit_entry",
            *(id, row.at, row.at, ruling.operation, ruling.kind, ruling.verb, row.object_id),
            ruling.role,
            *by.signature,
            *(
                ruling.edition,
                ruling.rule,
                ruling.facts,
                f"larger:{id}",
                row.state_before,
                row.state_after,
            ),
            "{}",
        )
        return id

    def write_entry(
        self,
        audit_entry: UUID,
        kind: EntryKind,
        at: datetime,
        *,
        postings: Sequence[Posting],
        reference: str = "",
    ) -> UUID:
        """Write an entry as ``post_entry`` would; ``reference`` where money enters or leaves."""
        entry = self.next_id()
        source = SOURCE if kind is EntryKind.OPENING else None
        self.buffer.add("entry", entry, audit_entry, kind.value, at, at, source, "true")
        for line, posting in enumerate(postings, start=1):
            given = self._move(posting.source, posting.instrument, -posting.quantity, at=at)
            taken = self._move(posting.target, posting.instrument, posting.quantity, at=at)
            self.buffer.add(
                "posting",
                *(entry, line, posting.source, posting.target, posting.instrument),
                *(posting.quantity, given.sequence, given.quantity),
                *(taken.sequence, taken.quantity, at, at),
            )
        if reference:
            self.buffer.add("bank_reference", entry, reference)
        self.entries += 1
        return entry

    def _move(self, account: UUID, instrument: UUID, change: int, *, at: datetime) -> _Position:
        position = self._positions.setdefault((account, instrument), _Position(0, 0, at))
        position.quantity += change
        position.sequence += 1
        assert position.recorded_at <= at, "events are told in their order"
        position.recorded_at = at
        assert position.quantity >= 0 or account in {ISSUANCE_ACCOUNT, OUTSIDE_ACCOUNT}, (
            "nobody gives what is not"
        )
        return position

    def write_balances(self) -> None:
        """Write every balance."""
        for (account, instrument), position in self._positions.items():
            issuer = account in {ISSUANCE_ACCOUNT, OUTSIDE_ACCOUNT}
            self.buffer.add(
                "balance", account, instrument, position.quantity, issuer, position.sequence,
                position.recorded_at,
            )  # fmt: skip
