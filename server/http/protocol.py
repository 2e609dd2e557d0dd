"""The server's protocol: quick answers in one write, and no place for who does not take his.

The server library writes head and body one after the other, and each write is a journey through
the kernel. It sets a timer after every answer and takes it back at the next request. And it lets a
request begin whose answer cannot be written, because the one before was not taken: it would keep
its place among those that run.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TAKING_SECONDS_MAX = 30.0
"""In so long something of an answer must be taken; the kernel tells of it in large steps."""

PIPELINED_MAX = 1_000
"""So many requests of a connection may wait for the one before; each weighs two kilobytes."""


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
            self._loop.call_soon(self.release)
        else:
            self._held = None
            self._pass_on(held + data)

    def close(self) -> None:
        """Close it, when everything is written."""
        self.release()
        self._transport.close()

    def release(self) -> None:
        """Write what is held back, if anything is."""
        held, self._held = self._held, None
        if held is not None:
            self._pass_on(held)

    def _pass_on(self, data: bytes) -> None:
        # Of several requests that came together only the last is told that the sender has gone.
        if not self.is_closing():
            self._write(data)


class Gathering(HttpToolsProtocol):
    """Answers HTTP as the library does, but nobody who does not take his answers.

    A connection has one timer. It is closed when it was idle for so long, and ended when nothing of
    an answer is taken any more.
    """

    _idle_since: float | None = None
    _untaken = 0
    """Bytes of answers, when the timer looked last."""

    _behind = False
    """Whether a next request waits until the answers are taken."""

    _ended = False
    """Whether the sender sends no more."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(cast("asyncio.Transport", Gathered(transport, self.loop)))

    def connection_lost(self, exc: Exception | None) -> None:
        """End it, and its timer."""
        super().connection_lost(exc)
        super()._unset_keepalive_if_required()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether the connection stays: who sends no more is still answered what he has sent."""
        cast("Gathered", self.transport).release()
        last = self.cycle
        self._ended = last is not None and not (last.more_body or last.response_complete)
        return self._ended

    def on_message_begin(self) -> None:
        """Begin to read a request; with too many before it the connection ends."""
        if len(self.pipeline) >= PIPELINED_MAX:
            # The library takes it for a fault of HTTP, answers 400 and closes.
            raise OverflowError
        super().on_message_begin()

    def on_response_complete(self) -> None:
        """Begin the next request, or to wait for it."""
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_again(self.timeout_keep_alive)
        if self._ended and not self.pipeline:
            self.transport.close()
        if self.transport.is_closing():
            return
        if self.flow.write_paused:
            self._behind = True
            self.flow.pause_reading()
        else:
            self._go_on()

    def resume_writing(self) -> None:
        """Begin what waited until the answers were taken."""
        super().resume_writing()
        if self._behind and not self.transport.is_closing():
            self._go_on()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle for so long; another is looked at again."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        untaken, before = self.transport.get_write_buffer_size(), self._untaken
        self._untaken = untaken
        if left > 0:
            self._look_again(left)
        elif 0 < untaken != before:
            self._look_again(TAKING_SECONDS_MAX)
        elif untaken:
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _go_on(self) -> None:
        self._behind = False
        self.flow.resume_reading()
        if self.pipeline:
            self._idle_since = None
            self._start_asgi_task(*self.pipeline.pop())

    def _look_again(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def _unset_keepalive_if_required(self) -> None:
        """Note that a request comes; the library would take the timer back."""
        self._idle_since = None
