"""One statement while it is written: its binds, its aliases, and the viewer's row filters.

Nothing of a request reaches the text but what was parsed into words of the schema; every value is
bound.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from registry.access.authorizer import RowFilter, authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.kernel.errors import Refused
from registry.reading.catalog import Argument, Catalog, ObjectType
from registry.reading.selection import ArgumentError, Arguments, ResponsePath, SelectedField

_PLACEHOLDERS = re.compile(r"\{([tpj])\}|\{may (\w+)\}|(?<![:\w]):([a-z_][a-z0-9_]*)")


_BIND_NUMBER = re.compile(r"\$(\d+)")


class NotPlannable(Exception):
    """No plan can be made; the caller uses resolvers."""


@dataclass(frozen=True, slots=True)
class ViewerBind:
    """A bind of ``Viewer.binds``."""

    name: str

    def value(self, viewer: Mapping[str, object], _arguments: Sequence[Arguments]) -> object:
        return viewer[self.name]


@dataclass(frozen=True, slots=True)
class ArgumentBind:
    """A value out of one field's arguments."""

    argument_index: int
    extract: Callable[[Arguments], object]
    path: ResponsePath

    def value(self, _viewer: Mapping[str, object], arguments: Sequence[Arguments]) -> object:
        try:
            return self.extract(arguments[self.argument_index])
        except Refused as error:
            raise ArgumentError(self.path, self.argument_index, error) from error


Bind = ViewerBind | ArgumentBind


@dataclass(frozen=True, slots=True)
class NameScope:
    """Values of the placeholders of a projection."""

    t: str = ""  # The alias of the row itself.
    p: str = ""  # That of the row it hangs on, of the type ``parent``.
    j: str = ""  # That of a row it leads to.
    parent: ObjectType | None = None
    argument_index: int = -1  # Which arguments are the field's own.
    # Those, by their names in the projection.
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    # Their values while the plan is made; see ``Field.args``.
    plan_arguments: Arguments = field(default_factory=dict)


class SqlBuilder:
    """State shared by the parts of one statement."""

    def __init__(self, viewer: Viewer, catalog: Catalog) -> None:
        self.viewer = viewer
        self.catalog = catalog
        self.binds: list[Bind] = []
        self._placeholders: dict[Hashable, str] = {}
        self._alias_count = 0
        self._path: ResponsePath = ()

    @contextmanager
    def compiling(self, field: SelectedField) -> Iterator[None]:
        """The block compiles this field; a refusal in it concerns the field's arguments."""
        above = self._path
        self._path = (*above, field.response_key)
        try:
            yield
        except Refused as error:
            raise ArgumentError(self._path, field.argument_index, error) from error
        finally:
            self._path = above

    @contextmanager
    def in_list(self) -> Iterator[None]:
        above = self._path
        self._path = (*above, 0)
        yield
        self._path = above

    def alias(self) -> str:
        """A name that no other row of the statement has."""
        self._alias_count += 1
        return f"r{self._alias_count}"

    def bind(self, key: Hashable, bind: Bind) -> str:
        """The placeholder of a value; one for every ``key``."""
        if key not in self._placeholders:
            self.binds.append(bind)
            self._placeholders[key] = f"${len(self.binds)}"
        return self._placeholders[key]

    def argument(
        self, argument_index: int, path: Hashable, extract: Callable[[Arguments], object]
    ) -> str:
        """The placeholder of a value out of a field's arguments; ``path`` tells it from others."""
        return self.bind((argument_index, path), ArgumentBind(argument_index, extract, self._path))

    def render(self, template: str, scope: NameScope) -> str:
        """A projection's SQL with its names replaced."""

        def fill(hole: re.Match[str]) -> str:
            row, verb, name = hole.groups()
            if row:
                return {"t": scope.t, "p": scope.p, "j": scope.j}[row]
            return self._permission_condition(verb, scope) if verb else self._bind_name(name, scope)

        return _PLACEHOLDERS.sub(fill, template)

    def row_filter(self, kind: Kind | None, verb: str, alias: str) -> str:
        """The condition under which the viewer may do the verb: true, false, or the row filter.

        A row of no kind is visible with the row it hangs on.
        """
        if kind is None:
            return "true"
        found = authorizer.row_filter(self.viewer, kind, verb)
        if isinstance(found, RowFilter):
            return self.render(found.sql, NameScope(t=alias))
        return "true" if found else "false"

    def index_branches(self, kind: Kind | None, verb: str, alias: str) -> list[str]:
        """The same as several conditions, where each has an index that leads along a list."""
        found = authorizer.row_filter(self.viewer, kind, verb) if kind else True
        if not isinstance(found, RowFilter) or not found.is_indexed:
            return [self.row_filter(kind, verb, alias)]
        return [self.render(way, NameScope(t=alias)) for way in found.disjuncts]

    def _permission_condition(self, verb: str, scope: NameScope) -> str:
        assert scope.parent is not None, "only governed rows are asked what may be done"
        assert scope.parent.kind is not None, "likewise"
        return f"({self.row_filter(scope.parent.kind, verb, scope.p)})"

    def _bind_name(self, name: str, scope: NameScope) -> str:
        argument = scope.arguments.get(name)
        if argument is None:
            return self.bind(name, ViewerBind(name))
        if scope.plan_arguments.get(argument.name) is None:
            # The plan is kept apart for it: what depends on it is decided when it is planned.
            return "NULL"
        return self.argument(scope.argument_index, name, argument.value_in)


def conjunction(*conditions: str) -> str:
    """All of them; what is always true is left out."""
    kept = [condition for condition in conditions if condition != "true"]
    return " AND ".join(kept) if kept else "true"


class RowScope:
    """One row of a FROM clause, and what is joined to it.

    Attributes:
        joined_aliases: the aliases of what is joined to this very row, by what is joined and how.

    """

    def __init__(self, alias: str, joins: list[str] | None = None, *, has_row: bool = True) -> None:
        """``has_row``: it is there; the root's is not, since the root is no row of anything."""
        self.alias = alias
        self.has_row = has_row
        self.joins: list[str] = [] if joins is None else joins
        self.joined_aliases: dict[Hashable, str] = {}

    @property
    def join_clauses(self) -> str:
        return "".join(self.joins)


def renumber_placeholders(text: str) -> tuple[str, list[int]]:
    """The text with its placeholders numbered as they come, and what each was called before.

    No literal of a statement holds a dollar: names of the API have none, nor have the rules' words.
    """
    places: dict[int, int] = {}

    def place(found: re.Match[str]) -> str:
        return f"${places.setdefault(int(found[1]), len(places) + 1)}"

    return _BIND_NUMBER.sub(place, text), list(places)
