"""The locks of a command: its organisations first, then its object, read in the same statement.

All commands lock in this order. The moment of the command is the one after the wait: a measure that
was waited for began later than the command, and counts only after its beginning.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from tortoise.models import Model

from registry.access.authorizer import RowFilter, authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.db.named_params import compile_named
from registry.db.session import fetch_one, select_by_key_sql, table_name, to_record
from registry.kernel.errors import NotFound

_LOCK_ORGANISATIONS_SQL = """
    WITH shared AS (SELECT id FROM organisation WHERE id = ANY($1) ORDER BY id FOR SHARE)
    SELECT registry_now() AS now FROM (SELECT count(*) FROM shared OFFSET 0) AS counted
"""
# An object that the viewer may not see is not waited for: the wait would say that it exists.
_LOCK_TARGET_SQL = """
    WITH seen AS (
        SELECT {organisations} AS organisations FROM "{table}" AS t WHERE t.id = :id AND {visible}
    ),
    shared AS (
        SELECT id FROM organisation WHERE id IN (SELECT unnest(organisations) FROM seen)
        ORDER BY id FOR SHARE
    ),
    locked AS (
        {select} AND EXISTS (SELECT FROM seen) AND (SELECT count(*) FROM shared) >= 0
        FOR NO KEY UPDATE
    )
    SELECT registry_now() AS moment_of_lock, locked.* FROM locked
"""
STATEMENT_CACHE_SIZE = 1024
"""Texts, one for each kind and row filter."""


async def lock_target(viewer: Viewer, kind: Kind, id: UUID) -> tuple[Viewer, Any]:
    """The viewer at the moment after the wait, and the object, locked with its organisations.

    Raises:
        NotFound: there is none, or none that the viewer may see.

    """
    visible = authorizer.row_filter(viewer, kind, "view")
    if visible is False:
        raise NotFound
    filter_sql = visible.sql if isinstance(visible, RowFilter) else "true"
    sql, names = _lock_target_sql(kind.record, kind.organisation_columns, filter_sql)
    values = {**viewer.bind_values(), "id": id}
    row = await fetch_one(sql, *(values[name] for name in names))
    if row is None:
        raise NotFound
    after = replace(viewer, now=row.pop("moment_of_lock"))
    record = to_record(kind.record, row)
    # It may have changed during the wait.
    if not authorizer.allows(after, kind, "view", record):
        raise NotFound
    return after, record


@lru_cache(maxsize=STATEMENT_CACHE_SIZE)
def _lock_target_sql(
    model: type[Model], organisation_columns: tuple[str, ...], visible: str
) -> tuple[str, tuple[str, ...]]:
    return compile_named(
        _LOCK_TARGET_SQL.format(
            organisations="'{}'::uuid[]" + "".join(f" || t.{c}" for c in organisation_columns),
            table=table_name(model),
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
