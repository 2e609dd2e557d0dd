"""Load shedding: a bounded number of requests runs, a bounded number waits, the rest get 503.

Health checks never wait.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.body import BodyReader
from server.http.errors import ProtocolError, error_response, overloaded

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
        queue_timeout: seconds until a waiting request is refused.

    """

    def __init__(
        self,
        app: ASGIApp,
        bodies: BodyReader,
        *,
        max_concurrent: int,
        max_queued: int,
        queue_timeout: float = QUEUE_TIMEOUT_SECONDS,
    ) -> None:
        self._app, self._bodies = app, bodies
        self._slots = asyncio.Semaphore(max_concurrent)
        self._max_queued = max_queued
        self._queue_timeout = queue_timeout
        self.queue_length = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it; anything but a request passes."""
        if scope["type"] != "http" or scope["path"] in HEALTH_PATHS:
            await self._app(scope, receive, send)
            return
        try:
            # The body first: a slow sender must not hold a slot.
            buffered = await self._bodies.read(scope["headers"], receive)
            await self._acquire_slot()
        except ProtocolError as error:
            await error_response(error)(scope, receive, send)
            return
        await self._run(scope, buffered, send)

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

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        holds_slot = True

        def release() -> None:
            nonlocal holds_slot
            if holds_slot:
                holds_slot = False
                self._slots.release()

        async def send_and_release(message: Message) -> None:
            release()
            await send(message)

        try:
            await self._app(scope, receive, send_and_release)
        finally:
            release()
