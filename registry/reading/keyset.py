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

from registry.access.authorizer import RowFilter, authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.db.named_params import is_storable_text, to_positional
from registry.db.session import fetch_all
from registry.kernel.errors import Malformed

MAX_PAGE_SIZE = 100
MAX_CURSOR_LENGTH = 2_048

Operator = Literal["eq", "in", "gte", "lt", "contains"]
_OPERATORS: dict[str, str] = {
    "eq": "t.{column} = :{bind}",
    "in": "t.{column} = ANY(:{bind})",
    "gte": "t.{column} >= :{bind}",
    "lt": "t.{column} < :{bind}",
    "contains": ":{bind} = ANY(t.{column})",
}


@dataclass(frozen=True, slots=True)
class ColumnFilter:
    """One condition of a filter; ``column`` comes from a whitelist, never from a request."""

    column: str
    operator: Operator
    value: object


@dataclass(frozen=True, slots=True)
class Ordering:
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
class PageRequest:
    """Which part of a list: the first or the last so many, after or before a cursor.

    Raises:
        Malformed: neither or both of ``first`` and ``last``, or one outside 1 to ``MAX_PAGE_SIZE``.

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
        if not 1 <= self.size <= MAX_PAGE_SIZE:
            raise Malformed(
                name,
                f"`{name}` is 1 to {MAX_PAGE_SIZE}.",
                f"{name}的取值范围为1至{MAX_PAGE_SIZE}。",
            )

    @property
    def size(self) -> int:
        """How many rows the page holds at most."""
        return self.first if self.first is not None else self.last or 0

    @property
    def is_backward(self) -> bool:
        """Whether the page is read from the end of the list."""
        return self.first is None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, in the order of the list."""

    records: tuple[Any, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool


def encode_cursor(key: datetime | date | int | str, id: UUID) -> str:
    """An opaque place in a list."""
    if isinstance(key, datetime):
        said: object = key.astimezone(UTC).isoformat(timespec="microseconds")
    else:
        said = key.isoformat() if isinstance(key, date) else key
    text = json.dumps([said, str(id)], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def check_value_count(field: str, values: object) -> None:
    """Refuse a filter that names too many values.

    Raises:
        Malformed: more than ``MAX_PAGE_SIZE``.

    """
    if isinstance(values, list) and len(values) > MAX_PAGE_SIZE:
        raise Malformed(f"{field}.in", "At most 100 values.", "最多100个取值。")


def decode_cursor(cursor: str, ordering: Ordering, field: str) -> tuple[Any, UUID]:
    """What a cursor says: the value of the order's column and the identifier.

    Raises:
        Malformed: it is no cursor of this list.

    """
    try:
        if len(cursor) > MAX_CURSOR_LENGTH:
            raise ValueError(cursor)  # noqa: TRY301 - one refusal for every fault of a cursor
        padded = cursor + "=" * (-len(cursor) % 4)
        key, id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return _parse_key(key, ordering), UUID(id)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise Malformed(field, "This is no cursor of this list.", "该游标不属于此列表。") from None


def _parse_key(key: object, ordering: Ordering) -> object:
    if issubclass(ordering.type, date):
        value = ordering.type.fromisoformat(str(key))
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(key)
        # A moment at either end of time may have none in another zone, and none is kept there.
        return value.astimezone(UTC) if isinstance(value, datetime) else value
    # What is ordered by number is ordered by an int4, as the numbers of the API are.
    if type(key) is not ordering.type or (isinstance(key, int) and not -(2**31) <= key < 2**31):
        raise ValueError(key)
    if isinstance(key, str) and not is_storable_text(key):
        raise ValueError(key)
    return key


async def load_page(
    viewer: Viewer,
    kind: Kind,
    ordering: Ordering,
    request: PageRequest,
    *,
    filters: Sequence[ColumnFilter] = (),
) -> Page:
    """One page of the objects of a kind that the viewer may see.

    Raises:
        Malformed: a cursor of another list.

    """
    conditions, binds = _visible_conditions(viewer, kind, filters, ordered_by=ordering.column)
    beyond = []
    for cursor, field in ((request.after, "after"), (request.before, "before")):
        if cursor is not None:
            key, id = decode_cursor(cursor, ordering, field)
            side = ">" if (field == "after") != ordering.descending else "<"
            beyond.append(f"(t.{ordering.column}, t.id) {side} (:{field}_key, :{field}_id)")
            binds |= {f"{field}_key": key, f"{field}_id": id}
    way = "DESC" if ordering.descending != request.is_backward else "ASC"
    found = []
    if conditions is not None:
        sql, args = to_positional(
            f"SELECT t.id, t.{ordering.column} AS key FROM {_table_name(kind)} t"
            f" WHERE {' AND '.join([*conditions, *beyond])}"
            f" ORDER BY t.{ordering.column} {way}, t.id {way} LIMIT {request.size + 1}",
            binds,
        )
        found = await fetch_all(sql, *args)
    more, found = len(found) > request.size, found[: request.size]
    if request.is_backward:
        found.reverse()
    records = await _load_records(kind, [place["id"] for place in found])
    return Page(
        records=tuple(records[place["id"]] for place in found),
        cursors=tuple(encode_cursor(place["key"], place["id"]) for place in found),
        has_next=request.before is not None if request.is_backward else more,
        has_previous=more if request.is_backward else request.after is not None,
    )


async def count_visible(viewer: Viewer, kind: Kind, *, filters: Sequence[ColumnFilter] = ()) -> int:
    """How many objects of a kind the viewer may see."""
    return await _aggregate(viewer, kind, "count(*)", filters, masked_column="")


async def sum_visible(
    viewer: Viewer, kind: Kind, column: str, *, filters: Sequence[ColumnFilter] = ()
) -> int:
    """What a column adds up to, over the objects on which the viewer may see it."""
    summed = f"coalesce(sum(t.{column}), 0)::bigint"
    return await _aggregate(viewer, kind, summed, filters, masked_column=column)


async def _aggregate(
    viewer: Viewer,
    kind: Kind,
    expression: str,
    filters: Sequence[ColumnFilter],
    *,
    masked_column: str,
) -> int:
    conditions, binds = _visible_conditions(viewer, kind, filters, ordered_by=masked_column)
    if conditions is None:
        return 0
    sql, args = to_positional(
        f"SELECT {expression} AS found FROM {_table_name(kind)} t WHERE {' AND '.join(conditions)}",
        binds,
    )
    found = await fetch_all(sql, *args)
    return int(found[0]["found"])


async def load_batch(viewer: Viewer, kind: Kind, ids: Iterable[UUID]) -> dict[UUID, Any]:
    """Those of the named objects that the viewer may see, by identifier."""
    conditions, binds = _visible_conditions(
        viewer, kind, (ColumnFilter("id", "in", list(set(ids))),)
    )
    if conditions is None:
        return {}
    sql, args = to_positional(
        f"SELECT t.id FROM {_table_name(kind)} t WHERE {' AND '.join(conditions)}", binds
    )
    return await _load_records(kind, [found["id"] for found in await fetch_all(sql, *args)])


def _visible_conditions(
    viewer: Viewer, kind: Kind, filters: Sequence[ColumnFilter], *, ordered_by: str = ""
) -> tuple[list[str] | None, dict[str, Any]]:
    """The conditions under which a row may be seen and is wanted; None where no row can be.

    What is masked for a row can neither select nor order it: the row filter of the verb that
    uncovers the column is added, or the mask would leak.
    """
    touched = {ordered_by, *(match.column for match in filters)}
    uncovering = [verb for verb, columns in kind.masks.items() if touched.intersection(columns)]
    conditions, binds = ["TRUE"], viewer.bind_values()
    for verb in ("view", *uncovering):
        allowed = authorizer.row_filter(viewer, kind, verb)
        if allowed is False:
            return None, {}
        if isinstance(allowed, RowFilter):
            conditions.append(allowed.sql.replace("{t}", "t"))
    for number, match in enumerate(filters):
        bind = f"match_{number}"
        conditions.append(_OPERATORS[match.operator].format(column=match.column, bind=bind))
        binds[bind] = match.value
    return conditions, binds


def _table_name(kind: Kind) -> str:
    return str(kind.record._meta.db_table)  # noqa: SLF001 - Tortoise names its table nowhere else


async def _load_records(kind: Kind, ids: Sequence[UUID]) -> dict[UUID, Any]:
    if not ids:
        return {}
    return {record.pk: record for record in await kind.record.filter(id__in=list(ids))}
