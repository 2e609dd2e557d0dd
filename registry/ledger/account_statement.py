"""Balances and statement lines of accounts: one SQL statement each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from registry.db.session import fetch_all
from registry.ledger.rules import Posting

MAX_STATEMENT_LINES = 1000
"""Most lines of one statement."""


@dataclass(frozen=True, slots=True)
class AccountStatementLine:
    """One line of a statement.

    Attributes:
        sequence: number of the line in this account and instrument, without gaps from 1.
        change: base units received, or given as a negative figure.
        balance: base units after the line.
        other: the account on the other side.

    """

    entry_id: UUID
    line: int
    kind: str
    sequence: int
    change: int
    balance: int
    other: UUID
    recorded_at: datetime
    effective_at: datetime
    reverses: UUID | None
    note: str
    source: str | None
    demo: bool


_STATEMENT = """
    SELECT s.*, e.kind, e.reverses, e.note, e.source, e.demo
    FROM (
        SELECT entry_id, line, target_sequence AS sequence, quantity AS change,
            target_balance AS balance, source AS other, recorded_at, effective_at
        FROM posting
        WHERE target = $1 AND instrument = $2 AND recorded_at >= $3 AND recorded_at < $4
            AND target_sequence > $5
        UNION ALL
        SELECT entry_id, line, source_sequence, -quantity, source_balance, target, recorded_at,
            effective_at
        FROM posting
        WHERE source = $1 AND instrument = $2 AND recorded_at >= $3 AND recorded_at < $4
            AND source_sequence > $5
    ) s JOIN entry e ON e.id = s.entry_id
    ORDER BY s.sequence LIMIT $6
"""


async def load_statement(
    account: UUID,
    instrument: UUID,
    since: datetime,
    until: datetime,
    *,
    after: int = 0,
    limit: int = 100,
) -> list[AccountStatementLine]:
    """The lines that became known from ``since`` and before ``until``, oldest first.

    Args:
        account: whose lines.
        instrument: of what.
        since: first moment.
        until: the moment before which the statement ends.
        after: the sequence after which a further page begins.
        limit: lines of a page, 1 to ``MAX_STATEMENT_LINES``.

    """
    assert 1 <= limit <= MAX_STATEMENT_LINES, "a statement is read page by page"
    found = await fetch_all(_STATEMENT, account, instrument, since, until, after, limit)
    return [AccountStatementLine(**line) for line in found]


@dataclass(frozen=True, slots=True)
class Position:
    """The balance of one instrument in one account.

    Attributes:
        quantity: base units, or fen.
        frozen: an organisation's, account's or position's freeze is in force on it.

    """

    account_id: UUID
    account_kind: str
    instrument_id: UUID
    code: str
    quantity: int
    unit: str
    scale: int
    frozen: bool


_POSITIONS = """
    SELECT a.id AS account_id, a.kind AS account_kind, i.id AS instrument_id, i.code, i.unit,
        i.scale,
        CASE
            WHEN $4::timestamptz IS NOT NULL THEN balance_as_effective(a.id, i.id, $4, $2)
            WHEN $3::timestamptz IS NOT NULL THEN balance_as_recorded(a.id, i.id, $3)
            ELSE b.quantity
        END AS quantity,
        EXISTS (
            SELECT FROM freeze_order f
            WHERE f.organisation_id = a.organisation_id AND f.lifted_at IS NULL
                AND f.starts_at <= $2 AND (f.ends_at IS NULL OR f.ends_at > $2)
                AND (f.account_id IS NULL OR f.account_id = a.id)
                AND (f.instrument_id IS NULL OR f.instrument_id = i.id)
        ) AS frozen
    FROM account a
    JOIN balance b ON b.account_id = a.id
    JOIN instrument i ON i.id = b.instrument_id
    WHERE a.id = ANY($1::uuid[])
    ORDER BY a.kind, i.code COLLATE "C"
"""


async def load_positions(
    accounts: Sequence[UUID],
    now: datetime,
    *,
    recorded_at: datetime | None = None,
    effective_at: datetime | None = None,
) -> list[Position]:
    """Positions of the accounts, and their part frozen at ``now``; empty ones are left out.

    Args:
        accounts: whose positions.
        now: the registry's time.
        recorded_at: the moment whose knowledge is asked for; None for the present.
        effective_at: the moment by which it had taken effect, as is known now; slower, a sum.

    """
    found = await fetch_all(_POSITIONS, list(accounts), now, recorded_at, effective_at)
    return [Position(**position) for position in found if position["quantity"]]


async def postings_of(entry: UUID) -> tuple[Posting, ...]:
    """The movements of an entry in their order."""
    found = await fetch_all(
        "SELECT source, target, instrument, quantity FROM posting"
        " WHERE entry_id = $1 ORDER BY line",
        entry,
    )
    return tuple(Posting(**posting) for posting in found)
