"""The server's protocol, with head and body of an answer in one write, and one timer a connection.

The server library writes them one after the other, and each write is a journey through the kernel:
a tenth of what a quick answer costs. It also sets a timer after every answer and takes it back at
the next request: another twentieth.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Gathered:
    """A transport that holds back a first write until the second, or until the loop's next turn.

    It stands for the transport in everything else.
    """

    __slots__ = ("_held", "_loop", "_transport", "_write", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held: bytes | None = None
        # What every answer asks for is looked up once.
        self._write, self.is_closing = transport.write, transport.is_closing

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write it soon, and with what comes before the loop goes on."""
        held = self._held
        if held is None:
            self._held = data
            self._loop.call_soon(self._release)
        else:
            self._held = None
            self._pass_on(held + data)

    def close(self) -> None:
        """Close it, when everything is written."""
        self._release()
        self._transport.close()

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._pass_on(held)

    def _pass_on(self, data: bytes) -> None:
        # Of several requests that came together only the last is told that the sender has gone.
        if not self.is_closing():
            self._write(data)


class Gathering(HttpToolsProtocol):
    """Answers HTTP as the library does."""

    _idle_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(cast("asyncio.Transport", Gathered(transport, self.loop)))

    def connection_lost(self, exc: Exception | None) -> None:
        """End it, and its timer."""
        super().connection_lost(exc)
        super()._unset_keepalive_if_required()

    def on_response_complete(self) -> None:
        """Begin the next request, or to wait for it."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_again(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle for so long; another is looked at again."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_again(left)
        else:
            super().timeout_keep_alive_handler()

    def _look_again(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def _unset_keepalive_if_required(self) -> None:
        """Note that a request comes; the library would take the timer back."""
        self._idle_since = None
