"""Executes plans on connections of their own, which can only read and keep their statements.

No pool and no transaction: a plan is one statement, and one statement sees one moment. A connection
that was lost, or was left in the middle of an answer, is replaced.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from registry.db.session import SESSION_SETTINGS
from registry.kernel.errors import Overloaded
from registry.kernel.watchdog import Watchdog
from registry.reading.concurrency_limit import ConcurrencyLimiter, FastStatementTracker

STATEMENT_CACHE_SIZE = 200
"""So many statements a connection keeps, the latest used."""

CONNECT_TIMEOUT_SECONDS = 5.0

GRACE_SECONDS = 2.0
"""So much later than the database is to cancel a statement, a connection is left that still waits
for it: the database stands still, or cannot be reached any more.
"""

_SESSION_ENDED_ERRORS = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)

PLANNER_SETTINGS = {
    # A statement serves many values; planned for each anew it would take twice as long.
    "plan_cache_mode": "force_generic_plan",
    # A page is a few rows, and what they lead to is found by keys: to hash even a small table for
    # them costs more than to look them up in what lies in memory.
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # To remember what a key led to costs as much as to look it up once more.
    "enable_memoize": "off",
    # Else a table of fifty rows is read whole, again for each row that leads to it.
    "random_page_cost": "0.1",
    "seq_page_cost": "0.1",
}
"""How the database is to find its way for a plan."""


class ReaderConnection:
    """One connection and the statements that it keeps."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self.connection = connection
        self._statements: OrderedDict[str, PreparedStatement[Any]] = OrderedDict()

    async def fetch(self, sql: str, values: Sequence[object]) -> bytes | None:
        """The one value that the statement answers with."""
        statement = self._statements.get(sql)
        if statement is None:
            statement = self._statements[sql] = await self.connection.prepare(sql)
            if len(self._statements) > STATEMENT_CACHE_SIZE:
                self._statements.popitem(last=False)
        else:
            self._statements.move_to_end(sql)
        found: bytes | None = await statement.fetchval(*values)
        return found

    def terminate(self) -> None:
        """Close the connection at once; whoever waits for it is told that it is gone."""
        self.connection.terminate()


class ReaderPool:
    """So many connections as a role that can only read, opened when they are first needed.

    Args:
        url: of that role; where it may write, its connections are read-only all the same.
        most: connections.
        at_once: so many statements work at the same time, beside quick ones and those that take
            long.
        waiting: so many requests may wait for one.
        seconds: what takes longer is cancelled by the database; where that does not do it, the
            connection is left.

    """

    def __init__(
        self,
        url: str,
        *,
        max_connections: int,
        max_concurrent: int,
        max_waiting: int,
        statement_timeout: int,
    ) -> None:
        self._url = url
        self._max_waiting = max_waiting
        self._settings = {
            **SESSION_SETTINGS,
            **PLANNER_SETTINGS,
            "application_name": "biandan reader",
            "default_transaction_read_only": "on",
            "statement_timeout": f"{statement_timeout}s",
        }
        self._free: list[ReaderConnection | None] = [None] * max_connections
        self._semaphore = asyncio.Semaphore(max_connections)
        self._watchdog: Watchdog[ReaderConnection] = Watchdog(
            statement_timeout + GRACE_SECONDS, ReaderConnection.terminate
        )
        self._limiter, self._fast_statements = (
            ConcurrencyLimiter(max_concurrent),
            FastStatementTracker(),
        )
        self._contention_threshold = max_connections - max_concurrent
        self._waiting_count = 0

    async def fetch(self, sql: str, values: Sequence[object]) -> bytes | None:
        """What a plan answers with.

        Raises:
            Busy: too many wait already.

        """
        if self._waiting_count + self._limiter.waiting_count >= self._max_waiting:
            raise Overloaded
        if sql in self._fast_statements:
            return await self._fetch(sql, values, None)
        turn = await self._limiter.acquire()
        try:
            return await self._fetch(sql, values, turn)
        finally:
            self._limiter.release(turn)

    async def _fetch(self, sql: str, values: Sequence[object], slot: object | None) -> bytes | None:
        self._waiting_count += 1
        try:
            await self._semaphore.acquire()
        finally:
            self._waiting_count -= 1
        if slot is not None:
            self._limiter.start(slot)
        reader, sound = self._free.pop(), False
        try:
            if reader is None or reader.connection.is_closed():
                reader = ReaderConnection(await self._connect())
            alone, began = len(self._free) >= self._contention_threshold, perf_counter()
            found = await self._fetch_with_timeout(reader, sql, values)
            sound = True
            self._fast_statements.record(sql, perf_counter() - began, alone=alone)
        except asyncpg.PostgresError as error:
            # An error that the server told leaves the connection in order, unless it says good-bye.
            sound = not isinstance(error, _SESSION_ENDED_ERRORS)
            raise
        else:
            return found
        finally:
            if not sound and reader is not None:
                reader.terminate()
            self._free.append(reader)
            self._semaphore.release()

    async def _fetch_with_timeout(
        self, reader: ReaderConnection, sql: str, values: Sequence[object]
    ) -> bytes | None:
        self._watchdog.start(reader, asyncio.get_running_loop())
        try:
            return await reader.fetch(sql, values)
        finally:
            self._watchdog.stop(reader)

    async def close(self) -> None:
        """Close the connections; afterwards none may be fetched by."""
        for reader in self._free:
            if reader is not None:
                reader.terminate()
        self._free = [None] * len(self._free)

    async def _connect(self) -> "asyncpg.Connection[Any]":
        # The driver's own cache stays on: without it every statement is parsed anew on every use.
        return await asyncpg.connect(
            self._url, timeout=CONNECT_TIMEOUT_SECONDS, server_settings=self._settings
        )
