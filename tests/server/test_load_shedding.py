"""Running, queued and refused requests, with an application that a test blocks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from server.http import body
from server.http.body import BodyReader, BufferedReceive
from server.http.load_shedding import LoadSheddingMiddleware


@dataclass
class BlockingApp:
    """An application that answers when it is let go."""

    released: asyncio.Event = field(default_factory=asyncio.Event)
    started: int = 0
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 200 when let go."""
        self.started += 1
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        await self.released.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


async def ask(
    app: LoadSheddingMiddleware,
    *parts: bytes | None,
    path: str = "/graphql",
    headers: list[tuple[bytes, bytes]] | None = None,
) -> Any:  # noqa: ANN401
    """The status, headers and body of the answer; None where there is none."""
    sent: list[Message] = []
    arriving = iter(parts or (b"",))

    async def receive() -> Message:
        part = next(arriving, None)
        if part is None:
            return {"type": "http.disconnect"}
        if part == b"...":
            await asyncio.Event().wait()
        more = part != parts[-1] if parts else False
        return {"type": "http.request", "body": part, "more_body": more}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": "POST", "headers": headers or []}
    await app(scope, receive, send)
    return {**sent[0], **sent[1]} if sent else None


@pytest.fixture
async def blocking_app() -> AsyncIterator[BlockingApp]:
    application = BlockingApp()
    yield application
    application.released.set()


async def wait_until_started(number: int, blocking_app: BlockingApp) -> None:
    for _ in range(100):
        if blocking_app.started == number:
            return
        await asyncio.sleep(0)
    raise AssertionError(blocking_app.started)


async def test_some_run_some_wait_and_the_rest_are_shed(blocking_app: BlockingApp) -> None:
    app = LoadSheddingMiddleware(
        blocking_app, BodyReader(100), timeout_seconds=9, max_concurrent=2, max_queued=3
    )
    first = [asyncio.create_task(ask(app)) for _ in range(5)]
    await wait_until_started(2, blocking_app)

    refused = await ask(app)

    assert refused["status"] == 503
    assert (b"retry-after", b"1") in refused["headers"]
    assert blocking_app.started == 2
    blocking_app.released.set()
    assert [(await task)["status"] for task in first] == [200] * 5


async def test_a_request_queued_too_long_is_shed_and_the_next_runs(
    blocking_app: BlockingApp,
) -> None:
    app = LoadSheddingMiddleware(
        blocking_app,
        BodyReader(100),
        timeout_seconds=9,
        max_concurrent=1,
        max_queued=1,
        queue_timeout=0.05,
    )
    running = asyncio.create_task(ask(app))
    await wait_until_started(1, blocking_app)

    assert (await ask(app))["status"] == 503
    blocking_app.released.set()
    assert (await running)["status"] == 200
    assert (await ask(app))["status"] == 200
    assert (app.queue_length, app._bodies.in_flight) == (0, 0)


async def test_slots_are_given_in_order_of_arrival(blocking_app: BlockingApp) -> None:
    app = LoadSheddingMiddleware(
        blocking_app, BodyReader(100), timeout_seconds=9, max_concurrent=1, max_queued=3
    )
    tasks = [asyncio.create_task(ask(app, bytes([n]))) for n in range(4)]
    await wait_until_started(1, blocking_app)
    blocking_app.released.set()

    await asyncio.gather(*tasks)

    assert blocking_app.bodies == [bytes([n]) for n in range(4)]


