"""Connection, unit of work, queries, and repetition by SQLSTATE.

The only handle to the database: Tortoise's models and the functions here share the connection of
the current task.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from types import ModuleType
from typing import Any, TypeVar, cast
from uuid import UUID

import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.connection import get_connections
from tortoise.exceptions import BaseORMException
from tortoise.fields import JSONField
from tortoise.models import Model
from tortoise.transactions import in_transaction

from registry.db.errors import (
    RETRYABLE_SQLSTATES,
    ErrorTranslations,
    sqlstate_of,
    to_refusal,
    use_translations,
)
from registry.db.tortoise_engine import (
    DRIVER_ERRORS,
    Engine,
    PooledConnection,
    is_saved,
    mark_saved,
    meta_of,
    record_of_row,
)
from registry.kernel.errors import DatabaseUnreachable, Overloaded

MAX_ATTEMPTS = 5
SAVE_PLAN_CACHE_SIZE = 256
"""Kept texts of statements that write several records; there are a few dozen."""
STATEMENT_TIMEOUT_SECONDS = 30
SHORT_READ_TIMEOUT_SECONDS = 3.0
SESSION_SETTINGS = {"timezone": "<+08>-08", "datestyle": "ISO, YMD", "jit": "off"}
"""Session settings of every connection. Times are shown in China's time zone.

JIT is off: statements are short, and compiling them costs more than it saves.
"""
PLANNER_SETTINGS = {"plan_cache_mode": "force_generic_plan"}
"""Of commands, which look up by keys: every value has the same plan."""

CONNECTION_SETTINGS = {
    "application_name": "biandan",
    **SESSION_SETTINGS,
    **PLANNER_SETTINGS,
    "statement_timeout": f"{STATEMENT_TIMEOUT_SECONDS}s",
    "idle_in_transaction_session_timeout": "60s",
}
Answer = TypeVar("Answer")
Record = TypeVar("Record", bound=Model)


async def open_database(
    url: str,
    *,
    records: Sequence[ModuleType],
    translations: ErrorTranslations,
    minsize: int = 1,
    maxsize: int = 10,
    on_connect: "Callable[[asyncpg.Connection[Any]], Awaitable[None]] | None" = None,
) -> None:
    """Open the pool of this process; see ``registry.concepts.open_registry``."""
    use_translations(translations)
    credentials = expand_db_url(url)["credentials"]
    credentials |= {
        "minsize": minsize,
        "maxsize": maxsize,
        "server_settings": CONNECTION_SETTINGS,
        "connection_class": PooledConnection,
        "init": on_connect,
    }
    await Tortoise.init(
        config={
            "connections": {
                "default": {"engine": "registry.db.tortoise_engine", "credentials": credentials}
            },
            "apps": {"registry": {"models": [each.__name__ for each in records]}},
            "use_tz": True,
            "timezone": "UTC",
        },
        # Requests run in tasks that the one that opened the database did not start.
        _enable_global_fallback=True,
    )
    await fetch_one("SELECT 1 AS ready")


async def close_database() -> None:
    """Close the pool; afterwards another may be opened."""
    await Tortoise.close_connections()


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """A READ COMMITTED unit of work: all of it, or nothing. Within another one it is a savepoint.

    Raises:
        Refused: the meaning of a database error, where it has one; see ``to_refusal``.

    """
    async with _translating_errors(), in_transaction("default"):
        yield


@asynccontextmanager
async def read_only_transaction() -> AsyncIterator[None]:
    """One moment of the database (REPEATABLE READ), in which nothing can be written.

    Within a unit of work it is that unit, which sees its own writes.
    """
    client = get_connections().get("default")
    if isinstance(client, Engine):
        async with _translating_errors(), client.in_read_only_transaction():
            yield
    else:
        yield


@asynccontextmanager
async def short_read_only_transaction() -> AsyncIterator[None]:
    """The same with a short time limit, for reading a few rows."""
    try:
        async with asyncio.timeout(SHORT_READ_TIMEOUT_SECONDS), read_only_transaction():
            yield
    except TimeoutError:
        raise DatabaseUnreachable from None


@asynccontextmanager
async def _translating_errors() -> AsyncIterator[None]:
    try:
        yield
    except (*DRIVER_ERRORS, BaseORMException, OSError) as error:
        # Retryable errors pass unchanged to ``with_retries``.
        if sqlstate_of(error) in RETRYABLE_SQLSTATES:
            raise
        refusal = to_refusal(error)
        if refusal is None:
            raise
        raise refusal from error


async def fetch_all(sql: str, *args: object) -> list[dict[str, Any]]:
    """All rows of a statement with ``$1`` placeholders, on the current transaction's connection."""
    async with get_connections().get("default").acquire_connection() as connection:
        return [dict(record) for record in await connection.fetch(sql, *args)]


