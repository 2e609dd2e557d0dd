"""The moment of a request: the registry's time, and the newest rules in force."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from registry.access.authorizer import authorizer
from registry.access.rulebook_store import load_edition
from registry.db.session import fetch_one

ACCESS_SNAPSHOT_SQL = """
    SELECT epoch, reference_version, registry_now() AS now,
        base_time IS NOT NULL AND running_since IS NULL AS clock_stopped,
        (SELECT max(version) FROM rule_edition) AS edition
    FROM access_epoch, registry_clock
"""

FetchRow = Callable[[str], Awaitable[Mapping[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class AccessSnapshot:
    """The registry as one statement saw it."""

    epoch: int  # Stepped by every change of who may do what.
    reference_version: UUID  # Another one after every change of reference data.
    now: datetime
    clock_stopped: bool  # The clock shows this time until it is moved; otherwise it runs.


async def read_access_snapshot(fetch_row: FetchRow = fetch_one) -> AccessSnapshot:
    """The moment, by one statement; the newest edition is in force afterwards."""
    found = await fetch_row(ACCESS_SNAPSHOT_SQL)
    if found is None:
        raise RuntimeError("the database has no clock")
    return await snapshot_from_row(found)


async def snapshot_from_row(columns: Mapping[str, Any]) -> AccessSnapshot:
    """The snapshot in a row with the columns of an access snapshot; activates its edition."""
    if columns["edition"] is None:
        raise RuntimeError("the database has no edition of the rule book")
    # A reader whose snapshot is older than the edition in force is judged by the newer one.
    if columns["edition"] > authorizer.edition.version:
        authorizer.activate_if_newer(await load_edition())
    return AccessSnapshot(
        columns["epoch"], columns["reference_version"], columns["now"], columns["clock_stopped"]
    )
