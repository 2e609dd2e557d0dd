"""The readable types as data: their tables, and how each field is read.

Derived from the declarations of the API and of the concepts; nothing is declared here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from registry.access.kinds import Kind
from registry.reading.keyset import Ordering
from registry.reading.projections import Projection
from registry.reading.selection import Arguments


class AuthorizationField(Enum):
    """A field of a governed object that is read from the rule book's row filters."""

    AVAILABLE_ACTIONS = "available actions"
    MASKED_FIELDS = "masked fields"
    NEXT_ACTORS = "next actors"


class ScalarFormat(Enum):
    """In which form a value is shown."""

    TEXT = "text"
    ENUM = "enum"  # A word of a closed list, named by ``enum_names``.
    PLAIN = "plain"  # A text in which nothing needs an escape.
    TEXT_LIST = "texts"
    NUMBER = "number"
    BOOLEAN = "truth"
    DATETIME = "instant"
    DATE = "day"
    MONEY = "money"
    QUANTITY = "quantity"
    IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field by which a page may be narrowed."""

    column: str  # The column it compares, or that the expression reads: its mask guards the filter.
    # The value it compares, where that is not the column itself; see projections.
    expression: str = ""
    # A wider condition that an index serves; ``{match}`` is the comparison with the value that was
    # sent.
    index_condition: str = ""
    is_array: bool = False  # The column holds many values, of which one is asked for.
    # Turns the value that was sent into that of the column; refuses what is malformed.
    parse: Callable[[str], object] | None = None
    folds: bool = False  # The value compared is a comparison form.


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument that a projection names."""

    name: str
    parse: Callable[[object], object] | None = None

    def value_in(self, arguments: Arguments) -> object:
        """The bound value; None where no argument was sent."""
        value = arguments.get(self.name)
        return value if value is None or self.parse is None else self.parse(value)


@dataclass(frozen=True, slots=True)
class ConnectionField:
    """A page of governed objects, as every list of the API answers it."""

    node_type: str
    orders: Mapping[str, Ordering]
    filters: Mapping[str, FilterField]
    # The column that holds the key of the row it hangs on; empty for a root.
    parent_column: str = ""
    # Totals that may be asked for, each the column it adds up.
    totals: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NodeLookup:
    """The object that an identifier names."""

    # The kind and the key of an identifier that was sent; refuses what is none. A selection has
    # them in place of the argument ``id``.
    decode_id: Callable[[str], tuple[str, object]]


@dataclass(frozen=True, slots=True)
class WorkListField:
    """The work list: what waits for the viewer, of these kinds."""

    kinds: tuple[Kind, ...] = ()


FieldSource = Projection | ConnectionField | NodeLookup | WorkListField | AuthorizationField


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field of a type."""

    source: FieldSource
    scalar_format: ScalarFormat = ScalarFormat.TEXT  # Of a value, how it is shown.
    object_types: tuple[str, ...] = ()  # Of an object, the types it can be of.
    required: bool = False  # The API promises that it is never null.
    mask: str = ""  # The verb that uncovers it; empty where everybody who sees the object sees it.
    # Its arguments by their names in its projection.
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    # Refuses arguments that the API does not take, as the resolver does.
    check_arguments: Callable[[Arguments], None] | None = None
    # A person who signed in must have chosen one to be answered.
    needs_appointment: bool = True


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A type of object."""

    name: str
    table: str  # Where its rows lie; empty where it has no rows of its own.
    kind: Kind | None  # The governed kind; None where the row is visible with its parent.
    fields: Mapping[str, FieldSpec]
    # The masked fields in their order, each with the verb that uncovers it.
    masks: Mapping[str, str] = field(default_factory=dict)


Catalog = Mapping[str, ObjectType]
