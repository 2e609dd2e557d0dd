"""How the API's fields are read from rows: the SQL face of each, beside what computes it.

In a face ``{t}`` stands for the alias of the row the field belongs to, ``{p}`` for that of the row
a list hangs on, ``{j}`` for that of the row it is read ``by``, ``:name`` for an argument of the
field or a bind of ``Viewer.binds``, and ``{may verb}`` for the rows of ``{p}`` on which the viewer
may do the verb. A face knows nothing of the API's types: those say in which form its value is shown
and what it may be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from registry.access.principals import Viewer


@dataclass(frozen=True, slots=True)
class Shown:
    """A value of the row.

    Attributes:
        sql: the expression; NULL is shown as null.
        scale: of a quantity, the expression of its decimals; ``sql`` then counts base units.
        names: of an identifier, the kind of object, or the expression of it; ``sql`` is its key.
        json: ``sql`` is the text of a JSON value already, and never NULL.
        plain: of a text, there is nothing in it that needs an escape; the database sees to it.
        by: what else it is read from; of a type that everybody sees.

    """

    sql: str
    scale: str = ""
    names: str = ""
    json: bool = False
    plain: bool = False
    by: "Led | None" = None


@dataclass(frozen=True, slots=True)
class Known:
    """A value that follows from who asks, by what a plan is kept apart for: no row is read."""

    value: Callable[[Viewer], object]


@dataclass(frozen=True, slots=True)
class Led:
    """The one other object that the row leads to, where the viewer may see it.

    Attributes:
        key: the expression that names it; NULL for none.
        on: the column of its table that the key is compared with.
        to: the type, where the API's field may lead to several and the row to this one only.
        kind: the expression of the word for its kind, where each row may lead elsewhere.
        joined: the alias of its row, where the list that the row is of has joined it.

    """

    key: str
    on: str = "id"
    to: str = ""
    kind: str = ""
    joined: str = ""


@dataclass(frozen=True, slots=True)
class Through:
    """A value of the object that ``led`` leads to; null where it may not be seen."""

    led: Led
    shown: Shown


@dataclass(frozen=True, slots=True)
class Within:
    """An object that is made of the same row."""

    fields: Mapping[str, "Face"]


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows that hang on the row.

    Attributes:
        rows: a table, or a subselect in brackets.
        joins: what is joined to them, under aliases that begin with ``{t}``.
        where: which of them.
        order: what stands after ORDER BY.
        most: the argument that says how many at most; empty for all of them.
        led: each row leads to an object, which is the one listed; where it may not be seen, the row
            is left out.
        provided: what must be so for the list to be answered at all; whatever is to be said
            otherwise, the resolver says it.

    """

    rows: str
    where: str
    order: str
    most: str = ""
    led: Led | None = None
    provided: str = ""
    joins: str = ""


@dataclass(frozen=True, slots=True)
class Single:
    """The one row, or none, that hangs on the row; see ``Listed``."""

    rows: str
    where: str = "true"
    joins: str = ""


Face = Shown | Known | Led | Through | Within | Listed | Single


def of(column: str) -> Shown:
    """The column as it stands."""
    return Shown(f"{{t}}.{column}")


def plain(column: str) -> Shown:
    """The column as it stands, of which a CHECK says that it holds letters, digits and dashes."""
    return Shown(f"{{t}}.{column}", plain=True)


def absent(column: str, value: str = "''") -> Shown:
    """The column, null where it holds what stands for «none»; ``value`` is a literal of SQL."""
    return Shown(f"NULLIF({{t}}.{column}, {value})")