async def fetch_one(sql: str, *args: object) -> dict[str, Any] | None:
    """The first row of a statement, or None."""
    async with get_connections().get("default").acquire_connection() as connection:
        record = await connection.fetchrow(sql, *args)
        return None if record is None else dict(record)


async def fetch_value(sql: str, args: Sequence[object]) -> Any:  # noqa: ANN401 - any column
    """The first value of a statement's first row, on the current transaction's connection."""
    async with get_connections().get("default").acquire_connection() as connection:
        return await connection.fetchval(sql, *args)


async def get_by_id(model: type[Record], id: UUID) -> Record | None:
    """The record of a primary key, or None.

    One text for each model: what Tortoise's query builder spends on such a look-up is more than
    all the rest of it costs.
    """
    line = await fetch_one(select_by_key_sql(model), id)
    return None if line is None else to_record(model, line)


@cache
def select_by_key_sql(model: type[Model]) -> str:
    """The statement that finds the row of a primary key, ``$1``."""
    meta = meta_of(model)
    columns = ", ".join(f'"{column}"' for column in sorted(meta.fields_db_projection.values()))
    return f'SELECT {columns} FROM "{meta.db_table}" WHERE "{meta.db_pk_column}" = $1'  # noqa: S608


def table_of(model: type[Model]) -> tuple[str, str]:
    """The table in which the model's rows are, and the column of its primary key."""
    meta = meta_of(model)
    return meta.db_table, meta.db_pk_column


def to_record(model: type[Record], line: Mapping[str, Any]) -> Record:
    """The record of a row that ``select_by_key_sql`` found."""
    return record_of_row(model, line)


@dataclass(frozen=True, slots=True)
class ValueStatement:
    """A statement that answers one value, run within the one that saves."""

    sql: str  # With ``$1`` placeholders.
    args: tuple[object, ...]  # Their values.
    fields: tuple[tuple[Model, str], ...] = ()  # Records and their fields that get the value.


async def save(*records: Model, first: Sequence[ValueStatement] = ()) -> None:
    """Write records as they are, in one statement: new ones are added, those read are changed.

    One text for each model and way: the query builder would cost more than the rest. No record may
    be given twice.

    Args:
        records: the records.
        first: statements that run before the records are written, in this order.

    """
    computed = tuple(
        tuple((name, n) for n, each in enumerate(first) for of, name in each.fields if of is record)
        for record in records
    )
    sql, fields = _save_plan(
        tuple((each.sql, len(each.args)) for each in first),
        tuple(zip(map(type, records), map(is_saved, records), computed, strict=True)),
    )
    values = [arg for each in first for arg in each.args]
    values += [
        json.to_db_value(getattr(record, name), record) if json else getattr(record, name)
        for record, named in zip(records, fields, strict=True)
        for name, json in named
    ]
    row = await fetch_one(sql, *values)
    for n, each in enumerate(first):
        for record, name in each.fields:
            assert row is not None, "values are answered in one row"
            setattr(record, name, row[f"value_{n}"])
    for record in records:
        mark_saved(record)


