"""Lists, pages and single objects, all under the row filter of the viewer's ``view``.

Resolvers hold no queries: what they may ask stands here. A page is found by keyset, so that page
2 000 costs what page 1 costs; nothing is counted unless somebody asks.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

from registry.access.authorizer import Filter, gate
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.db.named_params import numbered, storable
from registry.db.session import rows
from registry.kernel.errors import Malformed

PAGE_MAX = 100
CURSOR_LENGTH_MAX = 2_048

Operator = Literal["eq", "in", "gte", "lt", "contains"]
_OPERATORS: dict[str, str] = {
    "eq": "t.{column} = :{bind}",
    "in": "t.{column} = ANY(:{bind})",
    "gte": "t.{column} >= :{bind}",
    "lt": "t.{column} < :{bind}",
    "contains": ":{bind} = ANY(t.{column})",
}


@dataclass(frozen=True, slots=True)
class Match:
    """One condition of a filter; ``column`` comes from a whitelist, never from a request."""

    column: str
    operator: Operator
    value: object


@dataclass(frozen=True, slots=True)
class Order:
    """By which NOT NULL column a list is read, the identifier breaking ties.

    Attributes:
        column: the column, from a whitelist.
        type: the Python type of its values; a cursor must carry one.
        descending: newest or largest first.

    """

    column: str
    type: type[datetime] | type[date] | type[int] | type[str]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a list: the first or the last so many, after or before a cursor.

    Raises:
        Malformed: neither or both of ``first`` and ``last``, or one outside 1 to ``PAGE_MAX``.

    """

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        if (self.first is None) == (self.last is None):
            raise Malformed(
                "first", "Give either `first` or `last`.", "请在first与last中恰好指定一个。"
            )
        name = "last" if self.first is None else "first"
        if not 1 <= self.size <= PAGE_MAX:
            raise Malformed(
                name, f"`{name}` is 1 to {PAGE_MAX}.", f"{name}的取值范围为1至{PAGE_MAX}。"
            )

    @property
    def size(self) -> int:
        """How many rows the page holds at most."""
        return self.first if self.first is not None else self.last or 0

    @property
    def backward(self) -> bool:
        """Whether the page is read from the end of the list."""
        return self.first is None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, in the order of the list."""

    records: tuple[Any, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool


def cursor_of(key: datetime | date | int | str, id: UUID) -> str:
    """An opaque place in a list."""
    if isinstance(key, datetime):
        said: object = key.astimezone(UTC).isoformat(timespec="microseconds")
    else:
        said = key.isoformat() if isinstance(key, date) else key
    text = json.dumps([said, str(id)], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def check_values(field: str, values: object) -> None:
    """Refuse a filter that names too many values.

    Raises:
        Malformed: more than ``PAGE_MAX``.

    """
    if isinstance(values, list) and len(values) > PAGE_MAX:
        raise Malformed(f"{field}.in", "At most 100 values.", "最多100个取值。")


def place_of(cursor: str, order: Order, field: str) -> tuple[Any, UUID]:
    """What a cursor says: the value of the order's column and the identifier.

    Raises:
        Malformed: it is no cursor of this list.

    """
    try:
        if len(cursor) > CURSOR_LENGTH_MAX:
            raise ValueError(cursor)  # noqa: TRY301 - one refusal for every fault of a cursor
        padded = cursor + "=" * (-len(cursor) % 4)
        key, id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return _typed(key, order), UUID(id)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise Malformed(field, "This is no cursor of this list.", "该游标不属于此列表。") from None


def _typed(key: object, order: Order) -> object:
    if issubclass(order.type, date):
        value = order.type.fromisoformat(str(key))
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(key)
        # A moment at either end of time may have none in another zone, and none is kept there.
        return value.astimezone(UTC) if isinstance(value, datetime) else value
    # What is ordered by number is ordered by an int4, as the numbers of the API are.
    if type(key) is not order.type or (isinstance(key, int) and not -(2**31) <= key < 2**31):
        raise ValueError(key)
    if isinstance(key, str) and not storable(key):
        raise ValueError(key)
    return key


async def page(
    viewer: Viewer, kind: Kind, order: Order, wanted: Slice, *, matches: Sequence[Match] = ()
) -> Page:
    """One page of the objects of a kind that the viewer may see.

    Raises:
        Malformed: a cursor of another list.

    """
    conditions, binds = _seen(viewer, kind, matches, ordered_by=order.column)
    beyond = []
    for cursor, field in ((wanted.after, "after"), (wanted.before, "before")):
        if cursor is not None:
            key, id = place_of(cursor, order, field)
            side = ">" if (field == "after") != order.descending else "<"
            beyond.append(f"(t.{order.column}, t.id) {side} (:{field}_key, :{field}_id)")
            binds |= {f"{field}_key": key, f"{field}_id": id}
    way = "DESC" if order.descending != wanted.backward else "ASC"
    found = []
    if conditions is not None:
        sql, args = numbered(
            f"SELECT t.id, t.{order.column} AS key FROM {_table(kind)} t"
            f" WHERE {' AND '.join([*conditions, *beyond])}"
            f" ORDER BY t.{order.column} {way}, t.id {way} LIMIT {wanted.size + 1}",
            binds,
        )
        found = await rows(sql, *args)
    more, found = len(found) > wanted.size, found[: wanted.size]
    if wanted.backward:
        found.reverse()
    records = await _load(kind, [place["id"] for place in found])
    return Page(
        records=tuple(records[place["id"]] for place in found),
        cursors=tuple(cursor_of(place["key"], place["id"]) for place in found),
        has_next=wanted.before is not None if wanted.backward else more,
        has_previous=more if wanted.backward else wanted.after is not None,
    )


async def count(viewer: Viewer, kind: Kind, *, matches: Sequence[Match] = ()) -> int:
    """How many objects of a kind the viewer may see."""
    return await _aggregate(viewer, kind, "count(*)", matches, uncovering="")


async def total(viewer: Viewer, kind: Kind, column: str, *, matches: Sequence[Match] = ()) -> int:
    """What a column adds up to, over the objects on which the viewer may see it."""
    summed = f"coalesce(sum(t.{column}), 0)::bigint"
    return await _aggregate(viewer, kind, summed, matches, uncovering=column)


async def _aggregate(
    viewer: Viewer, kind: Kind, what: str, matches: Sequence[Match], *, uncovering: str
) -> int:
    conditions, binds = _seen(viewer, kind, matches, ordered_by=uncovering)
    if conditions is None:
        return 0
    sql, args = numbered(
        f"SELECT {what} AS found FROM {_table(kind)} t WHERE {' AND '.join(conditions)}", binds
    )
    found = await rows(sql, *args)
    return int(found[0]["found"])


async def many(viewer: Viewer, kind: Kind, ids: Iterable[UUID]) -> dict[UUID, Any]:
    """Those of the named objects that the viewer may see, by identifier."""
    conditions, binds = _seen(viewer, kind, (Match("id", "in", list(set(ids))),))
    if conditions is None:
        return {}
    sql, args = numbered(
        f"SELECT t.id FROM {_table(kind)} t WHERE {' AND '.join(conditions)}", binds
    )
    return await _load(kind, [found["id"] for found in await rows(sql, *args)])


def _seen(
    viewer: Viewer, kind: Kind, matches: Sequence[Match], *, ordered_by: str = ""
) -> tuple[list[str] | None, dict[str, Any]]:
    """The conditions under which a row may be seen and is wanted; None where no row can be.

    What is masked for a row can neither select nor order it: the row filter of the verb that
    uncovers the column is added, or the mask would leak.
    """
    touched = {ordered_by, *(match.column for match in matches)}
    uncovering = [verb for verb, columns in kind.masks.items() if touched.intersection(columns)]
    conditions, binds = ["TRUE"], viewer.binds()
    for verb in ("view", *uncovering):
        allowed = gate.row_filter(viewer, kind, verb)
        if allowed is False:
            return None, {}
        if isinstance(allowed, Filter):
            conditions.append(allowed.sql.replace("{t}", "t"))
    for number, match in enumerate(matches):
        bind = f"match_{number}"
        conditions.append(_OPERATORS[match.operator].format(column=match.column, bind=bind))
        binds[bind] = match.value
    return conditions, binds


def _table(kind: Kind) -> str:
    return str(kind.record._meta.db_table)  # noqa: SLF001 - Tortoise names its table nowhere else


async def _load(kind: Kind, ids: Sequence[UUID]) -> dict[UUID, Any]:
    if not ids:
        return {}
    return {record.pk: record for record in await kind.record.filter(id__in=list(ids))}
