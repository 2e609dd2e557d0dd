"""Translates database errors to refusals, by SQLSTATE and by the name of a constraint."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from policies.vocabulary import Text
from registry.db.tortoise_engine import DRIVER_ERRORS
from registry.kernel.errors import (
    DatabaseUnreachable,
    Duplicate,
    Malformed,
    NotFound,
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


def read_constraint_errors(package: str) -> ConstraintErrors:
    """The refusals of ``constraint_errors.csv`` beside the file of a package."""
    with Path(package).with_name("constraint_errors.csv").open(encoding="utf-8") as file:
        return {row["constraint"]: partial(_make_refusal, row) for row in csv.DictReader(file)}


def _make_refusal(row: Mapping[str, str]) -> Refused:
    match row["refusal"]:
        case "duplicate":
            return Duplicate(Text(row["en"], row["zh"]), field=row["field"])
        case "malformed":
            return Malformed(row["field"], row["en"], row["zh"])
    return NotFound(row["field"])


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
