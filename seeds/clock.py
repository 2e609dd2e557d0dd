"""The registry clock of a demonstration, moved by the owner of the tables. It never runs back."""

from datetime import datetime

import asyncpg


async def set_clock(owner: asyncpg.Connection, at: datetime) -> None:
    """The clock, which showed real time, stands at ``at``; for a registry without any act."""
    await owner.execute("UPDATE registry_clock SET reads = $1 WHERE reads IS NULL", at)


async def advance_clock(owner: asyncpg.Connection, at: datetime) -> None:
    """A clock that stands earlier than ``at`` stands there; any other is left alone."""
    await owner.execute(
        "UPDATE registry_clock SET reads = $1 WHERE reads < $1 AND since IS NULL", at
    )


async def start_clock(owner: asyncpg.Connection) -> None:
    """A clock that stands runs on from where it stands."""
    await owner.execute(
        "UPDATE registry_clock SET since = clock_timestamp()"
        " WHERE reads IS NOT NULL AND since IS NULL"
    )


async def stop_clock(owner: asyncpg.Connection) -> None:
    """A clock that was started stands at what it shows."""
    await owner.execute(
        "UPDATE registry_clock SET reads = registry_now(), since = NULL WHERE since IS NOT NULL"
    )
