"""The server's protocol: quick answers in one write, and no place for who does not take his.

The server library writes head and body one after the other, and each write is a journey through
the kernel. It sets a timer after every answer and takes it back at the next request. And it lets a
request begin whose answer cannot be written, because the one before was not taken: it would keep
its place among those that run.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

WRITE_STALL_TIMEOUT = 30.0
"""In so long something of an answer must be taken; the kernel tells of it in large steps."""

MAX_PIPELINED_REQUESTS = 1_000
"""So many requests of a connection may wait for the one before; each weighs two kilobytes."""


class CoalescingTransport:
    """A transport that holds back a first write until the second, or until the loop's next turn.

    It stands for the transport in everything else.
    """

    __slots__ = ("_loop", "_pending", "_transport", "_write", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._pending: bytes | None = None
        # What every answer asks for is looked up once.
        self._write, self.is_closing = transport.write, transport.is_closing

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write it soon, and with what comes before the loop goes on."""
        held = self._pending
        if held is None:
            self._pending = data
            self._loop.call_soon(self.release)
        else:
            self._pending = None
            self._flush(held + data)

    def close(self) -> None:
        """Close it, when everything is written."""
        self.release()
        self._transport.close()

    def release(self) -> None:
        """Write what is held back, if anything is."""
        held, self._pending = self._pending, None
        if held is not None:
            self._flush(held)

    def _flush(self, data: bytes) -> None:
        # Of several requests that came together only the last is told that the sender has gone.
        if not self.is_closing():
            self._write(data)


class BackpressureProtocol(HttpToolsProtocol):
    """Answers HTTP as the library does, but nobody who does not take his answers.

    A connection has one timer. It is closed when it was idle for so long, and ended when nothing of
    an answer is taken any more.
    """

    _idle_since: float | None = None
    _unsent_bytes = 0
    """Bytes of answers, when the timer looked last."""

    _awaiting_drain = False
    """Whether a next request waits until the answers are taken."""

    _eof_seen = False
    """Whether the sender sends no more."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(
            cast("asyncio.Transport", CoalescingTransport(transport, self.loop))
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """End it, and its timer."""
        super().connection_lost(exc)
        super()._unset_keepalive_if_required()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether the connection stays: who sends no more is still answered what he has sent."""
        cast("CoalescingTransport", self.transport).release()
        last = self.cycle
        self._eof_seen = last is not None and not (last.more_body or last.response_complete)
        return self._eof_seen

    def on_message_begin(self) -> None:
        """Begin to read a request; with too many before it the connection ends."""
        if len(self.pipeline) >= MAX_PIPELINED_REQUESTS:
            # The library takes it for a fault of HTTP, answers 400 and closes.
            raise OverflowError
        super().on_message_begin()

    def on_response_complete(self) -> None:
        """Begin the next request, or to wait for it."""
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._rearm_timer(self.timeout_keep_alive)
        if self._eof_seen and not self.pipeline:
            self.transport.close()
        if self.transport.is_closing():
            return
        if self.flow.write_paused:
            self._awaiting_drain = True
            self.flow.pause_reading()
        else:
            self._start_next_request()

    def resume_writing(self) -> None:
        """Begin what waited until the answers were taken."""
        super().resume_writing()
        if self._awaiting_drain and not self.transport.is_closing():
            self._start_next_request()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle for so long; another is looked at again."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        untaken, before = self.transport.get_write_buffer_size(), self._unsent_bytes
        self._unsent_bytes = untaken
        if left > 0:
            self._rearm_timer(left)
        elif 0 < untaken != before:
            self._rearm_timer(WRITE_STALL_TIMEOUT)
        elif untaken:
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _start_next_request(self) -> None:
        self._awaiting_drain = False
        self.flow.resume_reading()
        if self.pipeline:
            self._idle_since = None
            self._start_asgi_task(*self.pipeline.pop())

    def _rearm_timer(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def _unset_keepalive_if_required(self) -> None:
        """Note that a request comes; the library would take the timer back."""
        self._idle_since = None
