"""Connection, unit of work, repetition by SQLSTATE, and what a database error means to a caller.

The only handle to the database: Tortoise's models and the functions here share the connection of
the current task.
"""

import asyncio
import json
import pkgutil
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any, TypeVar, cast
from uuid import UUID

import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.connection import get_connections
from tortoise.exceptions import BaseORMException
from tortoise.fields import Field, JSONField
from tortoise.models import Model
from tortoise.transactions import in_transaction

import registry
from policies.vocabulary import Text
from registry.db.tortoise_engine import DRIVER_ERRORS, Connection, Engine
from registry.kernel.errors import (
    Busy,
    Duplicate,
    Frozen,
    Insufficient,
    NotFound,
    NotInForce,
    Refused,
    Unreachable,
)

ATTEMPTS_MAX = 5
SAVINGS_MAX = 256
"""Kept texts of statements that write several records; there are a few dozen."""
STATEMENT_SECONDS_MAX = 30
LOOK_SECONDS_MAX = 3.0
SESSION = {"timezone": "<+08>-08", "datestyle": "ISO, YMD", "jit": "off"}
"""Session settings of every connection. Times are shown in China's time zone.

JIT is off: statements are short, and compiling them costs more than it saves.
"""
PLANNING = {"plan_cache_mode": "force_generic_plan"}
"""Of commands, which look up by keys: every value has the same plan."""

SETTINGS = {
    "application_name": "biandan",
    **SESSION,
    **PLANNING,
    "statement_timeout": f"{STATEMENT_SECONDS_MAX}s",
    "idle_in_transaction_session_timeout": "60s",
}
REPEATABLE_STATES = frozenset({"40001", "40P01"})
# Statement or lock timed out, too many connections: later it can do.
BUSY_STATES = REPEATABLE_STATES | {"57014", "55P03", "53300"}
# Connection failed or was lost; the server stops, was killed, or starts.
LOST_STATES = ("08", "57P01", "57P02", "57P03")

Answer = TypeVar("Answer")
Record = TypeVar("Record", bound=Model)
Known = Callable[[], Refused] | Text
Raised = Callable[[Mapping[str, Any]], Refused]

_constraints: dict[str, Known] = {}
_states: dict[str, Raised] = {
    "BD001": lambda _: Insufficient(
        Text("An account holds less than this takes.", "账户可用数量不足。")
    ),
    "BD002": lambda _: Frozen(
        Text("An account, party or position is frozen.", "账户、主体或持仓已被冻结。")
    ),
    "BD003": lambda _: NotInForce(
        Text("The right is outside its period of validity.", "该权利不在有效期内。")
    ),
    "BD004": lambda _: NotFound("account"),
    "BD005": lambda _: Insufficient(
        Text("This would exceed the recorded cap.", "将超过已登记的总量上限。")
    ),
}


async def open_database(url: str, *, minsize: int = 1, maxsize: int = 10) -> None:
    """Open the pool of this process and load the records of every concept.

    Args:
        url: ``postgresql://`` URL of the application role.
        minsize: connections opened in advance.
        maxsize: connections at most.

    """
    credentials = expand_db_url(url)["credentials"]
    credentials |= {
        "minsize": minsize,
        "maxsize": maxsize,
        "server_settings": SETTINGS,
        "connection_class": Connection,
    }
    await Tortoise.init(
        config={
            "connections": {
                "default": {"engine": "registry.db.tortoise_engine", "credentials": credentials}
            },
            "apps": {"registry": {"models": record_modules()}},
            "use_tz": True,
            "timezone": "UTC",
        },
        # Requests run in tasks that the one that opened the database did not start.
        _enable_global_fallback=True,
    )
    await row("SELECT 1 AS ready")


async def close_database() -> None:
    """Close the pool; afterwards another may be opened."""
    await Tortoise.close_connections()


def record_modules() -> list[str]:
    """The modules with Tortoise models: ``records`` in each concept's folder."""
    return [
        f"registry.{folder.name}.records"
        for folder in pkgutil.iter_modules(registry.__path__)
        if folder.ispkg and find_spec(f"registry.{folder.name}.records")
    ]


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """A READ COMMITTED unit of work: all of it, or nothing. Within another one it is a savepoint.

    Raises:
        Refused: the meaning of a database error, where it has one; see ``translate``.

    """
    async with _translated(), in_transaction("default"):
        yield


