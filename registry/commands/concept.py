"""The manifest of a concept: everything that other layers must know of it.

``registry.concepts`` lists the manifests. Nothing registers itself on import: a concept that is not
listed does not exist for ``verify``, the sweeper, the grants or the translation of errors.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import Any
from uuid import UUID

from policies.vocabulary import Text
from registry.access.kinds import Kind
from registry.commands.operation import Operation
from registry.db.errors import ErrorTranslations
from registry.db.migrations.grants import Grants
from registry.kernel.errors import Condition

ClosingCheck = Callable[[UUID, datetime], Awaitable[Condition]]
"""Evaluated before an organisation closes; unmet while it still holds or owes something."""


@dataclass(frozen=True, slots=True)
class InvariantCheck:
    """A statement about the stored data that is always true."""

    name: str  # Stable snake_case word.
    claim: Text  # The statement in words.
    # Returns the rows that violate it; a column ``account_id`` names an account to freeze.
    sql: str


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Housekeeping that a serving process repeats."""

    name: str  # Of the work, for the log.
    # The ids of the objects that are due, oldest first.
    find_due: Callable[[], Awaitable[list[UUID]]]
    # Settles one of them by a command of its own; whether it did.
    sweep: Callable[[UUID], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Concept:
    """A part of the registry with rules, records and operations of its own."""

    name: str  # Of its package in ``registry``.
    records: ModuleType | None = None  # The module with its Tortoise models.
    kinds: tuple[Kind, ...] = ()  # The governed kinds of object.
    operations: Mapping[str, Operation[Any]] = field(default_factory=dict)  # See ``operations_of``.
    invariants: tuple[InvariantCheck, ...] = ()  # The checks of ``biandan verify`` that it adds.
    # The reasons for which an organisation may not close.
    closing_checks: tuple[ClosingCheck, ...] = ()
    # The refusals that its constraints and functions mean.
    errors: ErrorTranslations = field(default_factory=ErrorTranslations)
    sweepers: tuple[Sweeper, ...] = ()  # Its housekeeping.
    # The privileges of the application role on its tables and functions.
    grants: Grants = field(default_factory=Grants)


def operations_of(*modules: ModuleType) -> dict[str, Operation[Any]]:
    """The operations that the modules declare, by name; imported ones are left out."""
    operations: dict[str, Operation[Any]] = {}
    for found in _declared_in(modules):
        if found.name in operations:
            raise ValueError(f"operation {found.name} is declared twice")
        operations[found.name] = found
    return operations


def _declared_in(modules: tuple[ModuleType, ...]) -> Iterator[Operation[Any]]:
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, Operation) and value.execute.__module__ == module.__name__:
                yield value
