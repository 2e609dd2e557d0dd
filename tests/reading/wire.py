"""Listens between a client and PostgreSQL, and tells which statements were executed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

_LENGTH = 4
_ENCRYPT = (80877103).to_bytes(4)
"""Asks whether the server would encrypt; the first message follows."""


@dataclass
class Wire:
    """What one client sends.

    Attributes:
        url: where it connects instead.
        executed: the texts of the statements, one for each execution.

    """

    url: str = ""
    executed: list[str] = field(default_factory=list)

    @property
    def queries(self) -> list[str]:
        """What was executed but for the frame of a transaction."""
        return [sql for sql in self.executed if not sql.startswith(("BEGIN", "COMMIT"))]


@asynccontextmanager
async def listen(url: str) -> AsyncIterator[Wire]:
    """A place to connect to instead of the URL's."""
    wire = Wire()
    speaking: list[asyncio.Task[None]] = []

    async def connected(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, on = await _connect(url)
        speaking.append(asyncio.create_task(_forward(far, back)))
        speaking.append(asyncio.create_task(_ProtocolReader(wire).forward(near, on)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    port = server.sockets[0].getsockname()[1]
    wire.url = f"postgresql://{user}@127.0.0.1:{port}{parts.path}"
    try:
        yield wire
    finally:
        server.close()
        for task in speaking:
            task.cancel()
        await asyncio.gather(*speaking, return_exceptions=True)


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    given = parse_qs(parts.query)
    port = given.get("port", [str(parts.port or 5432)])[0]
    folder = given.get("host", [""])[0]
    if folder.startswith("/"):
        return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
    return await asyncio.open_connection(parts.hostname, int(port))


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    async with _closing(writer):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            yield
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class _ProtocolReader:
    """Reads the messages of one client: PostgreSQL's protocol, version 3."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._statements: dict[bytes, str] = {}
        self._bound = b""

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what is sent; the first message has no letter."""
        letter = b""
        async with _closing(writer):
            while True:
                length = await reader.readexactly(_LENGTH)
                body = await reader.readexactly(int.from_bytes(length) - _LENGTH)
                self._record(letter, body)
                writer.write(letter + length + body)
                await writer.drain()
                letter = b"" if body == _ENCRYPT else await reader.readexactly(1)

    def _record(self, letter: bytes, body: bytes) -> None:
        if letter == b"Q":
            self._wire.executed.append(body.rstrip(b"\0").decode())
        elif letter == b"P":
            name, text, _ = body.split(b"\0", 2)
            self._statements[name] = text.decode()
        elif letter == b"B":
            _, self._bound, _ = body.split(b"\0", 2)
        elif letter == b"E":
            self._wire.executed.append(self._statements[self._bound])
