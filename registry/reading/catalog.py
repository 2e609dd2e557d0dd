"""What is readable, as data: the types of the API, where their rows lie, how a field is read.

Derived from the declarations of the API and of the concepts; nothing is declared here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from registry.access.kinds import Kind
from registry.reading.keyset import Order
from registry.reading.projections import Face
from registry.reading.selection import Arguments

ACTIONS, MASKS = "availableActions", "maskedFields"
"""What every governed object answers from the verdicts themselves."""


class Form(Enum):
    """In which form a value is shown."""

    TEXT = "text"
    WORD = "word"  # Of a closed list: nothing in it needs an escape.
    TEXTS = "texts"
    NUMBER = "number"
    TRUTH = "truth"
    INSTANT = "instant"
    DAY = "day"
    MONEY = "money"
    QUANTITY = "quantity"
    IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A field by which a page may be narrowed.

    Attributes:
        column: the column it compares.
        array: the column holds many values, of which one is asked for.
        reads: turns the value that was sent into that of the column; refuses what is malformed.

    """

    column: str
    array: bool = False
    reads: Callable[[str], object] | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument that a face names.

    Attributes:
        name: its name in the API.
        reads: turns the value that was sent into the one that is bound; refuses what is malformed.

    """

    name: str
    reads: Callable[[object], object] | None = None

    def of(self, sent: Arguments) -> object:
        """What is bound; None where nothing was sent."""
        value = sent.get(self.name)
        return value if value is None or self.reads is None else self.reads(value)


@dataclass(frozen=True, slots=True)
class Paged:
    """A page of governed objects, as every list of the API answers it.

    Attributes:
        to: the type of the objects.
        orders: the orders to choose from.
        where: by which fields it may be narrowed.
        parent: the column that holds the key of the row it hangs on; empty for a root.
        sums: totals that may be asked for, each the column it adds up.

    """

    to: str
    orders: Mapping[str, Order]
    where: Mapping[str, Narrowing]
    parent: str = ""
    sums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identified:
    """The object that an identifier names.

    Attributes:
        of: the kind and the key of an identifier that was sent; refuses what is none. A selection
            has them in place of the argument ``id``.

    """

    of: Callable[[str], tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The work list: what waits for the viewer, of these kinds."""

    kinds: tuple[Kind, ...]


Read = Face | Paged | Identified | Waiting


@dataclass(frozen=True, slots=True)
class Readable:
    """A field of a type.

    Attributes:
        read: how it is read.
        form: of a value, how it is shown.
        to: of an object, the types it can be of.
        required: the API promises that it is never null.
        mask: the verb that uncovers it; empty where everybody who sees the object sees it.
        arguments: its arguments by their names in its face.
        accepts: refuses arguments that the API does not take, as the resolver does.

    """

    read: Read
    form: Form = Form.TEXT
    to: tuple[str, ...] = ()
    required: bool = False
    mask: str = ""
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    accepts: Callable[[Arguments], None] | None = None


@dataclass(frozen=True, slots=True)
class Type:
    """A type of object.

    Attributes:
        table: where its rows lie; empty where it has no rows of its own.
        kind: what the gate governs it as; None where whoever sees what leads to it sees it.
        masks: the masked fields in their order, each with the verb that uncovers it.

    """

    name: str
    table: str
    kind: Kind | None
    fields: Mapping[str, Readable]
    masks: Mapping[str, str] = field(default_factory=dict)


Catalogue = Mapping[str, Type]
