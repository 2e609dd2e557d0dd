"""Numbers that a process counts about itself, for an exporter.

They are plain numbers, so counting costs next to nothing when nothing exports them.
"""

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Statistics:
    """Counters by name."""

    # Look-ups that a cache answered, by cache.
    cache_hits: Counter[str] = field(default_factory=Counter)
    cache_misses: Counter[str] = field(default_factory=Counter)  # Look-ups that it did not.
    # Times that a free connection had to be waited for, by pool.
    pool_waits: Counter[str] = field(default_factory=Counter)
    pool_wait_seconds: dict[str, float] = field(default_factory=dict)  # How long, in sum.
    # When the database last had no room, in seconds of the monotonic clock.
    disk_full_at: float = float("-inf")
    # When a background task last succeeded, by task, in seconds of the monotonic clock.
    last_success: dict[str, float] = field(default_factory=dict)

    def note_wait(self, pool: str, seconds: float) -> None:
        self.pool_waits[pool] += 1
        self.pool_wait_seconds[pool] = self.pool_wait_seconds.get(pool, 0.0) + seconds

    def note_full_disk(self) -> None:
        self.disk_full_at = time.monotonic()

    def note_success(self, task: str) -> None:
        """Note that a background task has succeeded now."""
        self.last_success[task] = time.monotonic()


STATISTICS = Statistics()
"""Those of this process."""
