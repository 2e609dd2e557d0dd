"""What stops a command of the operator, each in one sentence; whatever else is raised is a bug."""

import errno

import asyncpg

from registry.db.migrations.runner import MigrationRefused
from registry.db.session import state_of, translate
from registry.kernel.errors import Refused
from server.postgres.embedded import EmbeddedFailed
from server.settings import Unfit

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
DISK_FULL_STATE = "53100"
# Wrong password or role; no such database; the role may not do what was asked.
REFUSING_STATES = ("28", "3D000", "42501")


def sentence_of(error: BaseException) -> str | None:
    """Why it could not be done, for whoever typed it; None where nobody can mend it."""
    if isinstance(error, (Unfit, EmbeddedFailed, MigrationRefused)):
        return str(error)
    state = state_of(error)
    if state == DISK_FULL_STATE or (isinstance(error, OSError) and error.errno in FULL):
        return "The disk is full."
    if isinstance(error, OSError):
        return f"The database cannot be reached: {error}."
    if isinstance(error, asyncpg.UndefinedTableError):
        return "The database has no tables of the registry yet: run `biandan migrate` first."
    if state.startswith(REFUSING_STATES):
        return f"The database refuses: {str(error).rstrip('.')}."
    refusal = error if isinstance(error, Refused) else translate(error)
    return None if refusal is None else f"Refused ({refusal.code.value}): {refusal.message.en}"
