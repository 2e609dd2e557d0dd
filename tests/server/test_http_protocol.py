"""Head and body in one write, and nothing held back that has no second part."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.server import ServerState

from server.http import protocol
from server.http.protocol import BackpressureProtocol, CoalescingTransport
from server.http.uvicorn_server import bind, uvicorn_config
from server.settings import Settings
from tests.support.waiting import SECONDS_MAX

RESOLUTION_SECONDS = 0.002
"""Of the timers of an event loop."""


class RecordingTransport(asyncio.Transport):
    """Keeps what is written, and when it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []

    def is_closing(self) -> bool:
        return self.parts[-1:] == [b"closed"]

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_closing(), "the loop in production raises an error"
        self.parts.append(bytes(data))

    def close(self) -> None:
        self.parts.append(b"closed")


async def test_the_second_part_goes_out_with_the_first() -> None:
    written = RecordingTransport()
    gathered = CoalescingTransport(written, asyncio.get_running_loop())

    for part in (b"head", b"body", b"next head", b"next body"):
        gathered.write(part)

    assert written.parts == [b"headbody", b"next headnext body"]


async def test_a_single_part_is_flushed_in_the_next_iteration() -> None:
    written = RecordingTransport()
    gathered = CoalescingTransport(written, asyncio.get_running_loop())

    gathered.write(b"head")
    assert written.parts == []
    await asyncio.sleep(0)

    assert written.parts == [b"head"]


async def test_nothing_is_lost_by_closing() -> None:
    written = RecordingTransport()
    gathered = CoalescingTransport(written, asyncio.get_running_loop())

    gathered.write(b"head")
    gathered.close()
    await asyncio.sleep(0)

    assert written.parts == [b"head", b"closed"]


async def test_what_is_written_after_the_sender_has_gone_is_dropped() -> None:
    written = RecordingTransport()
    gathered = CoalescingTransport(written, asyncio.get_running_loop())
    gathered.write(b"head")
    written.close()

    gathered.write(b"body")
    gathered.write(b"next head")
    await asyncio.sleep(0)

    assert written.parts == [b"closed"]


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


LARGE = b"x" * 20_000_000
"""More than the kernel takes for somebody who does not."""


async def _largely(_: Request) -> Response:
    return Response(LARGE)


