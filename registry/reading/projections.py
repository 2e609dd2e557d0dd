"""How the API's fields are read from rows: the SQL of each, beside what computes it.

In a projection ``{t}`` is the alias of the row the field belongs to, ``{p}`` that of the row
a list hangs on, ``{j}`` for that of the row it is read ``via``, ``:name`` for an argument of the
field or a bind of ``Viewer.binds``, and ``{may verb}`` for the rows of ``{p}`` on which the viewer
may do the verb. A projection knows nothing of the API's types: those say in which form its value is
shown and what it may be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from registry.access.principals import Viewer
from registry.reading.sql_text import quote_literal


@dataclass(frozen=True, slots=True)
class ColumnExpr:
    """A value of the row."""

    sql: str  # The expression; NULL is shown as null.
    # Of a quantity, the expression of its decimals; ``sql`` then counts base units.
    scale: str = ""
    # Of an identifier, the kind of object, or the expression of it; ``sql`` is its key.
    id_kind: str = ""
    is_json: bool = False  # ``sql`` is the text of a JSON value already, and never NULL.
    # Of a text, there is nothing in it that needs an escape; the database sees to it.
    is_plain: bool = False
    via: "ToOne | None" = None  # Another source; of a type that everybody sees.


@dataclass(frozen=True, slots=True)
class ViewerConstant:
    """A value that follows from who asks, by what a plan is kept apart for: no row is read."""

    value: Callable[[Viewer], object]


@dataclass(frozen=True, slots=True)
class ToOne:
    """The one other object that the row leads to, where the viewer may see it."""

    key: str
    target_column: str = "id"  # The column of its table that the key is compared with.
    # The type, where the API's field may lead to several and the row to this one only.
    target_type: str = ""
    kind: str = ""  # The expression of the word for its kind, where each row may lead elsewhere.
    joined_alias: str = ""  # The alias of its row, where the list that the row is of has joined it.


@dataclass(frozen=True, slots=True)
class RelatedColumn:
    """A value of the object that ``relation`` leads to; null where it may not be seen."""

    relation: ToOne
    column: ColumnExpr


@dataclass(frozen=True, slots=True)
class EmbeddedObject:
    """An object that is made of the same row."""

    fields: Mapping[str, "Projection"]


@dataclass(frozen=True, slots=True)
class ToMany:
    """The rows that hang on the row."""

    source: str  # A table, or a subselect in brackets.
    where: str
    order: str
    limit_argument: str = ""  # The argument that says how many at most; empty for all of them.
    # Each row leads to an object, which is the one listed; where it may not be seen, the row is
    # left out.
    relation: ToOne | None = None
    joins: str = ""  # Joined to them, under aliases that begin with ``{t}``.


@dataclass(frozen=True, slots=True)
class OptionalRow:
    """The one row, or none, that hangs on the row; see ``ToMany``."""

    source: str
    where: str = "true"
    joins: str = ""


Projection = (
    ColumnExpr | ViewerConstant | ToOne | RelatedColumn | EmbeddedObject | ToMany | OptionalRow
)


def column_expr(column: str) -> ColumnExpr:
    """The column, unchanged."""
    return ColumnExpr(f"{{t}}.{column}")


def plain_column(column: str) -> ColumnExpr:
    """The column, which a CHECK restricts to letters, digits and dashes."""
    return ColumnExpr(f"{{t}}.{column}", is_plain=True)


def localised_column(column: str) -> EmbeddedObject:
    """A bilingual text stored as ``English | 中文``; without a separator it serves both."""
    parts = (f"nullif(split_part({{t}}.{column}, ' | ', {part}), '')" for part in (1, 2))
    en, zh = (ColumnExpr(f"coalesce({part}, {{t}}.{column})") for part in parts)
    return EmbeddedObject({"en": en, "zh": zh})


def bilingual(en: str, zh: str, *, via: ToOne | None = None) -> EmbeddedObject:
    """A text in two languages, each an expression; ``{j}`` is the row that ``via`` leads to."""
    return EmbeddedObject({"en": ColumnExpr(en, via=via), "zh": ColumnExpr(zh, via=via)})


def state_until(column: str, over: str) -> ColumnExpr:
    """The state as of now: in force, and past the moment in a column the word ``over``."""
    lapsed = f"{{t}}.state = 'in_force' AND {{t}}.{column} <= :now"
    return ColumnExpr(f"CASE WHEN {lapsed} THEN '{over}' ELSE {{t}}.state END")


def word_cases(column: str, words: Mapping[str, str]) -> str:
    """The expression of what each stored word of a column is called."""
    cases = "".join(
        f" WHEN {quote_literal(word)} THEN {quote_literal(text)}" for word, text in words.items()
    )
    return f"CASE {column}{cases} ELSE {column} END"


def column_or_null(column: str, value: str = "''") -> ColumnExpr:
    """The column, null where it equals ``value``, an SQL literal."""
    return ColumnExpr(f"NULLIF({{t}}.{column}, {value})")
