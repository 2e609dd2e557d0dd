"""What client programs may send, remembered for a moment: a change tells within a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from registry.kernel.slru_cache import SegmentedLRUCache
from registry.parties.persisted_queries import PersistedQueryLookup, lookup_persisted_query

TTL_SECONDS = 1.0
CACHE_SIZE = 1_024
CACHE_BYTES = 4_000_000
ENTRY_OVERHEAD_BYTES = 500
"""What one of them weighs beside its text."""

CacheKey = tuple[str, str]


class PersistedQueryCache:
    """Looks up what a program and a hash stand for, once for all who ask at the same time."""

    def __init__(
        self,
        look_up: Callable[[str, str], Awaitable[PersistedQueryLookup]] = lookup_persisted_query,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._clock = clock
        self._cache: SegmentedLRUCache[CacheKey, tuple[float, PersistedQueryLookup]] = (
            SegmentedLRUCache(CACHE_SIZE, CACHE_BYTES)
        )
        self._in_flight: dict[CacheKey, asyncio.Task[PersistedQueryLookup]] = {}

    def cached(self, client: str, sha256: str) -> PersistedQueryLookup | None:
        """The same, as far as that is remembered; None where it is not."""
        known = self._cache.get((client, sha256))
        return known[1] if known is not None and known[0] > self._clock() else None

    async def lookup(self, client: str, sha256: str) -> PersistedQueryLookup:
        """What the program's hash stands for; an empty one asks only whether it is confined.

        Raises:
            Refused: the database cannot be asked just now.

        """
        key = client, sha256
        known = self.cached(client, sha256)
        if known is not None:
            return known
        asking = self._in_flight.get(key)
        if asking is None:
            asking = self._in_flight[key] = asyncio.create_task(self._fetch(key))
            asking.add_done_callback(partial(self._on_fetched, key))
        # Whoever gives up waiting takes nothing from the others.
        return await asyncio.shield(asking)

    async def _fetch(self, key: CacheKey) -> PersistedQueryLookup:
        until = self._clock() + TTL_SECONDS
        sent = await self._look_up(*key)
        self._cache.put(key, (until, sent), ENTRY_OVERHEAD_BYTES + len((sent.text or "").encode()))
        return sent

    def _on_fetched(self, key: CacheKey, asking: asyncio.Task[PersistedQueryLookup]) -> None:
        del self._in_flight[key]
        if not asking.cancelled():
            asking.exception()  # Looked at, for where everybody has given up.
