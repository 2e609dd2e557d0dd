"""Keeps what a process remembers of its callers current: one statement, twice a second.

On a connection of its own, so that it does not wait behind the requests it serves.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog

from registry.access.viewer_cache import EVERY_SECONDS, Standings
from registry.db.session import SETTINGS

STATEMENT_SECONDS_MAX = 1.0
"""Of connection and statement together: what takes longer is given up and tried anew."""

EDITION_SECONDS_MAX = 30.0
"""Of a poll that finds a newer edition of the rule book, which has to be loaded first."""

APPLICATION_NAME = "biandan-poll"
"""By which the database's operator tells this connection from the pool's."""

_log = structlog.get_logger()


@asynccontextmanager
async def polling(standings: Standings, url: str) -> AsyncIterator[None]:
    """Poll while the body runs, which begins after the first good poll.

    Args:
        standings: are told what was found.
        url: the database, as the application role.

    """
    poller = _Poller(standings, url)
    await poller.poll()
    task = asyncio.create_task(poller.poll_for_ever())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        poller.hang_up()


class _Poller:
    """One connection, made anew whenever something went wrong with the one before."""

    def __init__(self, standings: Standings, url: str) -> None:
        self._standings = standings
        self._url = url
        self._connection: asyncpg.Connection[Any] | None = None

    async def poll_for_ever(self) -> None:
        """Poll every half second, the time that a poll takes included."""
        good = True
        while True:
            began = time.monotonic()
            try:
                await self.poll()
            except Exception as error:  # noqa: BLE001 - the next one may succeed; till then none is answered
                if good:
                    _log.warning("access not polled", reason=type(error).__name__)
                good = False
            else:
                if not good:
                    _log.info("access polled again")
                good = True
            await asyncio.sleep(max(0.0, EVERY_SECONDS - (time.monotonic() - began)))

    async def poll(self) -> None:
        """Poll once; a new connection may lead to another server, where nothing known counts."""
        if self._connection is not None and self._connection.is_closed():
            self.hang_up()
        anew = self._connection is None
        try:
            async with asyncio.timeout(EDITION_SECONDS_MAX):
                await self._standings.poll(self._first_row)
        except BaseException:
            self.hang_up()
            raise
        if anew:
            self._standings.forget()

    def hang_up(self) -> None:
        """Leave the connection at once: a server that stands still would not say goodbye."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _first_row(self, sql: str) -> dict[str, Any] | None:
        async with asyncio.timeout(STATEMENT_SECONDS_MAX):
            if self._connection is None:
                named = SETTINGS | {"application_name": APPLICATION_NAME}
                self._connection = await asyncpg.connect(self._url, server_settings=named)
            record = await self._connection.fetchrow(sql)
            return None if record is None else dict(record)
