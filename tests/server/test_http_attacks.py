"""Attacks on HTTP, by real sockets against the real server: each is bounded and harms no other."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import strawberry
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from server.app import Components, create_app
from server.graphql.handler import client_address
from server.http import granian_server
from server.http.granian_server import bind, open_server
from server.settings import Settings
from tests.schema.sample import Mutation, build_sample_schema
from tests.server.test_app import SIGNER, _nothing, build_handler
from tests.support.raw_http import (
    JSON_POST,
    ask,
    attack,
    chunked,
    connection,
    post,
    read_answer,
    read_to_end,
)

SETTINGS = Settings(port=0, max_concurrent_requests=2, max_queued_requests=64)
GET = b"GET /healthz HTTP/1.1\r\nhost: registry\r\n\r\n"
LARGE_BYTES = 4_000_000
ENDLESS = b"x" * 5_000_000
HONEST_REQUESTS = 20


@dataclass
class Requests:
    """The fields of the sample schema that were resolved."""

    resolved: list[str] = field(default_factory=list)


REQUESTS = Requests()


@strawberry.type
class Query:
    """The tests' own fields."""

    @strawberry.field(description="Subject of the caller 请求者.")
    def subject(self, info: strawberry.Info) -> str:
        """The subject that the request signed in as."""
        return str(info.context.caller.subject)

    @strawberry.field(description="Large 大.")
    def large(self) -> str:
        """More than the kernel buffers for a client that does not read."""
        REQUESTS.resolved.append("large")
        return "x" * LARGE_BYTES

    @strawberry.field(description="Echo 回声.")
    def echo(self, number: int) -> int:
        """For the order of answers."""
        REQUESTS.resolved.append(str(number))
        return number


SCHEMA = build_sample_schema(Query, Mutation)


@pytest.fixture(autouse=True)
def requests() -> Requests:
    REQUESTS.resolved.clear()
    return REQUESTS


@pytest.fixture
def limits() -> dict[str, float]:
    return {}


@pytest.fixture
def settings() -> Settings:
    return SETTINGS


@pytest.fixture
async def port(
    monkeypatch: pytest.MonkeyPatch, limits: dict[str, float], settings: Settings
) -> AsyncIterator[int]:
    for name, value in limits.items():
        monkeypatch.setattr(granian_server, name, value)
    parts = Components(settings, build_handler(settings, SCHEMA), _nothing)
    with bind(settings) as listener:
        port: int = listener.getsockname()[1]
        async with open_server(create_app(parts), settings, listener):
            yield port


async def honest_requests_are_answered(port: int) -> None:
    for number in range(HONEST_REQUESTS):
        assert await ask(port, post(f"{{ echo(number: {number}) }}")) == (
            200,
            {"data": {"echo": number}},
        )


