"""Audit log and ledger of a synthetic world, kept in memory as ``post_entry`` keeps them."""

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
    """A person with an appointment; for the registry itself, the role alone."""

    role: str
    person: UUID = NIL
    appointment: UUID = NIL
    organisation: UUID = NIL

    @cached_property
    def signature(self) -> tuple[str | None, ...]:
        """Person, appointment and organisation, as audit entries contain them."""
        signed = (self.person, self.appointment, self.organisation)
        return tuple(None if who == NIL else str(who) for who in signed)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An audit entry: operation, actor, time, object, and the object's state before and after."""

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
    """Writes audit entries and ledger entries in order of time, and keeps every balance."""

    buffer: CopyBuffer
    rules: RuleLookup
    rng: Random
    entries: int = 0
    _positions: dict[tuple[UUID, UUID], _Position] = field(default_factory=dict)

    def next_id(self) -> UUID:
        """The next identifier; the same in every world of the same size."""
        return UUID(int=self.rng.getrandbits(128), version=4)

    def write_audit_entry(self, row: AuditRow) -> UUID:
        """Write an audit entry under the rule that allows it.

        Raises:
            NotAllowed: no rule does.

        """
        by, id = row.actor, self.next_id()
        rule = self.rules.lookup(row.operation, by.role, row.facts)
        self.buffer.add(
            "audit_entry",
            *(id, row.at, row.at, rule.operation, rule.kind, rule.verb, row.object_id),
            rule.role,
            *by.signature,
            *(
                rule.edition,
                rule.number,
                rule.facts,
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
        assert position.recorded_at <= at, "events come in order of time"
        position.recorded_at = at
        assert position.quantity >= 0 or account in {ISSUANCE_ACCOUNT, OUTSIDE_ACCOUNT}, (
            "an account gives only what it holds"
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
