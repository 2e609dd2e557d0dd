"""The work list: what waits for one appointment, by the rule book's own verdicts as filters."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from policies.vocabulary import VOCABULARY
from registry.access.authorizer import Filter, gate
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.db.named_params import numbered
from registry.db.session import rows

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
    found = duties(viewer, kinds, most=first)
    if not found:
        return []
    sql, args = numbered(found, viewer.binds())
    return [Waiting(**duty) for duty in await rows(sql, *args)]


def duties(viewer: Viewer, kinds: Iterable[Kind], *, most: int) -> str:
    """The statement that finds them, the viewer's binds by name; empty where there are none."""
    parts = [
        _part(kind, verb.name, [allowed, visible])
        for kind in kinds
        for verb in VOCABULARY.kinds[kind.name].verbs
        if verb.waits
        and (allowed := gate.row_filter(viewer, kind, verb.name)) is not False
        and (visible := gate.row_filter(viewer, kind, "view")) is not False
    ]
    if not parts:
        return ""
    return f"{' UNION ALL '.join(parts)} ORDER BY since, id, verb LIMIT {min(most, WORK_MAX)}"


def _part(kind: Kind, verb: str, filters: list[Filter | bool]) -> str:
    conditions = [f.sql.replace("{t}", "t") for f in filters if isinstance(f, Filter)] or ["TRUE"]
    table = kind.record._meta.db_table  # noqa: SLF001 - Tortoise names its table nowhere else
    return (
        f"SELECT '{kind.name}' AS kind, t.id, '{verb}' AS verb, t.{kind.watches} AS since"
        f" FROM {table} t WHERE {' AND '.join(conditions)}"
    )
