"""Ends what takes too long.

It is looked once a second who is late: a timer for each would cost more than what it watches.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

CHECK_INTERVAL_SECONDS = 1.0

T = TypeVar("T", bound=Hashable)


class Watchdog(Generic[T]):
    """What has begun and is not over yet.

    Args:
        seconds: so long it may take, and until the next look.
        end: ends what took longer; it is over only when that is told as well.

    """

    def __init__(self, seconds: float, on_timeout: Callable[[T], object]) -> None:
        self._seconds, self._on_timeout = seconds, on_timeout
        self._started_at: dict[T, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._started_at)

    def start(self, item: T, loop: asyncio.AbstractEventLoop) -> None:
        """From now on the time of this one runs."""
        self._started_at[item] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(CHECK_INTERVAL_SECONDS, self._check, loop)

    def stop(self, item: T) -> None:
        """It is over, in time or not."""
        del self._started_at[item]

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        latest = loop.time() - self._seconds
        for what in [what for what, began in self._started_at.items() if began <= latest]:
            self._on_timeout(what)
        again = bool(self._started_at)
        self._timer = loop.call_later(CHECK_INTERVAL_SECONDS, self._check, loop) if again else None
