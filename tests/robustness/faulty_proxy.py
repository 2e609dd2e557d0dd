"""Between application and database, and able to lose what passes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path

from server.background.access_poller import APPLICATION_NAME

CHUNK = 64 * 1024


class LostMessage(Enum):
    """The loss of a dropped connection: the request, or its response."""

    REQUEST = "request"
    ANSWER = "answer"


class Proxy:
    """Passes TCP on to a Unix socket, until the step at which it drops the connection."""

    def __init__(self, socket: Path) -> None:
        self.port = 0
        self.dropped = False
        self._socket = socket
        self._left = self._step = 0
        self._lost = LostMessage.REQUEST
        self._links: set[asyncio.StreamWriter] = set()

    def set_cut(self, step: int, lost: LostMessage) -> None:
        """Choose the request at which to drop the connection, the first being 1."""
        self._step, self._lost, self.dropped = step, lost, False

    def arm(self) -> None:
        """Count the application's requests from now on."""
        self._left = self._step

    def disarm(self) -> None:
        """Drop nothing more."""
        self._left = 0

    def abort_connections(self) -> None:
        """Drop every connection now."""
        for link in self._links:
            link.transport.abort()

    async def relay(self, application: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection, both ways, until one side ends it."""
        database, there = await asyncio.open_unix_connection(str(self._socket))
        pair = {back, there}
        self._links |= pair
        heard = asyncio.Event()
        heard.set()
        try:
            await asyncio.wait(
                {
                    asyncio.create_task(self._requests(application, there, heard)),
                    asyncio.create_task(self._answers(database, back, heard)),
                },
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._links -= pair
            for side in pair:
                side.transport.abort()

    async def _requests(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, heard: asyncio.Event
    ) -> None:
        polls = False
        with contextlib.suppress(ConnectionError):
            while chunk := await source.read(CHUNK):
                # Statements of background tasks are no step of a command.
                polls = polls or APPLICATION_NAME.encode() in chunk
                self._left -= not polls
                if self._left == 0 and not polls:
                    self.dropped = True
                    if self._lost is LostMessage.REQUEST:
                        return
                    heard.clear()
                target.write(chunk)
                await target.drain()

    async def _answers(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, heard: asyncio.Event
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await source.read(CHUNK):
                if not heard.is_set():
                    return
                target.write(chunk)
                await target.drain()


@asynccontextmanager
async def open_proxy(socket: Path) -> AsyncIterator[Proxy]:
    """A proxy on a free port of loopback."""
    proxy = Proxy(socket)
    server = await asyncio.start_server(proxy.relay, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.abort_connections()
