"""What a field of the API says of how it is read from rows, beside its resolver."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.kernel.errors import Malformed
from registry.reading.keyset import MAX_PAGE_SIZE
from registry.reading.projections import ColumnExpr, Projection
from registry.reading.selection import Arguments

PROJECTION_KEY = "faced"

NODE_LOOKUP, WORK_LIST = "identified", "waiting"
"""Faces that are not of rows: the object that an identifier names, and the work list."""

OWN_ID = ColumnExpr("{t}.id")
"""The identifier of the row itself; the type it belongs to says of which kind."""


@dataclass(frozen=True, slots=True)
class ProjectedField:
    """How a field is read.

    Attributes:
        projection: from rows; or what makes it once every operation is known.
        argument_parsers: what turns an argument that was sent into the one that is bound.
        check_arguments: refuses arguments as the resolver does.

    """

    projection: Projection | Callable[[], Projection]
    argument_parsers: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)
    check_arguments: Callable[[Arguments], None] | None = None


def projected(
    projection: Projection | Callable[[], Projection],
    *,
    argument_parsers: Mapping[str, Callable[[Any], object]] | None = None,
    check_arguments: Callable[[Arguments], None] | None = None,
) -> dict[object, object]:
    """The metadata of a field with a face; see ``ProjectedField``."""
    return {PROJECTION_KEY: ProjectedField(projection, argument_parsers or {}, check_arguments)}


def check_bounded_list(first: int) -> None:
    """Refuse to list more than a page.

    Raises:
        Malformed: ``first`` is not 1 to ``PAGE_MAX``.

    """
    if not 1 <= first <= MAX_PAGE_SIZE:
        raise Malformed(
            "first", f"`first` is 1 to {MAX_PAGE_SIZE}.", f"first的取值范围为1至{MAX_PAGE_SIZE}。"
        )


def bounded_list(sent: Arguments) -> None:
    """The same of the arguments of a field.

    Raises:
        Malformed: likewise.

    """
    check_bounded_list(sent["first"])
