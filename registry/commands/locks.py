"""The locks of a command: its organisations first, then its object, read in the same statement.

All commands lock in this order. The moment of the command is the one after the wait: a measure that
was waited for began later than the command, and counts only after its beginning.
"""

from dataclasses import dataclass, replace
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

_LOCK_ORGANISATIONS_SQL = """
    WITH shared AS (SELECT id FROM organisation WHERE id = ANY($1) ORDER BY id FOR SHARE)
    SELECT registry_now() AS now FROM (SELECT count(*) FROM shared OFFSET 0) AS counted
"""
# The key comes first: the object is looked for only where the key was free. An object that the
# viewer may not see is not waited for: the wait would say that it exists. The organisations are an
# array, which an index serves; joined, all of them would be read.
_LOCK_TARGET_SQL = """
    WITH {claim}
    seen AS (
        SELECT {organisations} AS organisations FROM "{table}" AS t
        WHERE {is_claimed} AND t.id = :id AND {visible}
    ),
    shared AS (
        SELECT id FROM organisation WHERE id = ANY ((SELECT organisations FROM seen)::uuid[])
        ORDER BY id FOR SHARE
    ),
    locked AS (
        {select} AND EXISTS (SELECT FROM seen) AND (SELECT count(*) FROM shared) >= 0
        FOR NO KEY UPDATE
    )
    SELECT {is_claimed} AS is_claimed, locked.*,
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

    viewer: Viewer  # The viewer at the moment after the wait for it.
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
    visible = authorizer.row_filter(viewer, kind, "view")
    filter_sql = visible.sql if isinstance(visible, RowFilter) else str(visible)
    sql, names = _lock_target_sql(
        kind.record, kind.organisation_columns, filter_sql, claims=claim is not None, posts=posts
    )
    values = {**viewer.bind_values(), **(claim.bind_values() if claim else {}), "id": id}
    row = await fetch_one(sql, *(values[name] for name in names))
    assert row is not None, "the statement answers one row"
    now, accounts = row.pop("moment_of_lock"), row.pop("accounts_of_organisations", ())
    if not row.pop("is_claimed"):
        return None
    if now is None:
        raise NotFound
    after, record = replace(viewer, now=now), to_record(kind.record, row)
    # It may have changed during the wait.
    if not authorizer.allows(after, kind, "view", record):
        raise NotFound
    return LockedTarget(after, record, {(holder, kind): id for holder, kind, id in accounts})


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
            organisations="'{}'::uuid[]" + "".join(f" || t.{c}" for c in organisation_columns),
            table=table,
            key=key,
            visible=visible.replace("{t}", "t"),
            select=select_by_key_sql(model).replace("$1", ":id"),
        )
    )


async def lock_organisations(viewer: Viewer, kind: Kind, record: object) -> Viewer:
    """Share-lock those of a new record; the viewer at the moment after the wait."""
    ids = kind.organisations_of(record)
    if not ids:
        return viewer
    locked = await fetch_one(_LOCK_ORGANISATIONS_SQL, ids)
    assert locked is not None, "an aggregate answers one row"
    return replace(viewer, now=locked["now"])
