"""Reads request bodies whole, before anything else is done with a request."""

import asyncio
from collections.abc import Iterable

from starlette.types import Message, Receive

from policies.vocabulary import Text
from server.http.errors import ProtocolError

MAX_BODIES_IN_FLIGHT = 256
"""Maximum number of bodies that are being received. One more ends the oldest of them."""

LENGTH_DIGITS_MAX = 18


def body_timed_out() -> ProtocolError:
    """The refusal of a request whose body did not arrive in its time."""
    return ProtocolError(
        408,
        Text("The body did not arrive in time.", "请求内容未能及时送达。"),
        headers={"connection": "close"},
    )


class BufferedReceive:
    """An ASGI ``receive`` that begins with a body that has arrived.

    Attributes:
        body: all of it.

    """

    __slots__ = ("_delivered", "_receive", "body")

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._receive, self._delivered = receive, False
        self.body = body

    async def __call__(self) -> Message:
        """The body, then the server's own messages."""
        if self._delivered:
            return await self._receive()
        self._delivered = True
        return {"type": "http.request", "body": self.body, "more_body": False}


class BodyReader:
    """Reads bodies within limits of size and number.

    Args:
        max_bytes: of one body.

    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        # In order of arrival: a dictionary keeps it, and removes from the middle.
        self._deadlines: dict[asyncio.Timeout, None] = {}

    @property
    def in_flight(self) -> int:
        return len(self._deadlines)

    async def read(
        self,
        headers: Iterable[tuple[bytes, bytes]],
        receive: Receive,
        deadline: asyncio.Timeout,
    ) -> BufferedReceive:
        """The body.

        Args:
            headers: of the request.
            receive: gives the parts of the body.
            deadline: of the caller; it is brought forward where too many bodies are received.

        Raises:
            ProtocolError: 400 for a malformed or incomplete body, 413 for one over the limit.

        """
        length = self._declared_length(headers)
        self._end_oldest()
        self._deadlines[deadline] = None
        try:
            return await self._read(length, receive)
        finally:
            self._deadlines.pop(deadline, None)

    def _end_oldest(self) -> None:
        """Make room: a request that has arrived whole must not wait for one that has not."""
        if len(self._deadlines) >= MAX_BODIES_IN_FLIGHT:
            oldest = next(iter(self._deadlines))
            del self._deadlines[oldest]
            oldest.reschedule(asyncio.get_running_loop().time())

    async def _read(self, length: int | None, receive: Receive) -> BufferedReceive:
        chunks: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                # Also how the server reports a malformed chunk, on a connection that still reads.
                raise ProtocolError(
                    400,
                    Text("The body is malformed or incomplete.", "请求内容格式有误或不完整。"),
                    headers={"connection": "close"},
                )
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._max_bytes:
                raise self._too_large()
            chunks.append(chunk)
            # The server reports the end apart, which costs one more switch between threads.
            more = message.get("more_body", False) and size != length
        return BufferedReceive(b"".join(chunks), receive)

    def _declared_length(self, headers: Iterable[tuple[bytes, bytes]]) -> int | None:
        """The value of ``content-length``; the server refuses one that is malformed."""
        for name, value in headers:
            if name == b"content-length":
                if len(value) > LENGTH_DIGITS_MAX or int(value) > self._max_bytes:
                    raise self._too_large()
                return int(value)
        return None

    def _too_large(self) -> ProtocolError:
        return ProtocolError(
            413,
            Text(
                f"Content Too Large: a body has at most {self._max_bytes} bytes.",
                f"请求内容不得超过{self._max_bytes}字节。",
            ),
        )
