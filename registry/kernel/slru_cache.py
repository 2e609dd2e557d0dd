"""A bounded memory that a flood of new things cannot wash out."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

NEW_SHARE = 4
"""Of so many places one is for what was asked once; the others are for what was asked again."""


class Remembered(Generic[K, V]):
    """Keeps the latest used in two parts, each bounded by number and by weight.

    What is asked once stands in the small part, where the next ones push it out. Asked again it
    moves to the large part, which only things that were asked twice can fill; what is pushed out
    of there begins anew in the small part.
    """

    def __init__(self, number: int, weight: int) -> None:
        small, light = max(1, number // NEW_SHARE), max(1, weight // NEW_SHARE)
        self._new: _Part[K, V] = _Part(small, light)
        self._known: _Part[K, V] = _Part(max(1, number - small), max(1, weight - light))

    def __len__(self) -> int:
        return len(self._new.kept) + len(self._known.kept)

    def __contains__(self, key: K) -> bool:
        return key in self._known.kept or key in self._new.kept

    @property
    def weight(self) -> int:
        """Of everything that is kept."""
        return self._new.weight + self._known.weight

    def get(self, key: K) -> V | None:
        """What is kept under ``key``; from now on it counts as known."""
        found = self._known.kept.get(key)
        if found is not None:
            self._known.kept.move_to_end(key)
            return found[0]
        asked_again = self._new.take(key)
        if asked_again is None:
            return None
        for old, (value, weight) in self._known.add(key, *asked_again):
            # What is too heavy for the large part is not lost: it stays where it was.
            self._new.add(old, value, weight)
        return asked_again[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep something new, unless it is heavier than all that is new may be."""
        self.drop(key)
        self._new.add(key, value, weight)

    def drop(self, key: K) -> None:
        """Forget one key, kept or not."""
        self._known.take(key)
        self._new.take(key)

    def clear(self) -> None:
        """Forget everything."""
        for part in (self._new, self._known):
            part.kept.clear()
            part.weight = 0


class _Part(Generic[K, V]):
    """The latest used of one part, with what each weighs."""

    def __init__(self, number: int, weight: int) -> None:
        self._number_max = number
        self._weight_max = weight
        self.kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.weight = 0

    def take(self, key: K) -> tuple[V, int] | None:
        """Remove it, and say what it was."""
        found = self.kept.pop(key, None)
        if found is not None:
            self.weight -= found[1]
        return found

    def add(self, key: K, value: V, weight: int) -> list[tuple[K, tuple[V, int]]]:
        """Keep it as the latest; what had to go for it, the oldest first."""
        if weight > self._weight_max:
            return [(key, (value, weight))]
        self.kept[key] = value, weight
        self.weight += weight
        gone = []
        while len(self.kept) > self._number_max or self.weight > self._weight_max:
            old, kept = self.kept.popitem(last=False)
            self.weight -= kept[1]
            gone.append((old, kept))
        return gone