@asynccontextmanager
async def reading() -> AsyncIterator[None]:
    """One moment of the database (REPEATABLE READ), in which nothing can be written.

    Within a unit of work it is that unit, which sees its own writes.

    Raises:
        Refused: the meaning of a database error, where it has one.

    """
    client = get_connections().get("default")
    if isinstance(client, Engine):
        async with _translated(), client.in_reading():
            yield
    else:
        yield


@asynccontextmanager
async def looking() -> AsyncIterator[None]:
    """The same for a look at a few rows, before anything is done for whoever waits for it.

    Raises:
        Unreachable: it took ``LOOK_SECONDS_MAX``. A connection may be dead and not know it.
        Refused: likewise.

    """
    try:
        async with asyncio.timeout(LOOK_SECONDS_MAX), reading():
            yield
    except TimeoutError:
        raise Unreachable from None


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (*DRIVER_ERRORS, BaseORMException, OSError) as error:
        # What can be repeated stays as it is for ``retried``.
        if state_of(error) in REPEATABLE_STATES:
            raise
        refusal = translate(error)
        if refusal is None:
            raise
        raise refusal from error


async def rows(sql: str, *args: object) -> list[dict[str, Any]]:
    """All rows of a statement with ``$1`` placeholders, on the current transaction's connection."""
    async with get_connections().get("default").acquire_connection() as connection:
        return [dict(record) for record in await connection.fetch(sql, *args)]


async def row(sql: str, *args: object) -> dict[str, Any] | None:
    """The first row of a statement, or None."""
    async with get_connections().get("default").acquire_connection() as connection:
        record = await connection.fetchrow(sql, *args)
        return None if record is None else dict(record)


async def found(model: type[Record], id: UUID) -> Record | None:
    """The record of a primary key, or None.

    One text for each model: what Tortoise's query builder spends on such a look-up is more than
    all the rest of it costs.
    """
    line = await row(by_key(model), id)
    return None if line is None else record_of(model, line)


@cache
def by_key(model: type[Model]) -> str:
    """The statement that finds the row of a primary key, ``$1``."""
    meta = model._meta  # noqa: SLF001 - Tortoise's own catalogue
    columns = ", ".join(f'"{column}"' for column in sorted(meta.fields_db_projection.values()))
    return f'SELECT {columns} FROM "{meta.db_table}" WHERE "{meta.db_pk_column}" = $1'  # noqa: S608


def record_of(model: type[Record], line: Mapping[str, Any]) -> Record:
    """The record of a row that ``by_key`` found."""
    return model._init_from_db(**line)  # noqa: SLF001 - as Tortoise reads


async def save(*records: Model) -> None:
    """Write records as they stand, in one statement: new ones are added, those read are changed.

    Again one text for each model and way, for what the query builder would spend. No record may be
    given twice.
    """
    sql, fields = _saving(tuple((type(record), record._saved_in_db) for record in records))  # noqa: SLF001 - Tortoise's own mark
    values = [
        field.to_db_value(getattr(record, name), record)
        if isinstance(field, JSONField)
        else getattr(record, name)
        for record, named in zip(records, fields, strict=True)
        for name, field in named
    ]
    await execute(sql, *values)
    for record in records:
        record._saved_in_db = True  # noqa: SLF001 - likewise


Fields = tuple[tuple[str, Field[Any]], ...]


@lru_cache(maxsize=SAVINGS_MAX)
def _saving(kinds: tuple[tuple[type[Model], bool], ...]) -> tuple[str, tuple[Fields, ...]]:
    """The statement for records of these models, which are there already or not, and its values."""
    texts: list[str] = []
    values: list[Fields] = []
    for model, there in kinds:
        fields, columns = _fields_of(model)
        first = 1 + sum(map(len, values))
        write = _change_of if there else _addition_of
        texts.append(write(model, columns, [f"${first + n}" for n in range(len(columns))]))
        values.append(fields)
    *others, last = texts
    along = ", ".join(f"saved_{n} AS ({text})" for n, text in enumerate(others))
    return f"WITH {along} {last}" if along else last, tuple(values)