@pytest.mark.parametrize("slot_is_free", [False, True])
async def test_a_cancelled_waiter_takes_no_slot(
    blocking_app: BlockingApp,
    slot_is_free: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    app = LoadSheddingMiddleware(
        blocking_app, BodyReader(100), timeout_seconds=9, max_concurrent=1, max_queued=1
    )
    running = asyncio.create_task(ask(app))
    await wait_until_started(1, blocking_app)
    waiting = asyncio.create_task(ask(app))
    await asyncio.sleep(0.01)

    if slot_is_free:
        blocking_app.released.set()
        await running
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    blocking_app.released.set()

    assert app.queue_length == 0
    assert (await ask(app))["status"] == 200


async def test_a_slot_is_free_again_when_the_answer_begins() -> None:
    begun, unread = asyncio.Event(), asyncio.Event()

    async def answering(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if not begun.is_set():
            begun.set()
            await unread.wait()
        await send({"type": "http.response.body", "body": b"done"})

    app = LoadSheddingMiddleware(
        answering, BodyReader(100), timeout_seconds=9, max_concurrent=1, max_queued=0
    )
    first = asyncio.create_task(ask(app))
    await begun.wait()

    assert (await ask(app))["status"] == 200
    unread.set()
    assert (await first)["body"] == b"done"


async def test_an_error_of_the_application_releases_its_slot() -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ZeroDivisionError

    app = LoadSheddingMiddleware(
        broken, BodyReader(100), timeout_seconds=9, max_concurrent=1, max_queued=1
    )

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await ask(app)


async def test_health_is_never_kept_waiting(blocking_app: BlockingApp) -> None:
    app = LoadSheddingMiddleware(
        blocking_app, BodyReader(100), timeout_seconds=9, max_concurrent=1, max_queued=0
    )
    running = asyncio.create_task(ask(app))
    await wait_until_started(1, blocking_app)
    blocking_app.released.set()

    for path in ("/healthz", "/readyz"):
        assert (await ask(app, path=path))["status"] == 200
    await running


async def test_a_slow_sender_holds_no_slot(blocking_app: BlockingApp) -> None:
    app = LoadSheddingMiddleware(
        blocking_app, BodyReader(100), timeout_seconds=0.2, max_concurrent=1, max_queued=0
    )
    slow = [asyncio.create_task(ask(app, b"...", b"")) for _ in range(9)]
    blocking_app.released.set()

    assert (await ask(app, b"{}"))["status"] == 200
    assert {(await task)["status"] for task in slow} == {408}
    assert app._bodies.in_flight == 0


async def test_a_request_that_takes_too_long_is_cancelled_and_may_be_sent_again(
    blocking_app: BlockingApp,
) -> None:
    app = LoadSheddingMiddleware(
        blocking_app, BodyReader(100), timeout_seconds=0.05, max_concurrent=1, max_queued=0
    )

    late = await ask(app)
    blocking_app.released.set()

    assert (late["status"], (b"retry-after", b"1") in late["headers"]) == (503, True)
    assert b'"TIMEOUT"' in late["body"]
    assert (await ask(app))["status"] == 200


async def test_an_answer_that_has_begun_takes_the_time_that_its_reader_takes() -> None:
    async def slow_to_read(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b"done"})

    app = LoadSheddingMiddleware(
        slow_to_read, BodyReader(100), timeout_seconds=0.05, max_concurrent=1, max_queued=0
    )

    assert (await ask(app))["body"] == b"done"


async def test_cancelling_a_request_cancels_reading_its_body(blocking_app: BlockingApp) -> None:
    app = LoadSheddingMiddleware(
        blocking_app, BodyReader(100), timeout_seconds=9, max_concurrent=1, max_queued=0
    )
    slow = asyncio.create_task(ask(app, b"...", b""))
    await asyncio.sleep(0)

    slow.cancel()

    with pytest.raises(asyncio.CancelledError):
        await slow
    assert app._bodies.in_flight == 0


async def test_one_body_too_many_in_flight_ends_the_oldest(
    blocking_app: BlockingApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "MAX_BODIES_IN_FLIGHT", 2)
    app = LoadSheddingMiddleware(
        blocking_app, BodyReader(100), timeout_seconds=9, max_concurrent=9, max_queued=9
    )
    blocking_app.released.set()
    slow = [asyncio.create_task(ask(app, b"...", b"")) for _ in range(4)]

    assert [(await task)["status"] for task in slow[:2]] == [408] * 2
    assert (await ask(app, b"{}"))["status"] == 200
    assert (await slow[2])["status"] == 408
    assert not slow[3].done()
    slow[3].cancel()


async def test_a_request_body_in_pieces_arrives_whole(blocking_app: BlockingApp) -> None:
    blocking_app.released.set()

    await ask(
        LoadSheddingMiddleware(
            blocking_app, BodyReader(100), timeout_seconds=9, max_concurrent=1, max_queued=1
        ),
        b"a",
        b"b",
        b"c",
    )

    assert blocking_app.bodies == [b"abc"]


async def test_an_incomplete_body_does_not_reach_the_application(
    blocking_app: BlockingApp,
) -> None:
    answer = await ask(
        LoadSheddingMiddleware(
            blocking_app, BodyReader(100), timeout_seconds=9, max_concurrent=1, max_queued=1
        ),
        b"a",
        None,
    )

    assert answer["status"] == 400
    assert blocking_app.started == 0


@pytest.mark.parametrize(
    "parts", [(b"x" * 101,), (b"x" * 60, b"x" * 60, b"..."), (b"", b"x" * 101)]
)
async def test_a_request_body_too_long_is_refused_in_our_words(
    blocking_app: BlockingApp, parts: tuple[bytes, ...]
) -> None:
    app = LoadSheddingMiddleware(
        blocking_app, BodyReader(100), timeout_seconds=9, max_concurrent=1, max_queued=1
    )

    said = await ask(app, *parts)

    assert said["status"] == 413
    assert b"TOO_LARGE" in said["body"]
    assert blocking_app.started == 0


@pytest.mark.parametrize("length", [b"101", b"9" * 20])
async def test_a_content_length_over_the_limit_is_refused_unread(
    blocking_app: BlockingApp, length: bytes
) -> None:
    app = LoadSheddingMiddleware(
        blocking_app, BodyReader(100), timeout_seconds=9, max_concurrent=1, max_queued=1
    )

    said = await ask(app, b"x", b"...", headers=[(b"content-length", length)])

    assert said["status"] == 413


async def test_a_buffered_body_can_be_inspected_and_replayed(blocking_app: BlockingApp) -> None:
    seen = []

    async def looking(scope: Scope, receive: Receive, send: Send) -> None:
        assert isinstance(receive, BufferedReceive)
        seen.append(receive.body)
        await blocking_app(scope, receive, send)

    blocking_app.released.set()
    await ask(
        LoadSheddingMiddleware(
            looking, BodyReader(100), timeout_seconds=9, max_concurrent=1, max_queued=1
        ),
        b"a",
        b"b",
    )

    assert (seen, blocking_app.bodies) == ([b"ab"], [b"ab"])
