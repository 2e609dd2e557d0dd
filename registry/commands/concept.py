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
from registry.commands.command import Operation
from registry.db.errors import ErrorTranslations
from registry.db.migrations.grants import Grants
from registry.kernel.errors import Condition

ClosingCheck = Callable[[UUID, datetime], Awaitable[Condition]]
"""Evaluated before an organisation closes; unmet while it still holds or owes something."""


@dataclass(frozen=True, slots=True)
class InvariantCheck:
    """A statement about the stored data that is always true.

    Attributes:
        name: stable snake_case word.
        claim: the statement in words.
        sql: returns the rows that violate it; a column ``account_id`` names an account to freeze.

    """

    name: str
    claim: Text
    sql: str


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Housekeeping that a serving process repeats.

    Attributes:
        name: of the work, for the log.
        find_due: the ids of the objects that are due, oldest first.
        sweep: settles one of them by a command of its own; whether it did.

    """

    name: str
    find_due: Callable[[], Awaitable[list[UUID]]]
    sweep: Callable[[UUID], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Concept:
    """A part of the registry with rules, records and operations of its own.

    Attributes:
        name: of its package in ``registry``.
        records: the module with its Tortoise models.
        kinds: the governed kinds of object.
        operations: see ``operations_of``.
        invariants: the checks of ``biandan verify`` that it adds.
        closing_checks: the reasons for which an organisation may not close.
        errors: the refusals that its constraints and functions mean.
        sweepers: its housekeeping.
        grants: the privileges of the application role on its tables and functions.

    """

    name: str
    records: ModuleType | None = None
    kinds: tuple[Kind, ...] = ()
    operations: Mapping[str, Operation[Any]] = field(default_factory=dict)
    invariants: tuple[InvariantCheck, ...] = ()
    closing_checks: tuple[ClosingCheck, ...] = ()
    errors: ErrorTranslations = field(default_factory=ErrorTranslations)
    sweepers: tuple[Sweeper, ...] = ()
    grants: Grants = field(default_factory=Grants)


def operations_of(*modules: ModuleType) -> dict[str, Operation[Any]]:
    """The operations that the modules declare, by name; imported ones are left to their own module.

    Raises:
        ValueError: two have one name.

    """
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
