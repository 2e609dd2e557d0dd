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

from registry.access.viewer_cache import POLL_INTERVAL_SECONDS, ViewerCache
from registry.db.session import CONNECTION_SETTINGS
from registry.kernel.statistics import STATISTICS

STATEMENT_TIMEOUT_SECONDS = 1.0
"""Of connection and statement together: what takes longer is given up and tried anew."""

POLL_TIMEOUT_SECONDS = 30.0
"""Of a poll that finds a newer edition of the rule book, which has to be loaded first."""

APPLICATION_NAME = "biandan-poll"
"""By which the database's operator tells this connection from the pool's."""

_log = structlog.get_logger()


@asynccontextmanager
async def poll_access(viewer_cache: ViewerCache, url: str) -> AsyncIterator[None]:
    """Poll while the body runs, which begins after the first good poll."""
    poller = AccessPoller(viewer_cache, url)
    await poller.poll()
    task = asyncio.create_task(poller.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        poller.disconnect()


class AccessPoller:
    """One connection, made anew whenever something went wrong with the one before."""

    def __init__(self, viewer_cache: ViewerCache, url: str) -> None:
        self._viewer_cache = viewer_cache
        self._url = url
        self._connection: asyncpg.Connection[Any] | None = None

    async def run(self) -> None:
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
            await asyncio.sleep(max(0.0, POLL_INTERVAL_SECONDS - (time.monotonic() - began)))

    async def poll(self) -> None:
        """Poll once; a new connection may lead to another server, where nothing known counts."""
        if self._connection is not None and self._connection.is_closed():
            self.disconnect()
        anew = self._connection is None
        try:
            async with asyncio.timeout(POLL_TIMEOUT_SECONDS):
                await self._viewer_cache.refresh(self._fetch_row)
            STATISTICS.note_success("access_poller")
        except BaseException:
            self.disconnect()
            raise
        if anew:
            self._viewer_cache.invalidate()

    def disconnect(self) -> None:
        """Terminate the connection at once: a stopped server would not answer a close."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _fetch_row(self, sql: str) -> dict[str, Any] | None:
        async with asyncio.timeout(STATEMENT_TIMEOUT_SECONDS):
            if self._connection is None:
                named = CONNECTION_SETTINGS | {"application_name": APPLICATION_NAME}
                self._connection = await asyncpg.connect(self._url, server_settings=named)
            record = await self._connection.fetchrow(sql)
            return None if record is None else dict(record)
