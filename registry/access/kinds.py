"""Governed kinds: the record of a kind and the facts that rules may test on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tortoise.models import Model

from registry.access.principals import NIL, Viewer


@dataclass(frozen=True, slots=True)
class Fact:
    """A named predicate of the rule book, bound to one kind of object."""

    check: Callable[[Viewer, Any], bool]  # The Python check of one loaded record.
    # The SQL condition on rows; ``{t}`` is the table's alias and ``:name`` is a bind of
    # ``Viewer.binds``. Two-valued: it never yields NULL.
    where: str
    # True when the answer does not depend on the viewer, only on the row and the clock.
    viewer_independent: bool = False
    # Alternatives that together are ``where``; along each an index leads to its rows in the orders
    # of the kind's lists. Empty where there are none.
    index_branches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of governed object."""

    name: str
    record: type[Model]
    facts: Mapping[str, Fact]  # The facts that rules about this kind may name.
    # Columns with an organisation's id, or an array of ids. These organisations are locked
    # before the object itself, so that a sanction that commits first always wins.
    organisation_columns: tuple[str, ...] = ()
    # For each ``view_*`` verb the fields it uncovers.
    masks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # How the API field ``since`` of the work list is read: the column that says since when it
    # waits.
    waiting_since_column: str = "changed_at"

    def organisations_of(self, record: object) -> list[UUID]:
        """The organisations that the record names, each once, in the order of their ids."""
        ids: set[Any] = set()
        for column in self.organisation_columns:
            value = getattr(record, column)
            ids.update(value if isinstance(value, list) else (value,))
        return sorted(ids - {None, NIL})


def any_of(check: Callable[[Viewer, Any], bool], *branches: str) -> Fact:
    """The fact that one of several conditions holds, each with an index; see ``Fact.ways``."""
    return Fact(check, " OR ".join(f"({way})" for way in branches), index_branches=branches)


def state_predicate(*states: str) -> Fact:
    """The fact «the object is in one of these states»; its column is ``state``."""
    return column_predicate("state", *states)


def column_predicate(column: str, *words: str) -> Fact:
    """The fact «the column has one of these words»; the column is never NULL."""
    wanted = frozenset(words)
    listed = ", ".join(f"'{word}'" for word in words)
    return Fact(
        check=lambda _, record: getattr(record, column) in wanted,
        where=f"{{t}}.{column} IN ({listed})",
        viewer_independent=True,
    )
