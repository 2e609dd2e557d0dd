"""Runs plans on connections of their own, which only read and keep their statements prepared.

A plan is one statement and sees one snapshot, so it needs no transaction. A connection that was
lost, or left in the middle of an answer, is replaced.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg

from registry.db.session import SESSION_SETTINGS
from registry.kernel.statistics import STATISTICS

STATEMENT_CACHE_SIZE = 200
"""Prepared statements kept on each connection, by the driver's LRU."""

CONNECT_TIMEOUT_SECONDS = 5.0

_SESSION_ENDED_ERRORS = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)

PLANNER_SETTINGS = {
    # A statement serves many values; planned for each anew it would take twice as long.
    "plan_cache_mode": "force_generic_plan",
    # A page is a few rows whose relations are found by keys. Building a hash table, even of a
    # small table, costs more than looking the keys up in memory.
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # Memoize nodes cost as much as the index lookups they save.
    "enable_memoize": "off",
    # Otherwise a table of fifty rows is scanned whole, once for each row that refers to it.
    "random_page_cost": "0.1",
    "seq_page_cost": "0.1",
}
"""Settings of PostgreSQL's planner for plans."""


class ReaderPool:
    """Connections as a role that only reads, opened when they are first needed.

    ``asyncpg.Pool`` would do the same with one task more for each statement.

    Args:
        url: of that role; where the role may write, its connections are read-only all the same.
        max_connections: how many statements run at once; the others wait in order of arrival.
        statement_timeout: seconds after which the database cancels a statement.
        on_connect: called with each new connection.

    """

    def __init__(
        self,
        url: str,
        *,
        max_connections: int,
        statement_timeout: int,
        on_connect: Callable[["asyncpg.Connection[Any]"], Awaitable[None]] | None = None,
    ) -> None:
        self._url, self._on_connect = url, on_connect
        self._settings = {
            **SESSION_SETTINGS,
            **PLANNER_SETTINGS,
            "application_name": "biandan reader",
            "default_transaction_read_only": "on",
            "statement_timeout": f"{statement_timeout}s",
        }
        self._free: list[asyncpg.Connection[Any] | None] = [None] * max_connections
        self._semaphore = asyncio.Semaphore(max_connections)

    async def fetch(self, sql: str, values: Sequence[object]) -> bytes | None:
        """The one value that a plan answers with."""
        if self._semaphore.locked():
            started_at = time.monotonic()
            await self._semaphore.acquire()
            STATISTICS.note_wait("reader", time.monotonic() - started_at)
        else:
            await self._semaphore.acquire()
        try:
            return await self._fetch(sql, values)
        finally:
            self._semaphore.release()

    async def _fetch(self, sql: str, values: Sequence[object]) -> bytes | None:
        connection, usable = self._free.pop(), False
        try:
            if connection is None or connection.is_closed():
                connection = await self._connect()
            answer: bytes | None = await connection.fetchval(sql, *values)
            usable = True
        except asyncpg.PostgresError as error:
            # An error of the statement leaves the session in order.
            usable = not isinstance(error, _SESSION_ENDED_ERRORS)
            raise
        finally:
            if connection is not None and not usable:
                connection.terminate()
            self._free.append(connection)
        return answer

    async def close(self) -> None:
        """Close the connections; afterwards nothing may be fetched."""
        for connection in self._free:
            if connection is not None:
                connection.terminate()
        self._free = [None] * len(self._free)

    async def _connect(self) -> "asyncpg.Connection[Any]":
        connection = await asyncpg.connect(
            self._url,
            timeout=CONNECT_TIMEOUT_SECONDS,
            server_settings=self._settings,
            statement_cache_size=STATEMENT_CACHE_SIZE,
            # Statements of any length stay prepared while they are used.
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
        )
        if self._on_connect is not None:
            await self._on_connect(connection)
        return connection
