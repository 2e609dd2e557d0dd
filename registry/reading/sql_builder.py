"""One statement while it is written: its binds, its aliases, and the viewer's row filters.

Nothing of a request reaches the text but what was parsed into words of the schema; every value is
bound.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from registry.access.authorizer import Filter, gate
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.reading.catalog import Argument, Catalogue, Type
from registry.reading.selection import Arguments

_HOLES = re.compile(r"\{([tpj])\}|\{may (\w+)\}|(?<![:\w]):([a-z_][a-z0-9_]*)")


_PLACE = re.compile(r"\$(\d+)")


class Unplanned(Exception):
    """No plan can be made; whoever asked answers in the ordinary way."""


@dataclass(frozen=True, slots=True)
class OfViewer:
    """A bind of ``Viewer.binds``."""

    name: str

    def value(self, viewer: Mapping[str, object], _asked: Sequence[Arguments]) -> object:
        """What is bound."""
        return viewer[self.name]


@dataclass(frozen=True, slots=True)
class OfArgument:
    """A value out of one field's arguments."""

    place: int
    reads: Callable[[Arguments], object]

    def value(self, _viewer: Mapping[str, object], asked: Sequence[Arguments]) -> object:
        """What is bound.

        Raises:
            Refused: the argument is malformed.

        """
        return self.reads(asked[self.place])


Bind = OfViewer | OfArgument


@dataclass(frozen=True, slots=True)
class Scope:
    """What the holes of a face stand for.

    Attributes:
        t: the alias of the row itself.
        p: that of the row it hangs on, of the type ``parent``.
        j: that of a row it leads to.
        place: which arguments are the field's own.
        arguments: those, by their names in the face.
        sent: what they are while the plan is made; see ``Field.args``.

    """

    t: str = ""
    p: str = ""
    j: str = ""
    parent: Type | None = None
    place: int = -1
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    sent: Arguments = field(default_factory=dict)


class Statement:
    """What the parts of one statement share."""

    def __init__(self, viewer: Viewer, catalogue: Catalogue) -> None:
        self.viewer = viewer
        self.catalogue = catalogue
        self.binds: list[Bind] = []
        self.fallible = False
        self._places: dict[Hashable, str] = {}
        self._aliases = 0

    def alias(self) -> str:
        """A name that no other row of the statement has."""
        self._aliases += 1
        return f"r{self._aliases}"

    def bind(self, key: Hashable, bind: Bind) -> str:
        """The placeholder of a value; one for every ``key``."""
        if key not in self._places:
            self.binds.append(bind)
            self._places[key] = f"${len(self.binds)}"
        return self._places[key]

    def argument(self, place: int, path: Hashable, reads: Callable[[Arguments], object]) -> str:
        """The placeholder of a value out of a field's arguments; ``path`` tells it from others."""
        return self.bind((place, path), OfArgument(place, reads))

    def filled(self, face: str, scope: Scope) -> str:
        """A face with its holes filled."""

        def fill(hole: re.Match[str]) -> str:
            row, verb, name = hole.groups()
            if row:
                return {"t": scope.t, "p": scope.p, "j": scope.j}[row]
            return self._may(verb, scope) if verb else self._value(name, scope)

        return _HOLES.sub(fill, face)

    def allowed(self, kind: Kind, verb: str, alias: str) -> str:
        """The condition under which the viewer may do the verb: true, false, or the row filter."""
        found = gate.row_filter(self.viewer, kind, verb)
        if isinstance(found, Filter):
            return self.filled(found.sql, Scope(t=alias))
        return "true" if found else "false"

    def ways(self, kind: Kind, verb: str, alias: str) -> list[str]:
        """The same as several conditions, where each has an index that leads along a list."""
        found = gate.row_filter(self.viewer, kind, verb)
        if not isinstance(found, Filter) or not found.indexed:
            return [self.allowed(kind, verb, alias)]
        return [self.filled(way, Scope(t=alias)) for way in found.ways]

    def _may(self, verb: str, scope: Scope) -> str:
        assert scope.parent is not None, "only governed rows are asked what may be done"
        assert scope.parent.kind is not None, "likewise"
        return f"({self.allowed(scope.parent.kind, verb, scope.p)})"

    def _value(self, name: str, scope: Scope) -> str:
        argument = scope.arguments.get(name)
        if argument is None:
            return self.bind(name, OfViewer(name))
        if scope.sent.get(argument.name) is None:
            # The plan is kept apart for it: what depends on it is decided when it is planned.
            return "NULL"
        return self.argument(scope.place, name, argument.of)


def conjunction(*conditions: str) -> str:
    """All of them; what is always true is left out."""
    kept = [condition for condition in conditions if condition != "true"]
    return " AND ".join(kept) if kept else "true"


class Row:
    """One row of a FROM clause, and what is joined to it.

    Attributes:
        joins: the clauses.
        led: the aliases of what is joined to this very row, by what is joined and how.

    """

    def __init__(
        self, alias: str, joins: list[str] | None = None, *, standing: bool = True
    ) -> None:
        """``standing``: it is there; the root's is not, since the root is no row of anything."""
        self.alias = alias
        self.standing = standing
        self.joins: list[str] = [] if joins is None else joins
        self.led: dict[Hashable, str] = {}

    @property
    def joined(self) -> str:
        """What follows its table in the clause."""
        return "".join(self.joins)


def placed(text: str) -> tuple[str, list[int]]:
    """The text with its placeholders numbered as they come, and what each was called before.

    No literal of a statement holds a dollar: names of the API have none, nor have the rules' words.
    """
    places: dict[int, int] = {}

    def place(found: re.Match[str]) -> str:
        return f"${places.setdefault(int(found[1]), len(places) + 1)}"

    return _PLACE.sub(place, text), list(places)
