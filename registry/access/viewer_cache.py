"""Cache of viewers: the same results as ``viewer_lookup``, without database access.

A record is valid while ``access_epoch`` is unchanged; every change of access steps the epoch. Dates
are compared with the clock on every use. The epoch is polled. If no poll has succeeded for
``FRESHNESS_SECONDS``, the cache answers nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.access.epoch import AccessSnapshot, FetchRow, read_access_snapshot
from registry.access.principals import Principal, Viewer
from registry.access.viewer_lookup import ViewerRecord, load_viewer_record, viewer_from_record
from registry.db.session import short_read_only_transaction
from registry.kernel.errors import AppointmentRequired, DatabaseUnreachable, Overloaded
from registry.kernel.slru_cache import SegmentedLRUCache

POLL_INTERVAL_SECONDS = 0.5
"""How often the epoch is to be polled."""

CLOCK_CACHE_SECONDS = 0.005
"""Reuse a resolved viewer for 5 ms. No deadline in the rules is finer than that."""

FRESHNESS_SECONDS = 1.5
"""How long after the beginning of a poll its answer holds: the freshness window."""

MAX_ATTEMPTS = 3

MAX_MEAN_WEIGHT = 20
"""Maximum mean weight of an entry: its scopes, appointments and sanctions."""

_EMPTY_RECORD = ViewerRecord()


@dataclass(slots=True)
class _CacheEntry:
    """Facts, the epoch they were read under, and at which of the servers polled so far."""

    record: ViewerRecord
    epoch: int
    server_generation: int
    viewer: Viewer | None = None
    snapshot: AccessSnapshot | None = None
    resolved_at: float = 0.0


class ViewerCache:
    """The viewers of the callers who asked last."""

    def __init__(self, *, max_entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries: SegmentedLRUCache[Principal, _CacheEntry] = SegmentedLRUCache(
            max_entries, max_entries * MAX_MEAN_WEIGHT, name="viewers"
        )
        self._clock = clock
        self._snapshot: AccessSnapshot | None = None
        self._polled_at = float("-inf")
        self._server_generation = 0

    @property
    def is_fresh(self) -> bool:
        """Whether the last good poll still holds."""
        return self._clock() - self._polled_at < FRESHNESS_SECONDS

    def now(self) -> datetime:
        """The registry's time: that of the last poll, and what went by since it began.

        Never behind the database's, and ahead of it by no more than that poll took. A stopped clock
        does not advance.
        """
        elapsed = self._clock() - self._polled_at
        if self._snapshot is None or elapsed >= FRESHNESS_SECONDS:
            raise DatabaseUnreachable
        stands = self._snapshot.clock_stopped
        return self._snapshot.now if stands else self._snapshot.now + timedelta(seconds=elapsed)

    def version(self) -> tuple[int, int]:
        """Changes with each change seen: a waiting request compares it before it answers."""
        if self._snapshot is None or not self.is_fresh:
            raise DatabaseUnreachable
        return self._server_generation, self._snapshot.epoch

    def cached(self, principal: Principal) -> Viewer | None:
        """The cached viewer for ``principal`` now; None on a cache miss."""
        if not (principal.subject or principal.client):
            return viewer_from_record(principal, _EMPTY_RECORD, self.now())
        entry = self._entries.get(principal)
        if entry is None or not self._is_current(entry):
            return None
        clock = self._clock()
        if (
            entry.snapshot is self._snapshot
            and 0 <= clock - entry.resolved_at < CLOCK_CACHE_SECONDS
            and self.is_fresh
        ):
            return entry.viewer
        try:
            entry.viewer = viewer_from_record(principal, entry.record, self.now())
            entry.snapshot, entry.resolved_at = self._snapshot, clock
        except AppointmentRequired:
            # By the clock; ``resolve`` says it after a look at the database.
            self._entries.discard(principal)
            return None
        return entry.viewer

    async def resolve(self, principal: Principal) -> Viewer:
        """The viewer for ``principal`` now, read from the database on a cache miss."""
        for _ in range(MAX_ATTEMPTS):
            known = self.cached(principal)
            if known is not None:
                return known
            entry = await self._load(principal)
            if self._is_current(entry):
                viewer = viewer_from_record(principal, entry.record, self.now())
                self._entries.put(principal, entry, _weight(principal, entry.record))
                return viewer
        raise Overloaded

    async def refresh(self, fetch_row: FetchRow) -> None:
        """Poll once; a newer edition is in force before the new epoch counts."""
        began = self._clock()
        moment = await read_access_snapshot(fetch_row)
        self._snapshot, self._polled_at = moment, began

    def invalidate(self) -> None:
        """Drop all entries and pending lookups: another server answers now.

        After a fail-over it may count the same epochs and mean others.
        """
        self._server_generation += 1
        self._entries.clear()

    def _is_current(self, entry: _CacheEntry) -> bool:
        """Whether nothing was seen to change since; one read after the last poll is newer still."""
        return (
            self._snapshot is not None
            and entry.server_generation == self._server_generation
            and entry.epoch >= self._snapshot.epoch
        )

    async def _load(self, principal: Principal) -> _CacheEntry:
        server = self._server_generation
        # One snapshot: the facts are those of the epoch.
        async with short_read_only_transaction():
            moment, facts = await load_viewer_record(principal)
            return _CacheEntry(facts, moment.epoch, server)


def _weight(principal: Principal, record: ViewerRecord) -> int:
    scopes = len(principal.scopes or ()) + len(record.scopes or ())
    held = sum(1 + len(each.sanctions) + len(each.freezes) for each in record.appointments)
    return 1 + scopes + held
