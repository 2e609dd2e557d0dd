"""Who runs, who waits, who is told to come again: with an application that a test holds up."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from registry.kernel import watchdog
from server.http import load_shedding
from server.http.load_shedding import Arrived, Crowd


@dataclass
class Held:
    """An application that answers when it is let go."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    began: int = 0
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 200 when let go."""
        self.began += 1
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


async def ask(
    app: Crowd,
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
async def held() -> AsyncIterator[Held]:
    application = Held()
    yield application
    application.go.set()


async def settled(number: int, held: Held) -> None:
    for _ in range(100):
        if held.began == number:
            return
        await asyncio.sleep(0)
    raise AssertionError(held.began)


async def test_some_run_some_wait_and_the_rest_are_told_at_once(held: Held) -> None:
    app = Crowd(held, body_bytes_max=100, running=2, waiting=3)
    first = [asyncio.create_task(ask(app)) for _ in range(5)]
    await settled(2, held)

    refused = await ask(app)

    assert refused["status"] == 503
    assert (b"retry-after", b"1") in refused["headers"]
    assert held.began == 2
    held.go.set()
    assert [(await task)["status"] for task in first] == [200] * 5


async def test_whoever_waited_too_long_is_told_and_the_next_one_runs(held: Held) -> None:
    app = Crowd(held, body_bytes_max=100, running=1, waiting=1, patience=0.05)
    running = asyncio.create_task(ask(app))
    await settled(1, held)

    assert (await ask(app))["status"] == 503
    held.go.set()
    assert (await running)["status"] == 200
    assert (await ask(app))["status"] == 200
    assert (app._running, len(app._waiting), len(app._arriving)) == (0, 0, 0)


async def test_turns_are_taken_in_the_order_of_coming(held: Held) -> None:
    app = Crowd(held, body_bytes_max=100, running=1, waiting=3)
    tasks = [asyncio.create_task(ask(app, bytes([n]))) for n in range(4)]
    await settled(1, held)
    held.go.set()

    await asyncio.gather(*tasks)

    assert held.bodies == [bytes([n]) for n in range(4)]


@pytest.mark.parametrize("turn_came", [False, True])
async def test_whoever_gives_up_waiting_takes_no_place_along(
    held: Held,
    turn_came: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    app = Crowd(held, body_bytes_max=100, running=1, waiting=1)
    app._running = 1
    waiting = asyncio.create_task(ask(app))
    await asyncio.sleep(0.01)

    if turn_came:
        app._leave()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert len(app._waiting) == 0
    assert app._running == (0 if turn_came else 1)
    assert held.began == 0


async def test_an_error_of_the_application_gives_its_place_back() -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ZeroDivisionError

    app = Crowd(broken, body_bytes_max=100, running=1, waiting=1)

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await ask(app)


async def test_health_is_never_kept_waiting(held: Held) -> None:
    app = Crowd(held, body_bytes_max=100, running=1, waiting=0)
    running = asyncio.create_task(ask(app))
    await settled(1, held)
    held.go.set()

    for path in ("/healthz", "/readyz"):
        assert (await ask(app, path=path))["status"] == 200
    await running


async def test_a_slow_sender_holds_no_place_where_requests_are_answered(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_shedding, "BODY_SECONDS_MAX", 0.05)
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.02)
    app = Crowd(held, body_bytes_max=100, running=1, waiting=0)
    slow = [asyncio.create_task(ask(app, b"...", b"")) for _ in range(9)]
    held.go.set()

    assert (await ask(app, b"{}"))["status"] == 200
    assert {(await task)["status"] for task in slow} == {408}
    assert (len(app._arriving), len(app._late)) == (0, 0)


async def test_whoever_stops_a_request_whose_body_is_on_its_way_stops_it(held: Held) -> None:
    app = Crowd(held, body_bytes_max=100, running=1, waiting=0)
    slow = asyncio.create_task(ask(app, b"...", b""))
    await asyncio.sleep(0)

    slow.cancel()

    with pytest.raises(asyncio.CancelledError):
        await slow
    assert len(app._arriving) == 0


async def test_so_many_bodies_are_on_their_way_and_no_more(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_shedding, "BODY_SECONDS_MAX", 0.1)
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(load_shedding, "ARRIVING_MAX", 2)
    app = Crowd(held, body_bytes_max=100, running=9, waiting=9)
    slow = [asyncio.create_task(ask(app, b"...", b"")) for _ in range(2)]
    await asyncio.sleep(0)

    assert (await ask(app, b"{}"))["status"] == 503
    await asyncio.gather(*slow)


async def test_a_body_in_pieces_arrives_whole(held: Held) -> None:
    held.go.set()

    await ask(Crowd(held, body_bytes_max=100, running=1, waiting=1), b"a", b"b", b"c")

    assert held.bodies == [b"abc"]


async def test_whoever_went_away_before_his_body_came_is_not_answered(held: Held) -> None:
    assert await ask(Crowd(held, body_bytes_max=100, running=1, waiting=1), b"a", None) is None
    assert held.began == 0


@pytest.mark.parametrize(
    "parts", [(b"x" * 101,), (b"x" * 60, b"x" * 60, b"..."), (b"", b"x" * 101)]
)
async def test_a_body_too_long_is_told_in_our_words(held: Held, parts: tuple[bytes, ...]) -> None:
    app = Crowd(held, body_bytes_max=100, running=1, waiting=1)

    said = await ask(app, *parts)

    assert said["status"] == 413
    assert b"TOO_LARGE" in said["body"]
    assert held.began == 0


@pytest.mark.parametrize("length", [b"101", b"1e2", b"-1", b"", b"9" * 20])
async def test_a_body_that_says_it_is_too_long_is_not_read_to_its_end(
    held: Held, length: bytes
) -> None:
    app = Crowd(held, body_bytes_max=100, running=1, waiting=1)

    said = await ask(app, b"x", b"...", headers=[(b"content-length", length)])

    assert said["status"] == 413


async def test_whatever_has_arrived_may_be_looked_at_and_read_again(held: Held) -> None:
    seen = []

    async def looking(scope: Scope, receive: Receive, send: Send) -> None:
        assert isinstance(receive, Arrived)
        seen.append(receive.body)
        await held(scope, receive, send)

    held.go.set()
    await ask(Crowd(looking, body_bytes_max=100, running=1, waiting=1), b"a", b"b")

    assert (seen, held.bodies) == ([b"ab"], [b"ab"])
