"""The work list: what waits for one appointment, by the decisions of the rule book as filters."""

from collections.abc import Iterable

from policies.vocabulary import VOCABULARY
from registry.access.authorizer import RowFilter, authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.db.tortoise_engine import meta_of

MAX_WORK_ITEMS = 100


def work_list_sql(viewer: Viewer, kinds: Iterable[Kind], *, limit: int) -> str:
    """The statement that finds them, the viewer's binds by name; empty where there are none."""
    parts = [
        _kind_branch(kind, verb.name, [allowed, visible])
        for kind in kinds
        for verb in VOCABULARY.kinds[kind.name].verbs
        if verb.creates_task
        and (allowed := authorizer.row_filter(viewer, kind, verb.name)) is not False
        and (visible := authorizer.row_filter(viewer, kind, "view")) is not False
    ]
    if not parts:
        return ""
    return (
        f"{' UNION ALL '.join(parts)} ORDER BY since, id, verb LIMIT {min(limit, MAX_WORK_ITEMS)}"
    )


def _kind_branch(kind: Kind, verb: str, filters: list[RowFilter | bool]) -> str:
    conditions = [f.sql.replace("{t}", "t") for f in filters if isinstance(f, RowFilter)] or [
        "TRUE"
    ]
    table = meta_of(kind.record).db_table
    return (
        f"SELECT '{kind.name}' AS kind, t.id, '{verb}' AS verb,"
        f" t.{kind.waiting_since_column} AS since"
        f" FROM {table} t WHERE {' AND '.join(conditions)}"
    )
