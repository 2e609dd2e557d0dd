"""Rows as no operation makes them, as far as the database's own rules let them in.

Null where a column may be, texts that try every escape, figures and moments at their ends, names
of things that are not there.
"""

import random
from collections.abc import Callable, Iterable
from uuid import UUID

import asyncpg

from registry.access.principals import NIL

EXCLUDED_TABLES = frozenset({
    "migration", "registry_clock", "access_epoch", "rule_edition", "rule_line",
    "idempotency_key", "holiday", "certificate_sequence", "city_cap", "bank_reference",
})  # fmt: skip
"""No answer shows them, or everything hangs on them."""

_KEYS = frozenset({"id", "code", "kind", "side", "role", "subject", "edition"})
"""Columns on which the people of the test and their rules hang."""

_COLUMNS = """
    SELECT c.relname AS of, attname AS name, typname AS type, NOT attnotnull AS nullable,
        (SELECT string_agg(pg_get_constraintdef(k.oid), ' ')
         FROM pg_constraint k
         WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY(k.conkey)) AS checks
    FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid JOIN pg_type t ON t.oid = atttypid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY 1, attnum
"""

TEXTS = (
    "", " ", "a'b", 'say "so"', "back\\slash\\", "\\u0041", "tab\tline\nreturn\rfeed\f\b",
    "\x01\x1f\x7f", "\u2028\u2029\u00a0", "扁担🐉𠮷", "e\u0301\u202eright", "%_{t}:name$1?--/*",
    "</script>&amp;", "{}[]:,", "null", "长" * 90, "x" * 200, "长" * 1900, '"' * 2000,
)  # fmt: skip
INSTANTS = (
    "0001-01-02T00:00:00+00", "1899-12-31T23:59:59.999999+08", "1970-01-01T00:00:00Z",
    "2022-06-07T10:00:00+08", "2022-06-07T10:00:00.120000+08", "2022-06-07T10:00:00.000001+08",
    "2022-06-07T10:00:00.100100+08", "2022-06-07T23:59:59.999999+08", "2022-06-08T00:00:00+08",
    "2022-06-07T15:59:59.500000Z", "9999-12-31T15:59:59.999999Z",
)  # fmt: skip
DAYS = ("0001-01-01", "1900-02-28", "2022-06-06", "2022-06-07", "2022-06-08", "2024-02-29",
        "9999-12-31")  # fmt: skip
QUANTITIES = (0, 1, 5, 10, 99, 100, 999, 1_000, 1_001, 10**13, 10**15, 2**53 + 1, 2**63 - 1, -1,
           -10, -(10**15))  # fmt: skip
NUMBERS = (0, 1, 6, 7, 2_000, 2_022, 100_000, 2**31 - 1, -(2**31))

_ATTEMPTS = 5


async def without_triggers(owner: asyncpg.Connection, way: str) -> None:
    """Switch the triggers that keep rows in order; ``way`` is DISABLE or ENABLE."""
    tables = await owner.fetch(
        "SELECT DISTINCT tgrelid::regclass::text AS name FROM pg_trigger"
        " WHERE NOT tgisinternal AND tgparentid = 0"
    )
    for table in tables:
        await owner.execute(f"ALTER TABLE {table['name']} {way} TRIGGER USER")


async def add_extreme_values(owner: asyncpg.Connection, chance: random.Random) -> None:
    """Write odd values into some rows of every table that answers are read from."""
    ids = [line["id"] for line in await owner.fetch("SELECT id FROM organisation")]
    columns = await owner.fetch(_COLUMNS)
    tables = {line["of"] for line in columns} - EXCLUDED_TABLES
    for column in columns:
        # Counters of statement lines are numbers in the API.
        counted = column["name"].endswith("sequence")
        if column["of"] in tables and column["name"] not in _KEYS and not counted:
            await _overwrite(owner, column, list(_values(column, ids)), chance)


async def _overwrite(
    owner: asyncpg.Connection,
    column: asyncpg.Record,
    values: list[object],
    chance: random.Random,
) -> None:
    places = await owner.fetch(
        f'SELECT tableoid::regclass::text AS part, ctid::text AS place FROM "{column["of"]}"'
        f" ORDER BY md5(ctid::text) LIMIT {_ATTEMPTS * 2}"
    )
    for _ in range(_ATTEMPTS if values else 0):
        if not places:
            return
        at = places.pop(chance.randrange(len(places)))
        value = chance.choice(values)
        try:
            async with owner.transaction():
                await owner.execute(
                    f'UPDATE {at["part"]} SET "{column["name"]}" = $1::text::{column["type"]}'
                    f" WHERE ctid = '{at['place']}'",
                    value,
                )
        except asyncpg.IntegrityConstraintViolationError:
            continue


def _values(column: asyncpg.Record, ids: list[UUID]) -> Iterable[object]:
    """Values to try, as PostgreSQL reads them."""
    words = _listed_values(column["checks"] or "", column["name"])
    of_type: dict[str, Callable[[], Iterable[object]]] = {
        "text": lambda: words or TEXTS,
        "timestamptz": lambda: INSTANTS,
        "date": lambda: DAYS,
        "int8": lambda: map(str, QUANTITIES),
        "int4": lambda: map(str, NUMBERS),
        "int2": lambda: map(str, range(7)),
        "bool": lambda: ("true", "false"),
        "uuid": lambda: (str(NIL), "00000000-0000-0000-0000-0000000000ff", *map(str, ids[:3])),
        "_uuid": lambda: ("{}", "{00000000-0000-0000-0000-0000000000ff}"),
        "_text": lambda: ("{}", '{"a\\"b\\\\c","扁🐉","\t\n"," "}'),
        "jsonb": lambda: (),
    }
    found = list(of_type[column["type"]]())
    return [*found, *found, None] if column["nullable"] else found


def _listed_values(checks: str, column: str) -> tuple[str, ...]:
    """The words that a check lists for the column itself."""
    _, found, rest = checks.partition(f"(({column} = ANY (ARRAY[")
    return tuple(word.split("'")[1] for word in rest.partition("]")[0].split(",")) if found else ()
