"""The work list: what waits for one appointment, by the rule book's own verdicts as filters."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from policies.vocabulary import VOCABULARY
from registry.database import rows
from registry.gate import Filter, gate
from registry.kinds import Kind
from registry.statements import numbered
from registry.viewer import Viewer

WORK_MAX = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """One duty: an object, what may be done to it, and since when it has waited."""

    kind: str
    id: UUID
    verb: str
    since: datetime


async def work_list(viewer: Viewer, kinds: Iterable[Kind], *, first: int) -> list[Waiting]:
    """The oldest ``first`` (at most ``WORK_MAX``) duties of the viewer, over all kinds."""
    parts, binds = [], viewer.binds()
    for kind in kinds:
        for verb in VOCABULARY.kinds[kind.name].verbs:
            allowed = gate.row_filter(viewer, kind, verb.name) if verb.waits else False
            visible = gate.row_filter(viewer, kind, "view") if allowed is not False else False
            if allowed is False or visible is False:
                continue
            parts.append(_part(kind, verb.name, [allowed, visible]))
    if not parts:
        return []
    sql, args = numbered(
        f"{' UNION ALL '.join(parts)} ORDER BY since, id, verb LIMIT {min(first, WORK_MAX)}", binds
    )
    return [Waiting(**found) for found in await rows(sql, *args)]


def _part(kind: Kind, verb: str, filters: list[Filter | bool]) -> str:
    conditions = [f.sql.replace("{t}", "t") for f in filters if isinstance(f, Filter)] or ["TRUE"]
    table = kind.record._meta.db_table  # noqa: SLF001 - Tortoise names its table nowhere else
    return (
        f"SELECT '{kind.name}' AS kind, t.id, '{verb}' AS verb, t.{kind.watches} AS since"
        f" FROM {table} t WHERE {' AND '.join(conditions)}"
    )
