"""The moment of a request: the registry's time, and the newest rules in the gate."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.access.authorizer import gate
from registry.access.rulebook_store import load_edition
from registry.db.session import row

MOMENT = """
    SELECT epoch, registry_now() AS now, reads IS NOT NULL AND since IS NULL AS stands,
        (SELECT max(version) FROM rule_edition) AS edition
    FROM access_epoch, registry_clock
"""

Read = Callable[[str], Awaitable[Mapping[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class Moment:
    """The registry as one statement saw it.

    Attributes:
        epoch: stepped by whatever changes who may do what.
        now: the registry's time.
        stands: the clock stands there; otherwise it runs.

    """

    epoch: int
    now: datetime
    stands: bool


async def look(read: Read = row) -> Moment:
    """The moment, by one statement; the gate holds the newest edition afterwards.

    Args:
        read: answers the first row of a statement; where not given, on the connection of the
            current transaction.

    """
    found = await read(MOMENT)
    if found is None:
        raise RuntimeError("the database has no clock")
    return await moment_of(found)


async def moment_of(line: Mapping[str, Any]) -> Moment:
    """The moment of a row that has the columns of ``MOMENT``; likewise with the gate."""
    if line["edition"] is None:
        raise RuntimeError("the database has no edition of the rule book")
    # A reader whose snapshot is older than the gate's edition is judged by the newer one.
    if line["edition"] > gate.edition.version:
        gate.renew(await load_edition())
    return Moment(line["epoch"], line["now"], line["stands"])
