"""Listens between a client and PostgreSQL: the statements executed, and the waits for an answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

_LENGTH = 4
_ENCRYPT = (80877103).to_bytes(4)
"""Asks whether the server would encrypt. One byte answers it, and the first message follows."""


@dataclass
class Wire:
    """The conversation of one client.

    Attributes:
        url: where it connects instead.
        executed: the texts of the statements, one for each execution.
        round_trips: how often the server said ReadyForQuery, so that the client could go on.

    """

    url: str = ""
    executed: list[str] = field(default_factory=list)
    round_trips: int = 0

    def reset(self) -> None:
        """Begin to count anew."""
        self.executed.clear()
        self.round_trips = 0

    @property
    def queries(self) -> list[str]:
        """Executed statements without those of the transaction."""
        return [sql for sql in self.executed if not sql.startswith(("BEGIN", "COMMIT"))]


@asynccontextmanager
async def listen(url: str) -> AsyncIterator[Wire]:
    """A place to connect to instead of the URL's."""
    wire = Wire()
    speaking: list[asyncio.Task[None]] = []

    async def connected(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, on = await _connect(url)
        client = _ProtocolReader(wire)
        try:
            await client.greet(near, on, far, back)
        except (OSError, asyncio.IncompleteReadError):
            return
        speaking.append(asyncio.create_task(_forward_answers(wire, far, back)))
        speaking.append(asyncio.create_task(client.forward(near, on)))

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


async def _read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The letter of the next message, and all of it."""
    head = await reader.readexactly(1 + _LENGTH)
    body = await reader.readexactly(int.from_bytes(head[1:]) - _LENGTH)
    return head[:1], head + body


async def _forward_answers(
    wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    async with _closing(writer):
        while True:
            letter, message = await _read_message(reader)
            wire.round_trips += letter == b"Z"
            writer.write(message)
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

    async def greet(
        self,
        near: asyncio.StreamReader,
        on: asyncio.StreamWriter,
        far: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> None:
        """Pass on the first message, which has no letter, and the question that may precede it."""
        asks = True
        while asks:
            length = await near.readexactly(_LENGTH)
            body = await near.readexactly(int.from_bytes(length) - _LENGTH)
            on.write(length + body)
            asks = body == _ENCRYPT
            if asks:
                back.write(await far.readexactly(1))

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what is sent, and note it."""
        async with _closing(writer):
            while True:
                letter, message = await _read_message(reader)
                self._record(letter, message[1 + _LENGTH :])
                writer.write(message)
                await writer.drain()

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
