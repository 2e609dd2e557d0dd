"""How many statements work at once, and which of them wait for their turn."""

import asyncio
from math import inf

LONG_SECONDS = 0.02
"""Whoever works longer lets the next begin, so that a report keeps no page waiting."""

QUICK_SECONDS = 0.0004
"""What is read as soon as this waits for no turn: waiting would take longer."""

CROWD_SECONDS = 0.005
"""So long what is quick may take in a crowd, which makes everything slower."""

STATEMENTS_MAX = 1_000
GROWTH = 1.01
"""By so much the least time a statement took is less true, each time it takes another."""


class Quick:
    """Which statements are quick: the least time that each took lately tells."""

    def __init__(self) -> None:
        self._least: dict[str, float] = {}

    def __contains__(self, sql: str) -> bool:
        return self._least.get(sql, inf) <= QUICK_SECONDS

    def note(self, sql: str, seconds: float, *, alone: bool) -> None:
        """A statement took so long, alone or in a crowd, where only what is far too long counts."""
        before = self._least.get(sql)
        if not alone and (before is None or seconds <= CROWD_SECONDS):
            return
        if before is None and len(self._least) >= STATEMENTS_MAX:
            del self._least[next(iter(self._least))]
        self._least[sql] = seconds if before is None else min(seconds, before * GROWTH)


class Turns:
    """So many at once, beside those that take long.

    More statements than the database has processors finish no sooner, and cost each other time.

    Attributes:
        waiting: for a turn.

    """

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._began: dict[object, float] = {}
        self._watch: asyncio.TimerHandle | None = None
        self.waiting = 0

    async def take(self) -> object:
        """A turn, when it comes; it must be given back, and is not long before it has begun."""
        loop = asyncio.get_running_loop()
        if self._places.locked() and self._watch is None:
            self._watch = loop.call_later(LONG_SECONDS, self._pass_on)
        self.waiting += 1
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1
        turn = object()
        self._began[turn] = inf
        return turn

    def begin(self, turn: object) -> None:
        """From now on whoever has it works."""
        self._began[turn] = asyncio.get_running_loop().time()

    def give(self, turn: object) -> None:
        """Give it back; one that took long is given to the next already."""
        if self._began.pop(turn, None) is not None:
            self._places.release()

    def _pass_on(self) -> None:
        """Give the turns of those that take long to others, and look again while any wait."""
        loop = asyncio.get_running_loop()
        latest = loop.time() - LONG_SECONDS
        for turn in [turn for turn, began in self._began.items() if began <= latest]:
            self.give(turn)
        self._watch = loop.call_later(LONG_SECONDS, self._pass_on) if self.waiting else None