Fields = tuple[tuple[str, JSONField[Any] | None], ...]
"""Fields by name; one of JSON as itself, which writes the value as text."""
Computed = tuple[tuple[str, int], ...]
"""The fields that get a value of the database: name, and place of its statement."""
_VALUE = "(SELECT value FROM value_{})"


@lru_cache(maxsize=SAVE_PLAN_CACHE_SIZE)
def _save_plan(
    first: tuple[tuple[str, int], ...], kinds: tuple[tuple[type[Model], bool, Computed], ...]
) -> tuple[str, tuple[Fields, ...]]:
    """The statement for records of these models, which are there already or not, and its values.

    Args:
        first: texts of the statements that run first, and how many arguments they have.
        kinds: model, whether it is there, and its computed fields.

    """
    texts: list[str] = []
    bound = 0
    for n, (sql, args) in enumerate(first):
        texts.append(f"value_{n} (value) AS MATERIALIZED ({_shift_placeholders(sql, bound)})")
        bound += args
    values: list[Fields] = []
    for n, (model, there, computed) in enumerate(kinds):
        fields, columns, sources = _field_sources(model, dict(computed), bound)
        write = _update_sql if there else _insert_sql
        texts.append(f"saved_{n} AS ({write(model, columns, sources)})")
        values.append(fields)
        bound += len(fields)
    # The main query runs before the writes, and asks for the values in their order.
    answers = ", ".join(f"{_VALUE.format(n)} AS value_{n}" for n in range(len(first)))
    return f"WITH {', '.join(texts)} SELECT {answers}", tuple(values)


def _shift_placeholders(sql: str, by: int) -> str:
    return re.sub(r"\$(\d+)", lambda match: f"${int(match[1]) + by}", sql)


def _field_sources(
    model: type[Model], computed: Mapping[str, int], bound: int
) -> tuple[Fields, list[str], list[str]]:
    """The fields that are bound, and all columns, each with its placeholder or value."""
    meta = meta_of(model)
    named = sorted(meta.fields_db_projection.items())
    bound_fields = [(name, meta.fields_map[name]) for name, _ in named if name not in computed]
    fields = tuple((name, f if isinstance(f, JSONField) else None) for name, f in bound_fields)
    places = {name: f"${bound + n}" for n, (name, _) in enumerate(fields, start=1)}
    places |= {name: _VALUE.format(n) for name, n in computed.items()}
    return fields, [f'"{column}"' for _, column in named], [places[name] for name, _ in named]


def _insert_sql(model: type[Model], columns: Sequence[str], placeholders: Sequence[str]) -> str:
    table = meta_of(model).db_table
    return f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES ({", ".join(placeholders)})'  # noqa: S608


def _update_sql(model: type[Model], columns: Sequence[str], placeholders: Sequence[str]) -> str:
    meta = meta_of(model)
    values = dict(zip(columns, placeholders, strict=True))
    key = f'"{meta.db_pk_column}"'
    where = f"{key} = {values.pop(key)}"
    sets = ", ".join(f"{column} = {place}" for column, place in values.items())
    return f'UPDATE "{meta.db_table}" SET {sets} WHERE {where}'  # noqa: S608


async def execute(sql: str, *args: object) -> int:
    """Run a statement that answers nothing; the number of rows it touched, where it counts them."""
    async with get_connections().get("default").acquire_connection() as connection:
        status = cast("str", await connection.execute(sql, *args))
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


async def with_retries(work: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer of ``work``, repeated from the start where the database asks for that.

    ``work`` holds its transaction itself, so that every attempt begins with nothing done.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            return await work()
        except (asyncpg.PostgresError, BaseORMException) as error:
            if sqlstate_of(error) not in RETRYABLE_SQLSTATES:
                raise
            if attempt == MAX_ATTEMPTS:
                raise Overloaded from error
        # The ones that collided must not come back together.
        await asyncio.sleep(secrets.randbelow(20 * 2**attempt) / 1000)
    raise Overloaded
