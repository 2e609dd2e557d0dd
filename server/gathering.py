"""The server's protocol, with head and body of an answer in one write.

The server library writes them one after the other, and each write is a journey through the kernel:
a tenth of what a quick answer costs.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Gathered:
    """A transport that holds back a first write until the second, or until the loop's next turn.

    It stands for the transport in everything else.
    """

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held: bytes | None = None

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
            self._transport.write(held + data)

    def close(self) -> None:
        """Close it, when everything is written."""
        self._release()
        self._transport.close()

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._transport.write(held)


class Gathering(HttpToolsProtocol):
    """Answers HTTP as the library does."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(cast("asyncio.Transport", Gathered(transport, self.loop)))
