"""Translates database errors to refusals, by SQLSTATE and by the name of a constraint."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from policies.vocabulary import Text
from registry.db.tortoise_engine import DRIVER_ERRORS
from registry.kernel.errors import (
    DatabaseUnreachable,
    Duplicate,
    Malformed,
    Overloaded,
    Refused,
    StorageFull,
)
from registry.kernel.statistics import STATISTICS

RETRYABLE_SQLSTATES = frozenset({"40001", "40P01"})
# Statement or lock timed out, too many connections, no room: later it can do.
DISK_FULL_SQLSTATE = "53100"
OVERLOADED_SQLSTATES = RETRYABLE_SQLSTATES | {"57014", "55P03", "53300", DISK_FULL_SQLSTATE}
# Connection failed or was lost; the server stops, was killed, or starts.
CONNECTION_LOST_SQLSTATES = ("08", "57P01", "57P02", "57P03")
READ_ERRORS = (*DRIVER_ERRORS, OSError)
"""The errors of a statement that reads; see ``to_refusal``."""

ConstraintErrors = Mapping[str, Callable[[], Refused]]
"""By the name of a constraint: the refusal for a row that violates it."""
SqlstateErrors = Mapping[str, Callable[[Mapping[str, Any]], Refused]]
"""By an SQLSTATE of our own functions (class BD): the refusal, given the JSON of its DETAIL."""


@dataclass(frozen=True, slots=True)
class ErrorTranslations:
    """The errors that mean a refusal; every other constraint or state is a bug."""

    constraints: ConstraintErrors = field(default_factory=dict)
    sqlstates: SqlstateErrors = field(default_factory=dict)


class _Active:
    """The translations of this process, replaced when the database is opened."""

    translations = ErrorTranslations()


def use_translations(translations: ErrorTranslations) -> None:
    """Translate by these from now on."""
    _Active.translations = translations


def duplicate(en: str, zh: str, *, field: str = "") -> Callable[[], Refused]:
    """For a unique constraint: something like it exists already."""
    return lambda: Duplicate(Text(en, zh), field=field)


def malformed(field: str, en: str, zh: str) -> Callable[[], Refused]:
    """For a CHECK or a foreign key: the argument itself is wrong."""
    return lambda: Malformed(field, en, zh)


def bad_length(field: str, shortest: int, longest: int) -> Callable[[], Refused]:
    """For a CHECK on the length of a text."""
    return malformed(
        field,
        f"{field} has {shortest} to {longest} characters.",
        f"{field}长度为{shortest}至{longest}个字符。",
    )


def to_refusal(error: BaseException) -> Refused | None:
    """The refusal for a database error; None for a bug."""
    if isinstance(error, TimeoutError):  # No connection became free in time.
        return Overloaded()
    if _is_connection_lost(error):
        return DatabaseUnreachable()
    cause = _driver_error(error)
    if cause is None:
        return None
    if cause.sqlstate in OVERLOADED_SQLSTATES:
        return _overloaded(cause.sqlstate)
    translations = _Active.translations
    if cause.sqlstate in translations.sqlstates:
        return translations.sqlstates[cause.sqlstate](_error_detail(cause))
    make_refusal = translations.constraints.get(cause.constraint_name or "")
    return make_refusal() if make_refusal else None


def _overloaded(sqlstate: str) -> Overloaded:
    if sqlstate != DISK_FULL_SQLSTATE:
        return Overloaded()
    STATISTICS.note_full_disk()
    return StorageFull()


def sqlstate_of(error: BaseException) -> str:
    """The SQLSTATE of an error, also inside one of Tortoise's; empty where there is none."""
    cause = _driver_error(error)
    return "" if cause is None else cause.sqlstate or ""


def _is_connection_lost(error: BaseException) -> bool:
    """Whether the database is out of reach, or was in the middle of something."""
    if isinstance(error, OSError):
        return True
    # The driver trips over a session that the server ends between two statements.
    if isinstance(error, asyncpg.InternalClientError):
        return True
    # It has no class of its own for the use of a connection that ended meanwhile.
    if type(error) is asyncpg.InterfaceError:
        return "closed" in str(error) or "released" in str(error)
    return sqlstate_of(error).startswith(CONNECTION_LOST_SQLSTATES)


def _driver_error(error: BaseException | None) -> asyncpg.PostgresError | None:
    while error is not None and not isinstance(error, asyncpg.PostgresError):
        error = error.__cause__
    return error


def _error_detail(error: asyncpg.PostgresError) -> Mapping[str, Any]:
    try:
        detail = json.loads(error.detail or "{}")
    except ValueError:
        return {}
    return detail if isinstance(detail, dict) else {}
