"""The moment of a request: the registry's time, and the newest rules in the gate."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.access.authorizer import authorizer
from registry.access.rulebook_store import load_edition
from registry.db.session import fetch_one

ACCESS_SNAPSHOT_SQL = """
    SELECT epoch, registry_now() AS now, reads IS NOT NULL AND since IS NULL AS stands,
        (SELECT max(version) FROM rule_edition) AS edition
    FROM access_epoch, registry_clock
"""

FetchRow = Callable[[str], Awaitable[Mapping[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class AccessSnapshot:
    """The registry as one statement saw it.

    Attributes:
        epoch: stepped by whatever changes who may do what.
        now: the registry's time.
        clock_stopped: the clock stands there; otherwise it runs.

    """

    epoch: int
    now: datetime
    clock_stopped: bool


async def read_access_snapshot(fetch_row: FetchRow = fetch_one) -> AccessSnapshot:
    """The moment, by one statement; the gate holds the newest edition afterwards.

    Args:
        fetch_row: answers the first row of a statement; where not given, on the connection of the
            current transaction.

    """
    found = await fetch_row(ACCESS_SNAPSHOT_SQL)
    if found is None:
        raise RuntimeError("the database has no clock")
    return await snapshot_from_row(found)


async def snapshot_from_row(columns: Mapping[str, Any]) -> AccessSnapshot:
    """The snapshot in a row with the columns of ``ACCESS_SNAPSHOT_SQL``; activates its edition."""
    if columns["edition"] is None:
        raise RuntimeError("the database has no edition of the rule book")
    # A reader whose snapshot is older than the gate's edition is judged by the newer one.
    if columns["edition"] > authorizer.edition.version:
        authorizer.activate_if_newer(await load_edition())
    return AccessSnapshot(columns["epoch"], columns["now"], columns["stands"])
