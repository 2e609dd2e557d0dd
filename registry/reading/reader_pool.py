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

from registry.db.session import SESSION
from registry.kernel.errors import Busy
from registry.kernel.watchdog import Overdue
from registry.reading.concurrency_limit import Quick, Turns

STATEMENTS_MAX = 200
"""So many statements a connection keeps, the latest used."""

CONNECT_SECONDS_MAX = 5.0

GRACE_SECONDS = 2.0
"""So much later than the database is to cancel a statement, a connection is left that still waits
for it: the database stands still, or cannot be reached any more.
"""

_ENDED = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)

PLANNING = {
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


class Reader:
    """One connection and the statements that it keeps."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self.connection = connection
        self._statements: OrderedDict[str, PreparedStatement[Any]] = OrderedDict()

    async def fetch(self, sql: str, values: Sequence[object]) -> bytes | None:
        """The one value that the statement answers with."""
        statement = self._statements.get(sql)
        if statement is None:
            statement = self._statements[sql] = await self.connection.prepare(sql)
            if len(self._statements) > STATEMENTS_MAX:
                self._statements.popitem(last=False)
        else:
            self._statements.move_to_end(sql)
        found: bytes | None = await statement.fetchval(*values)
        return found

    def leave(self) -> None:
        """Close the connection at once; whoever waits for it is told that it is gone."""
        self.connection.terminate()


class Readers:
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

    def __init__(self, url: str, *, most: int, at_once: int, waiting: int, seconds: int) -> None:
        self._url = url
        self._waiting_max = waiting
        self._settings = {
            **SESSION,
            **PLANNING,
            "application_name": "biandan reader",
            "default_transaction_read_only": "on",
            "statement_timeout": f"{seconds}s",
        }
        self._free: list[Reader | None] = [None] * most
        self._places = asyncio.Semaphore(most)
        self._working: Overdue[Reader] = Overdue(seconds + GRACE_SECONDS, Reader.leave)
        self._turns, self._quick = Turns(at_once), Quick()
        self._crowd = most - at_once
        self._waiting = 0

    async def fetch(self, sql: str, values: Sequence[object]) -> bytes | None:
        """What a plan answers with.

        Raises:
            Busy: too many wait already.

        """
        if self._waiting + self._turns.waiting >= self._waiting_max:
            raise Busy
        if sql in self._quick:
            return await self._fetch(sql, values, None)
        turn = await self._turns.take()
        try:
            return await self._fetch(sql, values, turn)
        finally:
            self._turns.give(turn)

    async def _fetch(self, sql: str, values: Sequence[object], turn: object | None) -> bytes | None:
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        if turn is not None:
            self._turns.begin(turn)
        reader, sound = self._free.pop(), False
        try:
            if reader is None or reader.connection.is_closed():
                reader = Reader(await self._connected())
            alone, began = len(self._free) >= self._crowd, perf_counter()
            found = await self._timed(reader, sql, values)
            sound = True
            self._quick.note(sql, perf_counter() - began, alone=alone)
        except asyncpg.PostgresError as error:
            # An error that the server told leaves the connection in order, unless it says good-bye.
            sound = not isinstance(error, _ENDED)
            raise
        else:
            return found
        finally:
            if not sound and reader is not None:
                reader.leave()
            self._free.append(reader)
            self._places.release()

    async def _timed(self, reader: Reader, sql: str, values: Sequence[object]) -> bytes | None:
        self._working.begin(reader, asyncio.get_running_loop())
        try:
            return await reader.fetch(sql, values)
        finally:
            self._working.over(reader)

    async def close(self) -> None:
        """Close the connections; afterwards none may be fetched by."""
        for reader in self._free:
            if reader is not None:
                reader.leave()
        self._free = [None] * len(self._free)

    async def _connected(self) -> "asyncpg.Connection[Any]":
        # The driver's own cache stays on: without it every statement is parsed anew on every use.
        return await asyncpg.connect(
            self._url, timeout=CONNECT_SECONDS_MAX, server_settings=self._settings
        )
