"""A bounded memory that a flood of new things cannot wash out."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from registry.kernel.statistics import STATISTICS

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

PROBATION_SHARE = 4
"""One part in four is the probation segment; the rest is the protected segment."""


class SegmentedLRUCache(Generic[K, V]):
    """Segmented LRU, as in memcached and Caffeine, bounded by number and by weight.

    A new key enters the probation segment. A hit moves it to the protected segment, which only
    repeated keys can fill, so a flood of new keys evicts none of them. A key evicted from the
    protected segment returns to probation.
    """

    def __init__(self, max_entries: int, max_weight: int, *, name: str = "other") -> None:
        small, light = max(1, max_entries // PROBATION_SHARE), max(1, max_weight // PROBATION_SHARE)
        self._name = name
        self._probation: _Segment[K, V] = _Segment(small, light)
        self._protected: _Segment[K, V] = _Segment(
            max(1, max_entries - small), max(1, max_weight - light)
        )

    def __len__(self) -> int:
        return len(self._probation.entries) + len(self._protected.entries)

    def __contains__(self, key: K) -> bool:
        return key in self._protected.entries or key in self._probation.entries

    @property
    def weight(self) -> int:
        return self._probation.weight + self._protected.weight

    def get(self, key: K) -> V | None:
        """The value of ``key``; a hit moves it to the protected segment."""
        found = self._protected.entries.get(key)
        if found is not None:
            STATISTICS.cache_hits[self._name] += 1
            self._protected.entries.move_to_end(key)
            return found[0]
        asked_again = self._probation.pop(key)
        if asked_again is None:
            STATISTICS.cache_misses[self._name] += 1
            return None
        STATISTICS.cache_hits[self._name] += 1
        for old, (value, weight) in self._protected.add(key, *asked_again):
            # An entry too heavy for the protected segment stays in probation.
            self._probation.add(old, value, weight)
        return asked_again[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep something new, unless it is heavier than all that is new may be."""
        self.discard(key)
        self._probation.add(key, value, weight)

    def discard(self, key: K) -> None:
        self._protected.pop(key)
        self._probation.pop(key)

    def clear(self) -> None:
        for part in (self._probation, self._protected):
            part.entries.clear()
            part.weight = 0


class _Segment(Generic[K, V]):
    """The latest used of one part, with what each weighs."""

    def __init__(self, max_entries: int, max_weight: int) -> None:
        self._max_entries = max_entries
        self._max_weight = max_weight
        self.entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.weight = 0

    def pop(self, key: K) -> tuple[V, int] | None:
        found = self.entries.pop(key, None)
        if found is not None:
            self.weight -= found[1]
        return found

    def add(self, key: K, value: V, weight: int) -> list[tuple[K, tuple[V, int]]]:
        """Keep it as the latest; what had to go for it, the oldest first."""
        if weight > self._max_weight:
            return [(key, (value, weight))]
        self.entries[key] = value, weight
        self.weight += weight
        gone = []
        while len(self.entries) > self._max_entries or self.weight > self._max_weight:
            old, kept = self.entries.popitem(last=False)
            self.weight -= kept[1]
            gone.append((old, kept))
        return gone
