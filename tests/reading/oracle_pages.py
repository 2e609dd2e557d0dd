"""Pages of a list as the oracle expects them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from graphql import GraphQLField, get_named_type, is_enum_type
from graphql.execution.collect_fields import GroupedFieldSet

from registry.access.kinds import Kind
from registry.db.session import fetch_all
from registry.kernel.texts import comparison_form
from registry.reading.catalog import FilterField
from registry.reading.keyset import Ordering, decode_cursor
from tests.support.cursors import encode_cursor

Row = Any
"""A record of any kind."""
Json = Any
"""A value of an answer or of an argument."""

_OPERATORS: dict[str, Callable[[Json, Json], bool]] = {
    "eq": lambda value, asked: value == asked,
    "in": lambda value, asked: value in asked,
    "gte": lambda value, asked: value >= _as_number(asked),
    "lt": lambda value, asked: value < _as_number(asked),
    "contains": lambda value, asked: asked in value,
}


def _as_number(asked: Json) -> Json:
    """A quantity, which is sent as a text, as a number."""
    return Decimal(asked) if isinstance(asked, str) else asked


class ExpectedPage:
    """One page of a list."""

    def __init__(
        self,
        kind: Kind,
        ordering: Ordering,
        *,
        list_order: str,
        sent: Mapping[str, Any],
        listed: Sequence[Any],
        between: set[UUID],
    ) -> None:
        self.kind, self.ordering, self.listed = kind, ordering, listed
        self.list_order = list_order
        rows = [row for row in listed if row.pk in between]
        self.backward = sent.get("first") is None
        size = sent["last"] if self.backward else sent["first"]
        self.rows = rows[-size:] if self.backward else rows[:size]
        more = len(rows) > size
        self.has_next = sent.get("before") is not None if self.backward else more
        self.has_previous = more if self.backward else sent.get("after") is not None

    def cursor(self, row: Row) -> str:
        key = getattr(row, attribute_of_column(self.kind, self.ordering.column))
        return encode_cursor(self.list_order, key, row.pk)

    def check_info(self, fields: GroupedFieldSet, value: dict[str, Any]) -> None:
        ends = [self.cursor(self.rows[end]) if self.rows else None for end in (0, -1)]
        known = {
            "hasNextPage": self.has_next,
            "hasPreviousPage": self.has_previous,
            "startCursor": ends[0],
            "endCursor": ends[1],
            "__typename": "PageInfo",
        }
        for key, details in fields.items():
            assert value[key] == known[details[0].node.name.value]


def table_of(kind: Kind) -> str:
    return str(kind.record._meta.db_table)


def attribute_of_column(kind: Kind, column: str) -> str:
    columns = kind.record._meta.fields_db_projection
    return next(name for name, of in columns.items() if of == column)


async def keys_in_order(kind: Kind, ordering: Ordering) -> list[UUID]:
    way = "DESC" if ordering.descending else "ASC"
    sql = f"SELECT id FROM {table_of(kind)} ORDER BY {ordering.column} {way}, id {way}"
    return [line["id"] for line in await fetch_all(sql)]


async def keys_between(
    kind: Kind, ordering: Ordering, sent: Mapping[str, Any], list_order: str
) -> set[UUID]:
    """The keys of rows between the cursors, for every viewer."""
    conditions = ["true"]
    binds: list[Any] = []
    for name in ("after", "before"):
        if sent.get(name) is not None:
            binds += decode_cursor(sent[name], list_order, ordering, name)
            way = ">" if (name == "after") != ordering.descending else "<"
            place = f"(${len(binds) - 1}, ${len(binds)})"
            conditions.append(f"({ordering.column}, id) {way} {place}")
    sql = f"SELECT id FROM {table_of(kind)} WHERE {' AND '.join(conditions)}"
    return {line["id"] for line in await fetch_all(sql, *binds)}


def is_asked(asked: Json) -> bool:
    if isinstance(asked, dict):
        return any(each is not None for each in asked.values())
    return asked is not None


async def compared_values(kind: Kind, by: FilterField, rows: Mapping[UUID, Row]) -> dict[UUID, Any]:
    """The value of every row that a filter compares, read without the statement of a plan."""
    if not by.expression:
        attribute = attribute_of_column(kind, by.column)
        return {key: getattr(row, attribute) for key, row in rows.items()}
    value = by.expression.replace("{t}", "t").replace(":now", "registry_now()")
    found = await fetch_all(f"SELECT id, {value} AS value FROM {table_of(kind)} t")
    return {line["id"]: line["value"] for line in found}


def matches(by: FilterField, stored: Json, asked: Json) -> bool:
    if isinstance(asked, list):
        return stored in (_fold(asked) if by.folds else asked)
    if isinstance(asked, dict):
        given = {operator: each for operator, each in asked.items() if each is not None}
        return stored is not None and all(
            _OPERATORS[operator](stored, _fold(each) if by.folds else each)
            for operator, each in given.items()
        )
    assert by.parse is not None
    key = by.parse(asked)
    return key in stored if by.is_array else stored == key


def _fold(asked: Json) -> Json:
    """A name, or each of several, as it is compared."""
    return comparison_form(asked) if isinstance(asked, str) else [comparison_form(n) for n in asked]


def assert_shown(field: GraphQLField, stored: Json, value: Json) -> None:
    named = get_named_type(field.type)
    if isinstance(stored, datetime):
        assert datetime.fromisoformat(value) == stored
    elif named.name in {"Money", "Price"}:
        assert value == format_fen(stored)
    elif named.name == "Date":
        assert value == stored.isoformat()
    elif is_enum_type(named):
        assert str(value).lower() == str(getattr(stored, "value", stored)).lower()
    else:
        assert value == (list(stored) if isinstance(stored, list | tuple) else stored)


def format_fen(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"
