"""What client programs may send, remembered for a moment: a change tells within a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from registry.kernel.slru_cache import Remembered
from registry.parties.persisted_queries import Sent, sent_by

FRESH_SECONDS = 1.0
REMEMBERED_MAX = 1_024
BYTES_MAX = 4_000_000
ENTRY_BYTES = 500
"""What one of them weighs beside its text."""

Key = tuple[str, str]


class Registered:
    """Looks up what a program and a hash stand for, once for all who ask at the same time."""

    def __init__(
        self,
        look_up: Callable[[str, str], Awaitable[Sent]] = sent_by,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._clock = clock
        self._known: Remembered[Key, tuple[float, Sent]] = Remembered(REMEMBERED_MAX, BYTES_MAX)
        self._asking: dict[Key, asyncio.Task[Sent]] = {}

    def known(self, client: str, sha256: str) -> Sent | None:
        """The same, as far as that is remembered; None where it is not."""
        known = self._known.get((client, sha256))
        return known[1] if known is not None and known[0] > self._clock() else None

    async def sent(self, client: str, sha256: str) -> Sent:
        """What the program's hash stands for; an empty one asks only whether it is confined.

        Raises:
            Refused: the database cannot be asked just now.

        """
        key = client, sha256
        known = self.known(client, sha256)
        if known is not None:
            return known
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._asked(key))
            asking.add_done_callback(partial(self._answered, key))
        # Whoever gives up waiting takes nothing from the others.
        return await asyncio.shield(asking)

    async def _asked(self, key: Key) -> Sent:
        until = self._clock() + FRESH_SECONDS
        sent = await self._look_up(*key)
        self._known.put(key, (until, sent), ENTRY_BYTES + len((sent.text or "").encode()))
        return sent

    def _answered(self, key: Key, asking: asyncio.Task[Sent]) -> None:
        del self._asking[key]
        if not asking.cancelled():
            asking.exception()  # Looked at, for where everybody has given up.
