"""How many requests run at once, and what becomes of the others when everybody comes together.

Some run, some wait a moment, the rest are told at once to come again: what cannot be done in time
is not begun. Whoever asks after the health of the process never waits.
"""

import asyncio
from collections import deque
from collections.abc import Iterable

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.kernel.watchdog import Overdue
from server.http.errors import error_body

HEALTH = frozenset({"/healthz", "/readyz"})
PATIENCE_SECONDS = 1.0
BODY_SECONDS_MAX = 10.0

ARRIVING_MAX = 256
"""So many bodies may be on their way in; a slow sender holds one of these places and no other."""

LENGTH_DIGITS_MAX = 19

BUSY = {
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


class Arrived:
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


class Crowd:
    """Lets so many requests run, and so many more wait a second for their turn."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        running: int,
        waiting: int,
        body_bytes_max: int,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Let nobody in yet.

        Args:
            app: answers.
            running: requests at once.
            waiting: more of them.
            body_bytes_max: of a body that is longer no more is read; of one that says so, only what
                came first.
            patience: in seconds.

        """
        self._app = app
        self._body_bytes_max = body_bytes_max
        self._running_max = running
        self._waiting_max = waiting
        self._patience = patience
        self._arriving: Overdue[asyncio.Task[None]] = Overdue(BODY_SECONDS_MAX, self._give_up)
        self._late: set[asyncio.Task[None]] = set()
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when its turn comes; anything but requests passes at once."""
        if scope["type"] != "http" or scope["path"] in HEALTH:
            await self._app(scope, receive, send)
            return
        # The whole body first: a slow sender must not hold a place where requests are answered.
        arrived = await self._arrived(scope["headers"], receive)
        if isinstance(arrived, Response):
            await arrived(scope, receive, send)
        elif arrived is not None:
            if self._running < self._running_max:
                self._running += 1
            elif not await self._may_run():
                await _busy()(scope, receive, send)
                return
            try:
                await self._app(scope, arrived, send)
            finally:
                self._leave()

    async def _arrived(
        self, headers: Iterable[tuple[bytes, bytes]], receive: Receive
    ) -> Arrived | Response | None:
        """The body; a refusal; or None where the sender has gone."""
        if len(self._arriving) >= ARRIVING_MAX:
            return _busy()
        loop = asyncio.get_running_loop()
        task = _task_of(loop)
        self._arriving.begin(task, loop)
        try:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            if not message.get("more_body", False):
                return self._fitting(Arrived([message], receive))
            if self._says_too_much(headers):
                return self._too_long()
            return await self._whole(message, receive)
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            task.uncancel()
            # What still comes of it is nothing that anybody waits for.
            said = error_body(408, "The body did not arrive in time.")
            return JSONResponse(said, 408, headers={"connection": "close"})
        finally:
            self._arriving.over(task)
            self._late.discard(task)

    async def _whole(self, first: Message, receive: Receive) -> Arrived | Response | None:
        messages, message = [first], first
        read = len(first.get("body", b""))
        while message.get("more_body", False) and read <= self._body_bytes_max:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            messages.append(message)
            read += len(message.get("body", b""))
        return self._fitting(Arrived(messages, receive))

    def _fitting(self, arrived: Arrived) -> Arrived | Response:
        return arrived if len(arrived.body) <= self._body_bytes_max else self._too_long()

    def _says_too_much(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a body whose end has not come says itself that it is too long."""
        said = [value for name, value in headers if name == b"content-length"]
        return any(
            len(value) >= LENGTH_DIGITS_MAX
            or not value.isdigit()
            or int(value) > self._body_bytes_max
            for value in said
        )

    def _too_long(self) -> Response:
        """The server library's own limit would refuse in plain text."""
        said = f"Content Too Large: a body has at most {self._body_bytes_max} bytes."
        return JSONResponse(error_body(413, said), 413)

    def _give_up(self, task: asyncio.Task[None]) -> None:
        """A body takes too long."""
        self._late.add(task)
        task.cancel()

    async def _may_run(self) -> bool:
        """Whether the request's turn came in time; then somebody must ``_leave``."""
        if len(self._waiting) >= self._waiting_max:
            return False
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await asyncio.wait((turn,), timeout=self._patience)
        except asyncio.CancelledError:
            if turn.done():
                self._leave()
            raise
        finally:
            if not turn.done():
                turn.cancel()
                self._waiting.remove(turn)
        return not turn.cancelled()

    def _leave(self) -> None:
        """Give the place to whoever waits longest, or leave it free."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._running -= 1


def _task_of(loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
    # Told the loop, it does not look for it.
    task = asyncio.current_task(loop)
    assert task is not None, "a request is answered in a task of its own"
    return task


def _busy() -> Response:
    return JSONResponse(BUSY, 503, headers={"retry-after": "1"})
