"""The locks of a command: first its organisations, in a statement of their own, then its object.

Organisations are locked by advisory locks, shared by commands and exclusive for measures such as
a sanction. PostgreSQL queues them in order of arrival, so a command that asks after a measure is
not served before it; with locks of rows new sharers pass a measure that waits. All advisory locks
of a command are taken by one statement in the order of their keys, and none later. The statement
that waits has an older snapshot than its lock: what the lock protects is read by later statements.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from tortoise.models import Model

from registry.access.authorizer import RowFilter, authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.commands.idempotency import CLAIM_SQL, KeyClaim
from registry.db.named_params import compile_named
from registry.db.session import fetch_one, select_by_key_sql, table_of, to_record
from registry.kernel.errors import NotFound

# An object that the viewer may not see names nothing: the wait would say that it exists.
_LOCK_SQL = """
    SELECT array_agg(id) AS locked FROM (
        SELECT id, CASE WHEN exclusive THEN pg_advisory_xact_lock(key)
            ELSE pg_advisory_xact_lock_shared(key) END
        FROM (
            SELECT id, uuid_hash_extended(id, 0) AS key, bool_or(exclusive) AS exclusive FROM (
                SELECT unnest(:shared::uuid[]) AS id, false AS exclusive
                UNION ALL SELECT unnest(:exclusive::uuid[]), true{of_target}
            ) AS request GROUP BY id ORDER BY key, id OFFSET 0
        ) AS request OFFSET 0
    ) AS lock
"""
_OF_TARGET_SQL = """
                UNION ALL SELECT unnest({organisations}), {exclusive}
                FROM "{table}" AS t WHERE t.id = :id AND {visible}"""
# The key comes first: the object is looked for only where the key was free. The organisations are
# an array, which an index serves; joined, all of them would be read.
_LOCK_TARGET_SQL = """
    WITH {claim}
    seen AS (
        SELECT {organisations} AS organisations FROM "{table}" AS t
        WHERE {is_claimed} AND t.id = :id AND {visible}
    ),
    locked AS ({select} AND EXISTS (SELECT FROM seen) FOR NO KEY UPDATE)
    SELECT {is_claimed} AS is_claimed, locked.*, (SELECT epoch FROM access_epoch) AS epoch,
        CASE WHEN locked.{key} IS NOT NULL THEN registry_now() END AS moment_of_lock{accounts}
    FROM (SELECT) AS one LEFT JOIN locked ON true
"""
# Read here for what posts: whose an account is never changes.
_ACCOUNTS_SQL = """,
        ARRAY(
            SELECT (organisation_id, kind, id) FROM account
            WHERE organisation_id = ANY ((SELECT organisations FROM seen)::uuid[])
        ) AS accounts_of_organisations"""
_CLAIM_SQL = f"claimed AS ({CLAIM_SQL} RETURNING 1),"
_IS_CLAIMED_SQL = "EXISTS (SELECT FROM claimed)"
STATEMENT_CACHE_SIZE = 1024
"""Texts, one for each kind, row filter, whether a key is claimed, and whether accounts are read."""


Accounts = dict[tuple[UUID, str], UUID]


@dataclass(frozen=True, slots=True)
class LockedTarget:
    """An object that is locked."""

    now: datetime  # The registry's time after the wait for it.
    epoch: int  # Of access, after the wait for its organisations.
    record: Any
    # Of its organisations, by holder and kind; empty where they were not asked for.
    accounts: Accounts


async def lock_target(
    viewer: Viewer, kind: Kind, id: UUID, claim: KeyClaim | None, *, posts: bool = False
) -> LockedTarget | None:
    """Bind the key of the command, and lock its object; None where the key was bound already.

    Args:
        viewer: the caller.
        kind: of the object.
        id: of the object.
        claim: None for a preview, which needs no key.
        posts: read the accounts of its organisations too.

    """
    sql, names = _lock_target_sql(
        kind.record,
        kind.organisation_columns,
        _visible_sql(viewer, kind),
        claims=claim is not None,
        posts=posts,
    )
    values = {**viewer.bind_values(), **(claim.bind_values() if claim else {}), "id": id}
    row = await fetch_one(sql, *(values[name] for name in names))
    assert row is not None, "the statement answers one row"
    now, accounts = row.pop("moment_of_lock"), row.pop("accounts_of_organisations", ())
    epoch = row.pop("epoch")
    if not row.pop("is_claimed"):
        return None
    if now is None:
        raise NotFound
    record = to_record(kind.record, row)
    return LockedTarget(now, epoch, record, {(holder, kind): id for holder, kind, id in accounts})


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _lock_target_sql(
    model: type[Model],
    organisation_columns: tuple[str, ...],
    visible: str,
    *,
    claims: bool,
    posts: bool,
) -> tuple[str, tuple[str, ...]]:
    table, key = table_of(model)
    return compile_named(
        _LOCK_TARGET_SQL.format(
            claim=_CLAIM_SQL if claims else "",
            is_claimed=_IS_CLAIMED_SQL if claims else "true",
            accounts=_ACCOUNTS_SQL if posts else "",
            organisations=_organisations_sql(organisation_columns),
            table=table,
            key=key,
            visible=visible,
            select=select_by_key_sql(model).replace("$1", ":id"),
        )
    )


async def lock_target_organisations(
    viewer: Viewer, kind: Kind, id: UUID, *, exclusive: bool
) -> frozenset[UUID]:
    """Lock the caller's organisation and those of an object; which they are.

    Args:
        viewer: the caller.
        kind: of the object.
        id: of the object.
        exclusive: whether the locks of the object's organisations are; see ``Operation``.

    """
    sql, names = _lock_organisations_sql(
        kind.record, kind.organisation_columns, _visible_sql(viewer, kind), exclusive=exclusive
    )
    values = {**viewer.bind_values(), "id": id, "shared": [viewer.organisation], "exclusive": []}
    return await _lock(sql, *(values[name] for name in names))


async def lock_organisations(
    viewer: Viewer, organisations: list[UUID], *, exclusive: bool
) -> frozenset[UUID]:
    """Lock the caller's organisation and others; likewise."""
    own = [viewer.organisation]
    if exclusive:
        return await _lock(_LOCK_GIVEN_SQL, own, organisations)
    return await _lock(_LOCK_GIVEN_SQL, [*own, *organisations], [])


async def _lock(sql: str, *values: object) -> frozenset[UUID]:
    row = await fetch_one(sql, *values)
    assert row is not None, "an aggregate answers one row"
    return frozenset(row["locked"])


_LOCK_GIVEN_SQL, _ = compile_named(_LOCK_SQL.format(of_target=""))


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _lock_organisations_sql(
    model: type[Model], organisation_columns: tuple[str, ...], visible: str, *, exclusive: bool
) -> tuple[str, tuple[str, ...]]:
    of_target = _OF_TARGET_SQL.format(
        organisations=_organisations_sql(organisation_columns),
        exclusive=str(exclusive).lower(),
        table=table_of(model)[0],
        visible=visible,
    )
    return compile_named(_LOCK_SQL.format(of_target=of_target))


def _visible_sql(viewer: Viewer, kind: Kind) -> str:
    """The row filter of `view` on the alias ``t``."""
    visible = authorizer.row_filter(viewer, kind, "view")
    sql = visible.sql if isinstance(visible, RowFilter) else str(visible)
    return sql.replace("{t}", "t")


def _organisations_sql(columns: tuple[str, ...]) -> str:
    return "'{}'::uuid[]" + "".join(f" || t.{column}" for column in columns)