def _addition_of(model: type[Model], columns: Sequence[str], places: Sequence[str]) -> str:
    table = model._meta.db_table  # noqa: SLF001 - Tortoise's own catalogue
    return f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES ({", ".join(places)})'  # noqa: S608


def _change_of(model: type[Model], columns: Sequence[str], places: Sequence[str]) -> str:
    meta = model._meta  # noqa: SLF001 - Tortoise's own catalogue
    values = dict(zip(columns, places, strict=True))
    key = f'"{meta.db_pk_column}"'
    where = f"{key} = {values.pop(key)}"
    sets = ", ".join(f"{column} = {place}" for column, place in values.items())
    return f'UPDATE "{meta.db_table}" SET {sets} WHERE {where}'  # noqa: S608


def _fields_of(model: type[Model]) -> tuple[Fields, list[str]]:
    meta = model._meta  # noqa: SLF001 - Tortoise's own catalogue
    named = sorted(meta.fields_db_projection.items())
    fields = tuple((name, meta.fields_map[name]) for name, _ in named)
    return fields, [f'"{column}"' for _, column in named]


async def execute(sql: str, *args: object) -> int:
    """Run a statement that answers nothing; the number of rows it touched, where it counts them."""
    async with get_connections().get("default").acquire_connection() as connection:
        status = cast("str", await connection.execute(sql, *args))
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


async def retried(work: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer of ``work``, repeated from the start where the database asks for that.

    ``work`` holds its transaction itself, so that every attempt begins with nothing done.

    Raises:
        Busy: deadlock or serialisation failure in each of ``ATTEMPTS_MAX`` attempts.

    """
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return await work()
        except (asyncpg.PostgresError, BaseORMException) as error:
            if state_of(error) not in REPEATABLE_STATES:
                raise
            if attempt == ATTEMPTS_MAX:
                raise Busy from error
        # The ones that collided must not come back together.
        await asyncio.sleep(secrets.randbelow(20 * 2**attempt) / 1000)
    raise Busy


def known_constraints(refusals: Mapping[str, Known]) -> None:
    """Say what violating a named constraint means: a refusal's maker, or a text (a duplicate)."""
    _constraints.update(refusals)


def known_states(refusals: Mapping[str, Raised]) -> None:
    """Say what an SQLSTATE of our own functions (class BD) means, given the JSON of its DETAIL."""
    _states.update(refusals)


def translate(error: BaseException) -> Refused | None:
    """The refusal a database error stands for; None where it is a bug."""
    if isinstance(error, TimeoutError):  # No connection became free in time.
        return Busy()
    if _lost(error):
        return Unreachable()
    cause = _driver_error(error)
    if cause is None:
        return None
    if cause.sqlstate in BUSY_STATES:
        return Busy()
    if cause.sqlstate in _states:
        return _states[cause.sqlstate](_detail(cause))
    known = _constraints.get(cause.constraint_name or "")
    return Duplicate(known) if isinstance(known, Text) else known and known()


def state_of(error: BaseException) -> str:
    """The SQLSTATE of an error, also inside one of Tortoise's; empty where there is none."""
    cause = _driver_error(error)
    return "" if cause is None else cause.sqlstate or ""


def _lost(error: BaseException) -> bool:
    """Whether the database is out of reach, or was in the middle of something."""
    if isinstance(error, OSError):
        return True
    # The driver trips over a session that the server ends between two statements.
    if isinstance(error, asyncpg.InternalClientError):
        return True
    # It has no class of its own for the use of a connection that ended meanwhile.
    if type(error) is asyncpg.InterfaceError:
        return "closed" in str(error) or "released" in str(error)
    return state_of(error).startswith(LOST_STATES)


def _driver_error(error: BaseException | None) -> asyncpg.PostgresError | None:
    while error is not None and not isinstance(error, asyncpg.PostgresError):
        error = error.__cause__
    return error


def _detail(error: asyncpg.PostgresError) -> Mapping[str, Any]:
    try:
        detail = json.loads(error.detail or "{}")
    except ValueError:
        return {}
    return detail if isinstance(detail, dict) else {}
