"""Rows that no operation would make: every word, every border, every gap that a column allows."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import asyncpg

from registry.access.principals import NIL
from registry.kernel.calendar import CHINA

PERSON_ID = tuple(UUID(int=number) for number in range(1, 5))
"""People and bodies that rows and viewers share, so that they often meet."""

DIVISIONS = ("", "130000", "130200", "131000", "131002")

INSTANTS = tuple(
    datetime.combine(datetime(2022, 6, 7, tzinfo=CHINA), at, CHINA)
    for at in (time(0, 30), time(10), time(23, 59, 59, 999_999))
)
"""The time of reading: at half past midnight in China it is still the day before in UTC."""

_NEAR = tuple(timedelta(days=days, microseconds=tick) for days in (-2, 0, 2) for tick in (-1, 0, 1))
_FAR = datetime(9999, 12, 31, tzinfo=UTC)

_COLUMNS = """
    SELECT attname AS name, typname AS type, NOT attnotnull AS nullable
    FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
    WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attnum
"""
_CONSTRAINTS = """
    SELECT conname AS name, pg_get_constraintdef(oid) AS says FROM pg_constraint
    WHERE conrelid = $1::regclass AND contype IN ('c', 'f', 'u', 'x')
"""
_INDEXES = """
    SELECT indexrelid::regclass::text AS name FROM pg_index
    WHERE indrelid = $1::regclass AND indisunique AND NOT indisprimary
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that random rows fill; ``words`` are those that a check lists for it."""

    name: str
    type: str
    nullable: bool
    words: tuple[str, ...]


async def drop_constraints(owner: asyncpg.Connection, table: str) -> list[Column]:
    """Take from a table all that keeps its rows in order, but for NOT NULL; its columns."""
    constraints = await owner.fetch(_CONSTRAINTS, table)
    listed = dict(_listed_values(constraints))
    columns = [
        Column(**found, words=listed.get(found["name"], ()))
        for found in await owner.fetch(_COLUMNS, table)
    ]
    for found in constraints:
        await owner.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{found["name"]}" CASCADE')
    for found in await owner.fetch(_INDEXES, table):
        await owner.execute(f"DROP INDEX {found['name']}")
    await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return columns


def _listed_values(constraints: Sequence[asyncpg.Record]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The longest list of words that a check allows each column."""
    found = [
        (column, tuple(re.findall(r"'([^']*)'", words)))
        for constraint in constraints
        for column, words in re.findall(r"\((\w+) = ANY \(ARRAY\[([^]]*)\]", constraint["says"])
    ]
    yield from sorted(found, key=lambda pair: len(pair[1]))


async def fill(
    owner: asyncpg.Connection,
    table: str,
    columns: Sequence[Column],
    chance: random.Random,
    *,
    number: int,
) -> None:
    """Exactly ``number`` random rows stand in the table."""
    await owner.execute(f"DELETE FROM {table}")
    rows = [tuple(_cell(column, chance) for column in columns) for _ in range(number)]
    names = [column.name for column in columns]
    await owner.copy_records_to_table(table, records=rows, columns=names)


def random_person_id(chance: random.Random) -> UUID:
    """A frequent person, none, or one that no other row names."""
    return chance.choice((*PERSON_ID, *PERSON_ID, NIL, UUID(int=chance.getrandbits(128))))


def _cell(column: Column, chance: random.Random) -> object:
    if column.name == "id":
        return UUID(int=chance.getrandbits(128))
    if column.nullable and chance.random() < 0.2:
        return None
    if column.type == "text":
        return chance.choice(_words(column))
    return _VALUES[column.type](chance)


def _words(column: Column) -> Sequence[str]:
    """Values of a text: the words its check lists, a division, a word, or nothing."""
    if column.words:
        return column.words
    if column.name.endswith(("city", "county", "division")):
        return DIVISIONS
    return ("", "something")


def _instant(chance: random.Random) -> datetime:
    return chance.choice((_FAR, *(at + near for at in INSTANTS for near in _NEAR)))


_VALUES: dict[str, Callable[[random.Random], object]] = {
    "uuid": random_person_id,
    "_uuid": lambda chance: [random_person_id(chance) for _ in range(chance.randrange(4))],
    "_text": lambda _: [],
    "jsonb": lambda _: "[]",
    "bool": lambda chance: chance.random() < 0.5,
    "int2": lambda chance: chance.randrange(5),
    "int4": lambda chance: chance.randrange(5),
    "int8": lambda chance: chance.randrange(5),
    "timestamptz": _instant,
    "date": lambda chance: _instant(chance).date() if chance.random() < 0.9 else INSTANTS[1].date(),
}
