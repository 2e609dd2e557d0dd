"""Who acts, and what stands against him, remembered: the same answers as ``acting``, sooner.

What the database said stays in use while ``access_epoch`` stands, which whatever could change it
steps; what the clock says is worked out on every use. The epoch is polled. Where no poll has
succeeded for ``WINDOW_SECONDS``, nothing that is remembered may be used, for it may be over.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.access.epoch import Moment, Read, look
from registry.access.principals import Caller, Viewer
from registry.access.viewer_lookup import Facts, load_facts, viewer_at
from registry.db.session import looking
from registry.kernel.errors import AppointmentRequired, Busy, Unreachable
from registry.kernel.slru_cache import Remembered

EVERY_SECONDS = 0.5
"""How often the epoch is to be polled."""

MOMENT_SECONDS = 0.005
"""For so long a viewer once worked out serves everybody who asks as he; no deadline is so fine."""

WINDOW_SECONDS = 1.5
"""How long after the beginning of a poll its answer holds: the freshness window."""

ATTEMPTS_MAX = 3

WEIGHT_MEAN_MAX = 20
"""Of all that is remembered; a caller weighs his scopes, appointments and measures."""

_NOTHING = Facts()


@dataclass(slots=True)
class _Entry:
    """Facts, the epoch they were read under, and at which of the servers polled so far.

    Attributes:
        viewer: what they made of the caller last.
        moment: that of the poll by which the time was known then.
        at: when that was, in seconds of the clock.

    """

    facts: Facts
    epoch: int
    server: int
    viewer: Viewer | None = None
    moment: Moment | None = None
    at: float = 0.0


class Standings:
    """The viewers of the callers who asked last.

    Args:
        most: so many callers are remembered.
        clock: monotonic seconds.

    """

    def __init__(self, *, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries: Remembered[Caller, _Entry] = Remembered(most, most * WEIGHT_MEAN_MAX)
        self._clock = clock
        self._moment: Moment | None = None
        self._polled_at = float("-inf")
        self._server = 0

    @property
    def fresh(self) -> bool:
        """Whether the last good poll still holds."""
        return self._clock() - self._polled_at < WINDOW_SECONDS

    def now(self) -> datetime:
        """The registry's time: that of the last poll, and what went by since it began.

        Never behind the database's, and ahead of it by no more than that poll took. A clock that
        stands, stands.

        Raises:
            Unreachable: the last good poll holds no longer.

        """
        elapsed = self._clock() - self._polled_at
        if self._moment is None or elapsed >= WINDOW_SECONDS:
            raise Unreachable
        stands = self._moment.stands
        return self._moment.now if stands else self._moment.now + timedelta(seconds=elapsed)

    def mark(self) -> tuple[int, int]:
        """Another one as soon as a change was seen: whoever waits compares it before he answers.

        Raises:
            Unreachable: the last good poll holds no longer.

        """
        if self._moment is None or not self.fresh:
            raise Unreachable
        return self._server, self._moment.epoch

    def known(self, caller: Caller) -> Viewer | None:
        """The viewer for ``caller`` now, as far as that is remembered; None where it is not.

        Raises:
            Unreachable: the last good poll holds no longer.

        """
        if not (caller.subject or caller.client):
            return viewer_at(caller, _NOTHING, self.now())
        entry = self._entries.get(caller)
        if entry is None or not self._current(entry):
            return None
        clock = self._clock()
        if entry.moment is self._moment and 0 <= clock - entry.at < MOMENT_SECONDS and self.fresh:
            return entry.viewer
        try:
            entry.viewer = viewer_at(caller, entry.facts, self.now())
            entry.moment, entry.at = self._moment, clock
        except AppointmentRequired:
            # By the clock; ``viewer`` says it after a look at the database.
            self._entries.drop(caller)
            return None
        return entry.viewer

    async def viewer(self, caller: Caller) -> Viewer:
        """The viewer for ``caller`` now, looked up where it is not remembered.

        Raises:
            AppointmentRequired: none in force, several and none named, or one of somebody else.
            Unreachable: the last good poll holds no longer.
            Busy: what was looked up was overtaken by changes, ``ATTEMPTS_MAX`` times.

        """
        for _ in range(ATTEMPTS_MAX):
            known = self.known(caller)
            if known is not None:
                return known
            entry = await self._looked_up(caller)
            if self._current(entry):
                viewer = viewer_at(caller, entry.facts, self.now())
                self._entries.put(caller, entry, _weight(caller, entry.facts))
                return viewer
        raise Busy

    async def poll(self, read: Read) -> None:
        """Look once; a newer edition is in the gate before the new epoch counts.

        Args:
            read: answers the first row of a statement.

        """
        began = self._clock()
        moment = await look(read)
        self._moment, self._polled_at = moment, began

    def forget(self) -> None:
        """Drop what is remembered, and what is being looked up: another server answers now.

        After a fail-over it may count the same epochs and mean others.
        """
        self._server += 1
        self._entries.clear()

    def _current(self, entry: _Entry) -> bool:
        """Whether nothing was seen to change since; one read after the last poll is newer still."""
        return (
            self._moment is not None
            and entry.server == self._server
            and entry.epoch >= self._moment.epoch
        )

    async def _looked_up(self, caller: Caller) -> _Entry:
        server = self._server
        # One snapshot: the facts are those of the epoch.
        async with looking():
            moment, facts = await load_facts(caller)
            return _Entry(facts, moment.epoch, server)


def _weight(caller: Caller, facts: Facts) -> int:
    scopes = len(caller.scopes or ()) + len(facts.scopes or ())
    held = sum(1 + len(each.sanctions) + len(each.freezes) for each in facts.appointments)
    return 1 + scopes + held