HEADS = {
    "an endless header line": b"a: " + ENDLESS,
    "20 MB of headers": b"".join(b"h%d: %s\r\n" % (n, b"x" * 20_000) for n in range(1_000)),
    "1 000 headers": b"h: x\r\n" * 1_000 + b"\r\n",
    "an endless path": b"",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
async def test_a_head_without_end_ends_the_connection(port: int, head: bytes) -> None:
    start = JSON_POST if head else b"GET /" + ENDLESS

    answer = await attack(port, start + head)

    assert answer == b"" or answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 414 "))
    await honest_requests_are_answered(port)


MALFORMED = {
    "a folded header": JSON_POST + b"a: b\r\n c\r\n\r\n",
    "a space before the colon": JSON_POST + b"a : b\r\n\r\n",
    "two lengths": JSON_POST + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
    "a length that is none": JSON_POST + b"content-length: +3\r\n\r\nabc",
    "TLS": b"\x16\x03\x01\x02\x00\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_http_is_refused_and_the_connection_closed(port: int, sent: bytes) -> None:
    answer = await attack(port, sent)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    await honest_requests_are_answered(port)


async def test_a_length_and_chunks_together_smuggle_no_second_request(
    port: int, requests: Requests
) -> None:
    smuggled = post("{ echo(number: 1) }")
    sent = (
        JSON_POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled
    )

    answer = await attack(port, sent)

    assert answer.count(b"HTTP/1.1 ") == 1
    assert requests.resolved == []


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c", b"TLS/1.0"])
async def test_an_upgrade_with_a_body_is_answered_once(
    port: int, requests: Requests, protocol: bytes
) -> None:
    upgrade = b"connection: Upgrade\r\nupgrade: " + protocol + b"\r\n"
    async with connection(port) as (reader, writer):
        writer.write(post("{ echo(number: 1) }", head=upgrade) + post("{ echo(number: 2) }"))
        answers = [await read_answer(reader) for _ in range(2)]
        writer.write(GET)
        assert await read_answer(reader) == (200, None)

    assert [answer["data"]["echo"] for _, answer in answers] == [1, 2]
    assert requests.resolved == ["1", "2"]


async def test_credentials_in_trailers_are_ignored(port: int) -> None:
    token = SIGNER.issue_token("wang", client="test", seconds=60)
    credentials = f"authorization: Bearer {token}\r\n".encode()

    assert await ask(port, post("{ subject }", head=credentials)) == (
        200,
        {"data": {"subject": "wang"}},
    )
    assert await ask(port, chunked("{ subject }", credentials)) == (200, {"data": {"subject": ""}})


async def test_an_address_in_trailers_is_ignored() -> None:
    async def address(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await PlainTextResponse(client_address(scope))(scope, receive, send)

    settings = Settings(port=0, trusted_proxies="127.0.0.1")
    with bind(settings) as listener:
        port = listener.getsockname()[1]
        async with (
            open_server(Starlette(routes=[Mount("/", address)]), settings, listener),
            connection(port) as (reader, writer),
        ):
            writer.write(chunked("", b"x-forwarded-for: 203.0.113.9\r\n"))
            assert (await reader.readuntil(b"\r\n\r\n127.0.0.1")).startswith(b"HTTP/1.1 200 ")


async def test_trailers_without_end_end_the_connection(port: int) -> None:
    answer = await attack(port, chunked("{ subject }", b"a: " + ENDLESS))

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    await honest_requests_are_answered(port)


async def test_two_hosts_are_refused_in_both_languages(port: int) -> None:
    sent = post("{ echo(number: 1) }", head=b"host: elsewhere\r\n")

    answer = await attack(port, sent)

    head, _, found = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    extensions = json.loads(found)["errors"][0]["extensions"]
    assert (extensions["code"], extensions["retryable"]) == ("MALFORMED", False)
    assert "Host" in extensions["messageZh"]


@pytest.mark.parametrize("limits", [{"HEAD_TIMEOUT_SECONDS": 0.5}])
@pytest.mark.parametrize(
    "sent", [b"", b"POST /gra", JSON_POST, GET], ids=["silent", "line", "head", "idle"]
)
async def test_a_connection_that_sends_no_whole_head_is_closed(port: int, sent: bytes) -> None:
    began = time.monotonic()

    answer = await attack(port, sent)

    assert time.monotonic() - began >= 0.4
    assert answer.startswith(b"HTTP/1.1 200 ") is (sent == GET)


@pytest.mark.parametrize("limits", [{"HEAD_TIMEOUT_SECONDS": 0.5}])
async def test_a_head_that_comes_line_by_line_has_no_more_time(port: int) -> None:
    async with connection(port) as (reader, writer):
        writer.write(JSON_POST)

        async def drip() -> None:
            while True:
                writer.write(b"a: b\r\n")
                await asyncio.sleep(0.1)

        dripping = asyncio.create_task(drip())
        await read_to_end(reader)
        dripping.cancel()


async def test_clients_that_never_read_keep_nobody_waiting(port: int, requests: Requests) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(40):
            _, writer = await stack.enter_async_context(connection(port))
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(post("{ large }") * 20)
        while requests.resolved.count("large") < 40:
            await asyncio.sleep(0.01)

        await honest_requests_are_answered(port)

        # The rest of a connection's requests wait until its answers are read.
        assert requests.resolved.count("large") < 40 * 3


@pytest.mark.parametrize("limits", [{"WRITE_STALL_TIMEOUT_SECONDS": 1}])
async def test_a_client_that_reads_nothing_is_disconnected(port: int) -> None:
    async with connection(port) as (reader, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(post("{ large }") * 2)
        await asyncio.sleep(4)
        writer.transport.resume_reading()  # type: ignore[attr-defined]

        assert len(await read_to_end(reader)) < 2 * LARGE_BYTES


@pytest.mark.parametrize("limits", [{"WRITE_STALL_TIMEOUT_SECONDS": 1}])
async def test_a_client_that_reads_slowly_gets_the_whole_answer(port: int) -> None:
    async with connection(port) as (reader, writer):
        writer.write(post("{ large }"))
        await reader.readuntil(b"\r\n\r\n")
        read = 0
        while read < LARGE_BYTES:
            read += len(await reader.read(50_000))
            await asyncio.sleep(0.03)


async def test_pipelined_requests_are_answered_in_order(port: int, requests: Requests) -> None:
    numbers = list(range(200))
    async with connection(port) as (reader, writer):
        writer.write(b"".join(post(f"{{ echo(number: {number}) }}") for number in numbers))
        answers = [await read_answer(reader) for _ in numbers]

    assert [answer["data"]["echo"] for _, answer in answers] == numbers
    assert requests.resolved == [str(number) for number in numbers]


async def test_requests_that_have_arrived_do_not_wait_for_bodies_that_have_not(port: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(500):
            _, writer = await stack.enter_async_context(connection(port))
            writer.write(JSON_POST + b"content-length: 100\r\n\r\n{")
        await asyncio.sleep(0.2)

        await honest_requests_are_answered(port)


@pytest.mark.parametrize("settings", [SETTINGS.model_copy(update={"operation_seconds_max": 1})])
async def test_a_body_that_does_not_arrive_is_refused_in_both_languages(port: int) -> None:
    answer = await attack(port, JSON_POST + b"content-length: 100\r\n\r\n{")

    head, _, found = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    extensions = json.loads(found)["errors"][0]["extensions"]
    assert (extensions["code"], extensions["retryable"]) == ("REQUEST_TIMEOUT", True)


@pytest.mark.parametrize("chunks", [b"ZZ\r\n{}\r\n", b"1\r\n{\r\nQQ\r\n", b"f" * 20 + b"\r\n"])
async def test_a_malformed_chunk_is_refused_in_both_languages(port: int, chunks: bytes) -> None:
    answer = await attack(port, JSON_POST + b"transfer-encoding: chunked\r\n\r\n" + chunks)

    head, _, found = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    extensions = json.loads(found)["errors"][0]["extensions"]
    assert (extensions["code"], extensions["retryable"]) == ("MALFORMED", False)
    assert extensions["messageZh"]
    await honest_requests_are_answered(port)


async def test_clients_that_leave_within_a_body_leave_nothing_behind(port: int) -> None:
    for _ in range(SETTINGS.max_concurrent_requests + 1):
        async with connection(port) as (_, writer):
            writer.write(JSON_POST + b"content-length: 100\r\n\r\n{")
            await writer.drain()

    await honest_requests_are_answered(port)


async def test_a_slash_at_the_end_leads_to_the_same_answer(port: int) -> None:
    sent = post("{ echo(number: 1) }", path=b"/graphql/", head=b"x: y\r\n")

    assert await ask(port, sent) == (200, {"data": {"echo": 1}})


@pytest.mark.parametrize("path", [b"/healthz/", b"/graphql//", b"//elsewhere", b""])
async def test_nothing_is_redirected(port: int, path: bytes) -> None:
    status, _ = await ask(port, post("{ echo(number: 1) }", path=path or b"http://elsewhere/no"))

    assert status == 404


async def test_expect_continue_is_answered_before_the_body(port: int) -> None:
    whole = post("{ echo(number: 1) }", head=b"expect: 100-continue\r\n")
    head, _, sent = whole.partition(b"\r\n\r\n")
    async with connection(port) as (reader, writer):
        writer.write(head + b"\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(sent)

        assert await read_answer(reader) == (200, {"data": {"echo": 1}})
