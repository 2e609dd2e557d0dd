"""Ends what takes too long.

It is looked once a second who is late: a timer for each would cost more than what it watches.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

LOOK_SECONDS = 1.0

T = TypeVar("T", bound=Hashable)


class Overdue(Generic[T]):
    """What has begun and is not over yet.

    Args:
        seconds: so long it may take, and until the next look.
        end: ends what took longer; it is over only when that is told as well.

    """

    def __init__(self, seconds: float, end: Callable[[T], object]) -> None:
        self._seconds, self._end = seconds, end
        self._begun: dict[T, float] = {}
        self._next: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._begun)

    def begin(self, what: T, loop: asyncio.AbstractEventLoop) -> None:
        """From now on the time of this one runs."""
        self._begun[what] = loop.time()
        if self._next is None:
            self._next = loop.call_later(LOOK_SECONDS, self._look, loop)

    def over(self, what: T) -> None:
        """It is over, in time or not."""
        del self._begun[what]

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        latest = loop.time() - self._seconds
        for what in [what for what, began in self._begun.items() if began <= latest]:
            self._end(what)
        again = bool(self._begun)
        self._next = loop.call_later(LOOK_SECONDS, self._look, loop) if again else None
