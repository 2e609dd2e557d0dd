"""How many requests run at once, and what becomes of the others when everybody comes together.

Some run, some wait a moment, the rest are told at once to come again: what cannot be done in time
is not begun. Whoever asks after the health of the process never waits.
"""

import asyncio
from collections import deque
from collections.abc import Iterable

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.kernel.watchdog import Watchdog
from server.http.errors import error_body

HEALTH_PATHS = frozenset({"/healthz", "/readyz"})
QUEUE_TIMEOUT_SECONDS = 1.0
BODY_TIMEOUT_SECONDS = 10.0

MAX_BODIES_IN_FLIGHT = 256
"""So many bodies may be on their way in; a slow sender holds one of these places and no other."""

LENGTH_DIGITS_MAX = 19

OVERLOADED_RESPONSE = {
    "errors": [
        {
            "message": "The registry is busy; send the same request again.",
            "extensions": {
                "code": "BUSY",
                "messageZh": "系统繁忙,请稍后重新发送同一请求。",
                "retryable": True,
            },
        }
    ]
}


class BufferedReceive:
    """A ``receive`` that begins with a body that has arrived, for whoever reads it again.

    Attributes:
        body: the whole of it.

    """

    __slots__ = ("_messages", "_receive", "body")

    def __init__(self, messages: list[Message], receive: Receive) -> None:
        self._messages = messages
        self._receive = receive
        self.body = b"".join([message.get("body", b"") for message in messages])

    async def __call__(self) -> Message:
        """What arrived, and then what comes."""
        return self._messages.pop(0) if self._messages else await self._receive()


class LoadSheddingMiddleware:
    """Lets so many requests run, and so many more wait a second for their turn."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_concurrent: int,
        max_queued: int,
        body_bytes_max: int,
        queue_timeout: float = QUEUE_TIMEOUT_SECONDS,
    ) -> None:
        """Let nobody in yet.

        Args:
            app: answers.
            max_concurrent: requests at once.
            max_queued: more of them.
            body_bytes_max: of a body that is longer no more is read; of one that says so, only what
                came first.
            queue_timeout: in seconds.

        """
        self._app = app
        self._body_bytes_max = body_bytes_max
        self._max_concurrent = max_concurrent
        self._max_queued = max_queued
        self._queue_timeout = queue_timeout
        self._body_deadlines: Watchdog[asyncio.Task[None]] = Watchdog(
            BODY_TIMEOUT_SECONDS, self._on_body_timeout
        )
        self._timed_out: set[asyncio.Task[None]] = set()
        self._running = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when its turn comes; anything but requests passes at once."""
        if scope["type"] != "http" or scope["path"] in HEALTH_PATHS:
            await self._app(scope, receive, send)
            return
        # The whole body first: a slow sender must not hold a place where requests are answered.
        arrived = await self._buffer_body(scope["headers"], receive)
        if isinstance(arrived, Response):
            await arrived(scope, receive, send)
        elif arrived is not None:
            if self._running < self._max_concurrent:
                self._running += 1
            elif not await self._acquire_slot():
                await _overloaded_response()(scope, receive, send)
                return
            try:
                await self._app(scope, arrived, send)
            finally:
                self._release_slot()

    async def _buffer_body(
        self, headers: Iterable[tuple[bytes, bytes]], receive: Receive
    ) -> BufferedReceive | Response | None:
        """The body; a refusal; or None where the sender has gone."""
        if len(self._body_deadlines) >= MAX_BODIES_IN_FLIGHT:
            return _overloaded_response()
        loop = asyncio.get_running_loop()
        task = _current_task(loop)
        self._body_deadlines.start(task, loop)
        try:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            if not message.get("more_body", False):
                return self._within_limit(BufferedReceive([message], receive))
            if self._content_length_too_large(headers):
                return self._payload_too_large()
            return await self._read_body(message, receive)
        except asyncio.CancelledError:
            if task not in self._timed_out:
                raise
            task.uncancel()
            # What still comes of it is nothing that anybody waits for.
            said = error_body(408, "The body did not arrive in time.")
            return JSONResponse(said, 408, headers={"connection": "close"})
        finally:
            self._body_deadlines.stop(task)
            self._timed_out.discard(task)

    async def _read_body(
        self, first: Message, receive: Receive
    ) -> BufferedReceive | Response | None:
        messages, message = [first], first
        read = len(first.get("body", b""))
        while message.get("more_body", False) and read <= self._body_bytes_max:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            messages.append(message)
            read += len(message.get("body", b""))
        return self._within_limit(BufferedReceive(messages, receive))

    def _within_limit(self, arrived: BufferedReceive) -> BufferedReceive | Response:
        return arrived if len(arrived.body) <= self._body_bytes_max else self._payload_too_large()

    def _content_length_too_large(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a body whose end has not come says itself that it is too long."""
        said = [value for name, value in headers if name == b"content-length"]
        return any(
            len(value) >= LENGTH_DIGITS_MAX
            or not value.isdigit()
            or int(value) > self._body_bytes_max
            for value in said
        )

    def _payload_too_large(self) -> Response:
        """The server library's own limit would refuse in plain text."""
        said = f"Content Too Large: a body has at most {self._body_bytes_max} bytes."
        return JSONResponse(error_body(413, said), 413)

    def _on_body_timeout(self, task: asyncio.Task[None]) -> None:
        """A body takes too long."""
        self._timed_out.add(task)
        task.cancel()

    async def _acquire_slot(self) -> bool:
        """Whether the request's turn came in time; then somebody must ``_release_slot``."""
        if len(self._queue) >= self._max_queued:
            return False
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await asyncio.wait((turn,), timeout=self._queue_timeout)
        except asyncio.CancelledError:
            if turn.done():
                self._release_slot()
            raise
        finally:
            if not turn.done():
                turn.cancel()
                self._queue.remove(turn)
        return not turn.cancelled()

    def _release_slot(self) -> None:
        """Give the place to whoever waits longest, or leave it free."""
        if self._queue:
            self._queue.popleft().set_result(None)
        else:
            self._running -= 1


def _current_task(loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
    # Told the loop, it does not look for it.
    task = asyncio.current_task(loop)
    assert task is not None, "a request is answered in a task of its own"
    return task


def _overloaded_response() -> Response:
    return JSONResponse(OVERLOADED_RESPONSE, 503, headers={"retry-after": "1"})
