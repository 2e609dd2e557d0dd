"""Fields of the API that are read from rows, each declared once.

The annotation of the attribute says the type; the declaration says how it is read. Such a field
has no resolver: the planner compiles it into the statement that answers the query.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from registry.access.kinds import Kind
from registry.kernel.errors import Malformed
from registry.reading.catalog import (
    AuthorizationField,
    ConnectionField,
    NodeLookup,
    WorkListField,
)
from registry.reading.keyset import MAX_PAGE_SIZE
from registry.reading.projections import ColumnExpr, EmbeddedObject, Projection
from registry.reading.selection import Arguments
from schema.documents.cost import MAX_ITEMS

PROJECTION_KEY, COLUMN_KEY = "projection", "column"
"""The keys under which the metadata of a field says how it is read."""

OWN_CAPTION = EmbeddedObject({})
"""The caption of the row itself; the type it belongs to says which, in ``CAPTION``."""

OWN_ID = ColumnExpr("{t}.id")
"""The identifier of the row itself; the type it belongs to says of which kind."""

FieldProjection = Projection | NodeLookup | WorkListField | AuthorizationField | ConnectionField


@dataclass(frozen=True, slots=True)
class ProjectedField:
    """A field that is read by a projection."""

    # How it is read; or a function that makes it once every operation is known.
    projection: FieldProjection | Callable[[], Projection]
    # Each turns an argument that was sent into the value to bind.
    argument_parsers: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)
    # Refuses arguments that are out of bounds.
    check_arguments: Callable[[Arguments], None] | None = None
    # A person who signed in must have chosen one; else the public asks.
    needs_appointment: bool = True


@dataclass(frozen=True, slots=True)
class ColumnField:
    """A field that shows a column of the row, or the object whose key the column holds."""

    name: str = ""  # The attribute of the record; empty where it has the field's name.
    mask: str = ""  # The verb that uncovers it.
    null_value: object = None  # The value that means null.
    target_kind: str = ""  # Of an identifier, the kind of object it names.
    is_relation: bool = False  # The column holds the key of another object.
    projection: ColumnExpr | None = None  # How it is read, where it is not the column itself.


@dataclass(frozen=True, slots=True)
class FieldArgument:
    """An argument of a field."""

    type: Any
    default: object = strawberry.UNSET  # Its value where the client sends none.
    # Turns the value that was sent into the one that is bound; refuses what is malformed.
    parse: Callable[[Any], object] | None = None


def projected_field(
    description: str,
    projection: FieldProjection | Callable[[], Projection],
    *,
    arguments: Mapping[str, FieldArgument] | None = None,
    check_arguments: Callable[[Arguments], None] | None = None,
    max_items: int = 0,
    needs_appointment: bool = True,
) -> Any:  # noqa: ANN401 - the annotation of the attribute says its type
    """A field that is read by a projection.

    Args:
        arguments: its arguments by their names in the projection.
        check_arguments: see ``ProjectedField``.
        max_items: of a list without ``first``, the most it holds.
        needs_appointment: see ``ProjectedField``.

    """
    parsers = {name: sent.parse for name, sent in (arguments or {}).items() if sent.parse}
    read = ProjectedField(projection, parsers, check_arguments, needs_appointment)
    metadata: dict[object, object] = {PROJECTION_KEY: read}
    if max_items:
        metadata[MAX_ITEMS] = max_items
    declared = cast("StrawberryField", strawberry.field(description=description, metadata=metadata))
    declared.arguments = [
        StrawberryArgument(name, None, StrawberryAnnotation(sent.type), default=sent.default)
        for name, sent in (arguments or {}).items()
    ]
    return declared


def column(
    description: str,
    *,
    name: str = "",
    mask: str = "",
    null_value: object = None,
    target_kind: str = "",
    projection: ColumnExpr | None = None,
) -> Any:  # noqa: ANN401 - the annotation of the attribute says its type
    """A field that shows a column of the row; see ``ColumnField``.

    A column that the kind masks is masked without ``mask``.
    """
    read = ColumnField(name, mask, null_value, target_kind, projection=projection)
    return strawberry.field(description=description, metadata={COLUMN_KEY: read})


def relation(description: str, *, name: str = "", mask: str = "") -> Any:  # noqa: ANN401 - the annotation of the attribute says its type
    """A field that leads to another governed object, whose key the record holds.

    The object is answered where the viewer may see it; so the field is nullable. Organisations
    are the exception: everybody sees their public card.
    """
    read = ColumnField(name, mask, is_relation=True)
    return strawberry.field(description=description, metadata={COLUMN_KEY: read})


def column_field(declared: StrawberryField) -> ColumnField | None:
    """The declaration of a field that shows a column, or None."""
    found = declared.metadata.get(COLUMN_KEY)
    return found if isinstance(found, ColumnField) else None


def attribute_of(declared: StrawberryField) -> str:
    """The record's attribute that a field shows; the field's own name where it shows none."""
    read = column_field(declared)
    suffix = "_id" if read and read.is_relation else ""
    return (read.name if read else "") or f"{declared.python_name}{suffix}"


def mask_of(kind: Kind, declared: StrawberryField) -> str:
    """The verb that uncovers a field; empty where everybody who sees the object sees it."""
    read, attribute = column_field(declared), attribute_of(declared)
    by_kind = (verb for verb, covered in kind.masks.items() if attribute in covered)
    return (read.mask if read else "") or next(by_kind, "")


def bounded_list(sent: Arguments) -> None:
    """Refuse to list more than a page."""
    if not 1 <= sent["first"] <= MAX_PAGE_SIZE:
        raise Malformed(
            "first", f"`first` is 1 to {MAX_PAGE_SIZE}.", f"first的取值范围为1至{MAX_PAGE_SIZE}。"
        )
