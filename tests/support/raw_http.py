"""HTTP by hand: requests that no client library sends, and what comes back."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.waiting import SECONDS_MAX

JSON_POST = b"POST /graphql HTTP/1.1\r\nhost: registry\r\ncontent-type: application/json\r\n"


@asynccontextmanager
async def connection(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    # A small buffer, so that a client that does not read takes little from the server.
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.setblocking(False)  # noqa: FBT003
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=client.dup())
    try:
        async with asyncio.timeout(SECONDS_MAX):
            yield reader, writer
    finally:
        writer.close()


def post(query: str, *, head: bytes = b"", path: bytes = b"/graphql") -> bytes:
    sent = json.dumps({"query": query}).encode()
    start = JSON_POST.replace(b"/graphql", path, 1)
    return start + head + b"content-length: %d\r\n\r\n%s" % (len(sent), sent)


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
    """The status and the JSON of an answer; None where it has no body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].split()[0])
    found = await reader.readexactly(length)
    return int(head.split()[1]), json.loads(found) if found.startswith(b"{") else None


async def ask(port: int, sent: bytes) -> tuple[int, Any]:
    async with connection(port) as (reader, writer):
        writer.write(sent)
        return await read_answer(reader)


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    """All bytes until the server closes the connection or resets it."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(1 << 16):
            found += chunk
    return found


async def attack(port: int, sent: bytes) -> bytes:
    """Send it all, or as much as the server takes; the answer, once the connection is closed."""
    async with connection(port) as (reader, writer):
        writer.write(sent)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        return await read_to_end(reader)


def chunked(query: str, trailers: bytes) -> bytes:
    sent = json.dumps({"query": query}).encode()
    head = JSON_POST + b"transfer-encoding: chunked\r\ntrailer: authorization\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(sent), sent, trailers)
