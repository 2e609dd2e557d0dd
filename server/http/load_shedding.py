"""Load shedding: a bounded number of requests runs, a bounded number waits, the rest get 503.

A request has one time limit, in which it arrives and its answer begins: each timer costs as much as
finding the document.

Health checks never wait.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.body import BodyReader, body_timed_out
from server.http.errors import ProtocolError, error_response, overloaded, timed_out

HEALTH_PATHS = frozenset({"/healthz", "/readyz"})
QUEUE_TIMEOUT_SECONDS = 1.0


class LoadSheddingMiddleware:
    """Reads a request whole, then runs it when a slot is free.

    A slot is free again when the answer begins: a client that does not read its answer holds none.

    Args:
        app: answers.
        bodies: reads the bodies.
        max_concurrent: requests that run at once.
        max_queued: requests that wait for a slot.
        timeout_seconds: after which a request is cancelled and rolled back, if it is not answered.
        queue_timeout: seconds until a waiting request is refused.

    """

    def __init__(
        self,
        app: ASGIApp,
        bodies: BodyReader,
        *,
        max_concurrent: int,
        max_queued: int,
        timeout_seconds: float,
        queue_timeout: float = QUEUE_TIMEOUT_SECONDS,
    ) -> None:
        self._app, self._bodies = app, bodies
        self._slots = asyncio.Semaphore(max_concurrent)
        self._max_queued = max_queued
        self._timeout_seconds = timeout_seconds
        self._queue_timeout = queue_timeout
        self.queue_length = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it; anything but a request passes."""
        if scope["type"] != "http" or scope["path"] in HEALTH_PATHS:
            await self._app(scope, receive, send)
            return
        deadline, buffered = asyncio.timeout(self._timeout_seconds), None
        try:
            async with deadline:
                # The body first: a slow sender must not hold a slot.
                buffered = await self._bodies.read(scope["headers"], receive, deadline)
                await self._acquire_slot()
                await self._run(scope, buffered, send, deadline)
        except TimeoutError:
            if not deadline.expired():
                raise
            error = timed_out(self._timeout_seconds) if buffered else body_timed_out()
            await error_response(error)(scope, receive, send)
        except ProtocolError as error:
            await error_response(error)(scope, receive, send)

    async def _acquire_slot(self) -> None:
        """Wait for a slot, within the queue's limits.

        Raises:
            ProtocolError: 503.

        """
        if not self._slots.locked():
            await self._slots.acquire()
            return
        if self.queue_length >= self._max_queued:
            raise overloaded()
        self.queue_length += 1
        try:
            async with asyncio.timeout(self._queue_timeout):
                await self._slots.acquire()
        except TimeoutError:
            raise overloaded() from None
        finally:
            self.queue_length -= 1

    async def _run(
        self, scope: Scope, receive: Receive, send: Send, deadline: asyncio.Timeout
    ) -> None:
        holds_slot = True

        async def send_and_release(message: Message) -> None:
            nonlocal holds_slot
            if holds_slot:
                await _lift(deadline)
                holds_slot = False
                self._slots.release()
            await send(message)

        try:
            await self._app(scope, receive, send_and_release)
        finally:
            if holds_slot:
                self._slots.release()


async def _lift(deadline: asyncio.Timeout) -> None:
    """Let the answer take the time that the client takes to read it."""
    if deadline.expired():
        # The cancellation that is under way arrives here, before the answer has begun.
        await asyncio.sleep(0)
    deadline.reschedule(None)
