"""The registry clock of a demonstration, moved by the owner of the tables. It never runs back."""

from datetime import datetime

import asyncpg


async def set_clock(owner: asyncpg.Connection, at: datetime) -> None:
    """Stop a clock that shows real time at ``at``; for a registry without any audit entry."""
    await owner.execute("UPDATE registry_clock SET base_time = $1 WHERE base_time IS NULL", at)


async def advance_clock(owner: asyncpg.Connection, at: datetime) -> None:
    """Move a clock that is stopped before ``at`` to ``at``; leave any other."""
    await owner.execute(
        "UPDATE registry_clock SET base_time = $1 WHERE base_time < $1 AND running_since IS NULL",
        at,
    )


async def start_clock(owner: asyncpg.Connection) -> None:
    """Let a stopped clock run on."""
    await owner.execute(
        "UPDATE registry_clock SET running_since = clock_timestamp()"
        " WHERE base_time IS NOT NULL AND running_since IS NULL"
    )


async def stop_clock(owner: asyncpg.Connection) -> None:
    """Stop a running clock at the time it shows."""
    await owner.execute(
        "UPDATE registry_clock SET base_time = registry_now(), running_since = NULL"
        " WHERE running_since IS NOT NULL"
    )
