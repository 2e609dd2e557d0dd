"""Turns the errors that an operator can mend into one sentence; any other error is a bug."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from registry.db.errors import DISK_FULL_SQLSTATE, sqlstate_of, to_refusal
from registry.db.migrations.runner import MigrationError
from registry.kernel.errors import Refused
from server.postgres.embedded import EmbeddedDatabaseError
from server.settings import ConfigurationError

DISK_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})
# Wrong password or role; no such database; the role may not do what was asked.
ACCESS_DENIED_SQLSTATES = ("28", "3D000", "42501")


@contextmanager
def expecting_demo(command: str) -> Iterator[None]:
    """In the block a database without tables is one that ``command`` loads; empty for any other."""
    try:
        yield
    except asyncpg.UndefinedTableError:
        if not command:
            raise
        raise ConfigurationError(
            f"That demonstration is not loaded yet: run `{command}`."
        ) from None


def operator_message(error: BaseException) -> str | None:
    """The sentence for the operator; None if the error is a bug."""
    if isinstance(error, (ConfigurationError, EmbeddedDatabaseError, MigrationError)):
        return str(error)
    state = sqlstate_of(error)
    if state == DISK_FULL_SQLSTATE or (
        isinstance(error, OSError) and error.errno in DISK_FULL_ERRNOS
    ):
        return "The disk is full."
    if isinstance(error, OSError):
        return f"The database cannot be reached: {error}."
    if isinstance(error, asyncpg.UndefinedTableError):
        return "The database has no tables of the registry yet: run `biandan migrate` first."
    if state.startswith(ACCESS_DENIED_SQLSTATES):
        return f"The database refuses: {str(error).rstrip('.')}."
    refusal = error if isinstance(error, Refused) else to_refusal(error)
    return None if refusal is None else f"Refused ({refusal.code.value}): {refusal.message.en}"