async def _slowly(_: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        await asyncio.sleep(0.01)
        yield b"two"

    return StreamingResponse(parts())


@asynccontextmanager
async def _connection(
    *, idle_seconds: float | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server that echoes."""
    settings = Settings(port=0)
    routes = [
        Route("/", _echo, methods=["GET", "POST"]),
        Route("/slowly", _slowly),
        Route("/largely", _largely),
    ]
    with bind(settings) as listening:
        config = uvicorn_config(Starlette(routes=routes), settings)
        config.timeout_keep_alive = idle_seconds or config.timeout_keep_alive  # type: ignore[assignment]
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        async with asyncio.timeout(SECONDS_MAX):
            yield reader, writer
        writer.close()
        server.should_exit = True
        await serving


@pytest.mark.parametrize(
    ("request_", "ends"),
    [
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"\r\n\r\n"),
        (b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n", b"\r\n\r\n"),
        (b"GET /none HTTP/1.1\r\nhost: x\r\n\r\n", b"\r\n\r\nNot Found"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc", b"\r\n\r\nabc"),
        (b"GET /slowly HTTP/1.1\r\nhost: x\r\n\r\n", b"one\r\n3\r\ntwo\r\n0\r\n\r\n"),
    ],
)
async def test_every_answer_arrives_on_a_connection_that_stays(
    request_: bytes, ends: bytes
) -> None:
    async with _connection() as (reader, writer):
        for _ in range(3):
            writer.write(request_)
            assert (await reader.readuntil(ends)).startswith(b"HTTP/1.1 ")


async def test_expect_continue_is_answered_before_the_body() -> None:
    async with _connection() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n")
        writer.write(b"content-length: 3\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"

        writer.write(b"abc")

        assert (await reader.readuntil(b"\r\n\r\nabc")).startswith(b"HTTP/1.1 200 ")


GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def test_a_connection_is_closed_when_it_was_idle_for_so_long_and_no_sooner() -> None:
    loop = asyncio.get_running_loop()
    async with _connection(idle_seconds=0.3) as (reader, writer):
        for _ in range(4):
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\n")
            answered = loop.time()
            # Together they last longer than a connection may be idle.
            await asyncio.sleep(0.1)

        assert await reader.read() == b""
        assert loop.time() - answered >= 0.3 - RESOLUTION_SECONDS


async def test_a_request_that_takes_longer_than_a_connection_may_be_idle_is_answered() -> None:
    async with _connection(idle_seconds=0.005) as (reader, writer):
        writer.write(GET + GET.replace(b"/", b"/slowly", 1))

        assert (await reader.readuntil(b"two\r\n0\r\n\r\n")).count(b"200 OK") == 2


async def test_requests_of_one_connection_share_a_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    set_, wait = [], BackpressureProtocol._rearm_timer

    def counted(self: BackpressureProtocol, seconds: float) -> None:
        set_.append(seconds)
        wait(self, seconds)

    monkeypatch.setattr(BackpressureProtocol, "_rearm_timer", counted)

    async with _connection() as (reader, writer):
        for _ in range(5):
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\n")

    assert len(set_) == 1


async def test_no_request_runs_for_a_stalled_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began, begin = [], BackpressureProtocol._start_asgi_task

    def counted(self: BackpressureProtocol, cycle: Any, app: Any) -> None:  # noqa: ANN401 - the library's
        begin(self, cycle, app)
        began.append(self)

    monkeypatch.setattr(BackpressureProtocol, "_start_asgi_task", counted)

    async with _connection() as (reader, writer):
        writer.write(GET.replace(b"/", b"/largely", 1) * 3)
        await asyncio.sleep(0.2)
        running = len(began[0].tasks), len(began)
        answers = [await _answer(reader) for _ in range(3)]

    assert running == (0, 1)
    assert answers == [LARGE] * 3


async def test_a_half_closed_client_gets_its_answers() -> None:
    async with _connection() as (reader, writer):
        writer.write(GET.replace(b"/", b"/slowly", 1) * 2 + GET)
        await reader.readuntil(b"one")
        writer.write_eof()

        assert (await reader.read()).count(b"200 OK") == 2


async def test_the_end_of_an_answer_is_written_though_the_sender_sends_no_more() -> None:
    written = RecordingTransport()
    config = uvicorn_config(Starlette(), Settings())
    config.load()
    protocol = BackpressureProtocol(config, ServerState(), {})
    protocol.connection_made(written)
    protocol.transport.write(b"0\r\n\r\n")

    assert not protocol.eof_received()
    assert written.parts == [b"0\r\n\r\n"]


async def test_a_client_that_stops_within_a_request_is_disconnected() -> None:
    async with _connection() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc")
        await asyncio.sleep(0.05)
        writer.write_eof()

        assert await reader.read() == b""


async def test_pipelined_requests_are_limited() -> None:
    most = protocol.MAX_PIPELINED_REQUESTS + 1
    async with _connection() as (reader, writer):
        writer.write(GET * most)
        for _ in range(most):
            assert await _answer(reader) == b""

        writer.write(GET * 3 * most)
        assert b" 400 Bad Request" in await reader.read()


async def test_a_stalled_client_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "WRITE_STALL_TIMEOUT", 0.05)
    async with _connection(idle_seconds=0.05) as (reader, writer):
        writer.write(GET.replace(b"/", b"/largely", 1))
        await asyncio.sleep(0.5)

        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await _answer(reader)


async def test_a_slow_client_gets_the_whole_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "WRITE_STALL_TIMEOUT", 0.05)
    async with _connection(idle_seconds=0.05) as (reader, writer):
        writer.write(GET.replace(b"/", b"/largely", 1))
        await reader.readuntil(b"\r\n\r\n")
        taken = 0
        while taken < len(LARGE):
            taken += len(await reader.read(500_000))
            await asyncio.sleep(0.005)

    assert taken == len(LARGE)


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    return await reader.readexactly(length)
