"""The database keeps what a projection assumes of its column; else an object would vanish.

A part of an answer that is NULL takes the whole object with it, a word that needs an escape breaks
the text of the answer, and a key that is not unique shows an object twice.
"""

import re
from collections.abc import Iterator

import asyncpg

from registry.reading.catalog import ConnectionField, FieldSpec, ScalarFormat
from registry.reading.projections import ColumnExpr, ToMany, ToOne
from schema.planning.planner import Planner
from schema.root import build_api_schema

CATALOGUE = Planner(build_api_schema()._schema).catalog
TABLE_OF_VIEW = {"parameter_figure": "parameter"}
"""A view has no constraints: those of the table whose rows it shows hold for it."""

_PLAIN = re.compile(r"[0-9A-Za-z^$()\[\]{},?+*-]+")
_PATTERN = re.compile(r"\((\w+) ~ '([^']*)'::text\)")
_COLUMN = re.compile(r"(?:NULLIF\()?\{t\}\.(\w+)(?:, '[^']*'(?:::\w+)?\))?")

_NOT_NULL = "SELECT attnotnull FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2"
_LISTED = """
    SELECT string_agg(pg_get_constraintdef(k.oid), ' ') FROM pg_constraint k
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    WHERE k.conrelid = $1::regclass AND a.attname = $2 AND k.contype = 'c'
"""
_INDEXED = """
    SELECT count(*) FROM pg_index i
    WHERE i.indrelid = $1::regclass AND pg_get_indexdef(i.indexrelid, 1, true) = $2
        AND pg_get_indexdef(i.indexrelid, 2, true) = $3
        AND pg_get_indexdef(i.indexrelid, 3, true) = 'id'
        AND i.indoption[1] & 1 = i.indoption[2] & 1
        AND i.indpred IS NULL
"""
_LEADS = """
    SELECT count(*) FROM pg_constraint k
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    WHERE k.conrelid = $1::regclass AND a.attname = $2 AND k.contype = 'f'
        AND (k.confrelid = $3::regclass OR EXISTS (
            SELECT FROM pg_constraint f
            WHERE f.conrelid = k.confrelid AND f.contype = 'f' AND f.confrelid = $3::regclass))
"""
"""By a foreign key, or by one to a row that has it: a posting moves what a balance is of."""

_UNIQUE = """
    SELECT count(*) FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = $1::regclass AND a.attname = $2 AND i.indisunique AND i.indnkeyatts = 1
        AND i.indpred IS NULL
"""


def tables() -> dict[str, str]:
    """The table of every type whose rows are those of one."""
    found = {name: of.table for name, of in CATALOGUE.items() if of.table}
    for of in CATALOGUE.values():
        for field in of.fields.values():
            if (
                isinstance(field.source, ToMany)
                and field.source.source.isidentifier()
                and field.object_types
            ):
                found.setdefault(field.object_types[0], field.source.source)
    return {name: TABLE_OF_VIEW.get(table, table) for name, table in found.items()}


def projections() -> Iterator[tuple[str, str, FieldSpec]]:
    """Every field of those types: its name, its table, how it is read."""
    for name, table in tables().items():
        for field, readable in CATALOGUE[name].fields.items():
            yield f"{name}.{field}", table, readable


def column_of(readable: FieldSpec) -> str:
    """The column that a field shows unchanged; empty where it computes."""
    read = readable.source
    found = _COLUMN.fullmatch(
        read.sql if isinstance(read, ColumnExpr) else read.key if isinstance(read, ToOne) else ""
    )
    return found[1] if found else ""


async def test_what_is_promised_is_never_null(owner: asyncpg.Connection) -> None:
    promised = [
        (name, table, column_of(readable))
        for name, table, readable in projections()
        if readable.required and column_of(readable)
    ]

    assert len(promised) > 100
    for name, table, column in promised:
        assert await owner.fetchval(_NOT_NULL, table, column), name


async def test_a_word_is_one_of_a_list(owner: asyncpg.Connection) -> None:
    words = [
        (name, table, column_of(readable))
        for name, table, readable in projections()
        if readable.scalar_format is ScalarFormat.ENUM
        and isinstance(readable.source, ColumnExpr)
        and column_of(readable)
    ]

    assert len(words) > 20
    for name, table, column in words:
        checks = await owner.fetchval(_LISTED, table, column) or ""
        listed = f"({column} = ANY (ARRAY[" in checks
        allowed = [f"({column} ~ '{pattern}'" for pattern in ("^[a-z_]+$", "^[0-9a-f]{64}$")]
        matched = any(pattern in checks for pattern in allowed)
        assert listed or matched or column == "sha256", name


async def test_what_is_shown_without_escapes_needs_none(owner: asyncpg.Connection) -> None:
    shown = [
        (name, table, column_of(readable))
        for name, table, readable in projections()
        if isinstance(readable.source, ColumnExpr) and readable.source.is_plain
    ]

    assert len(shown) >= 8
    for name, table, column in shown:
        checks = await owner.fetchval(_LISTED, table, column) or ""
        patterns = [pattern for of, pattern in _PATTERN.findall(checks) if of == column]
        whole = [each for each in patterns if each[0] == "^" and each[-1] == "$"]
        listed = f"({column} = ANY (ARRAY[" in checks
        assert listed or any(_PLAIN.fullmatch(each) for each in whole), name


async def test_along_every_way_an_index_leads_in_every_order(owner: asyncpg.Connection) -> None:
    lists = [
        (CATALOGUE[readable.source.node_type], order)
        for of in CATALOGUE.values()
        for readable in of.fields.values()
        if isinstance(readable.source, ConnectionField)
        for order in readable.source.orders.values()
    ]
    ways = [
        (of.table, re.findall(r"\{t\}\.(\w+) = :\w+", way), order)
        for of, order in lists
        for fact in (of.kind.facts.values() if of.kind else ())
        for way in fact.index_branches
    ]

    assert len(ways) > 8
    for table, columns, order in ways:
        (column,) = columns
        described = [table, column, order.column]
        assert await owner.fetchval(_INDEXED, *described) == 1, described


async def test_whatever_is_led_to_is_there_once(owner: asyncpg.Connection) -> None:
    for name, table, readable in projections():
        read = readable.source
        if not isinstance(read, ToOne) or read.kind:
            continue
        target = tables()[read.target_type or readable.object_types[0]]
        assert await owner.fetchval(_UNIQUE, target, read.target_column), name
        if readable.required:
            assert await owner.fetchval(_LEADS, table, column_of(readable), target), name
