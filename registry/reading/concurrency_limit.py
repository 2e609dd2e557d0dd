"""How many statements work at once, and which of them wait for their turn."""

import asyncio
from math import inf

SLOW_STATEMENT_SECONDS = 0.02
"""Whoever works longer lets the next begin, so that a report keeps no page waiting."""

FAST_STATEMENT_SECONDS = 0.0004
"""What is read as soon as this waits for no turn: waiting would take longer."""

CONTENDED_STATEMENT_SECONDS = 0.005
"""So long what is quick may take in a crowd, which makes everything slower."""

MAX_TRACKED_STATEMENTS = 1_000
DECAY_FACTOR = 1.01
"""By so much the least time a statement took is less true, each time it takes another."""


class FastStatementTracker:
    """Which statements are quick: the least time that each took lately tells."""

    def __init__(self) -> None:
        self._min_seconds: dict[str, float] = {}

    def __contains__(self, sql: str) -> bool:
        return self._min_seconds.get(sql, inf) <= FAST_STATEMENT_SECONDS

    def record(self, sql: str, seconds: float, *, alone: bool) -> None:
        """A statement took so long, alone or in a crowd, where only what is far too long counts."""
        before = self._min_seconds.get(sql)
        if not alone and (before is None or seconds <= CONTENDED_STATEMENT_SECONDS):
            return
        if before is None and len(self._min_seconds) >= MAX_TRACKED_STATEMENTS:
            del self._min_seconds[next(iter(self._min_seconds))]
        self._min_seconds[sql] = seconds if before is None else min(seconds, before * DECAY_FACTOR)


class ConcurrencyLimiter:
    """So many at once, beside those that take long.

    More statements than the database has processors finish no sooner, and cost each other time.

    Attributes:
        waiting_count: for a turn.

    """

    def __init__(self, max_concurrent: int) -> None:
        self._semaphore = asyncio.Semaphore(max_concurrent)
        self._started_at: dict[object, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.waiting_count = 0

    async def acquire(self) -> object:
        """A turn, when it comes; it must be given back, and is not long before it has begun."""
        loop = asyncio.get_running_loop()
        if self._semaphore.locked() and self._timer is None:
            self._timer = loop.call_later(SLOW_STATEMENT_SECONDS, self._release_slow)
        self.waiting_count += 1
        try:
            await self._semaphore.acquire()
        finally:
            self.waiting_count -= 1
        turn = object()
        self._started_at[turn] = inf
        return turn

    def start(self, slot: object) -> None:
        """From now on whoever has it works."""
        self._started_at[slot] = asyncio.get_running_loop().time()

    def release(self, slot: object) -> None:
        """Give it back; one that took long is given to the next already."""
        if self._started_at.pop(slot, None) is not None:
            self._semaphore.release()

    def _release_slow(self) -> None:
        """Give the turns of those that take long to others, and look again while any wait."""
        loop = asyncio.get_running_loop()
        latest = loop.time() - SLOW_STATEMENT_SECONDS
        for turn in [turn for turn, began in self._started_at.items() if began <= latest]:
            self.release(turn)
        self._timer = (
            loop.call_later(SLOW_STATEMENT_SECONDS, self._release_slow)
            if self.waiting_count
            else None
        )
