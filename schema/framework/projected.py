"""What a field of the API says of how it is read from rows, beside its resolver."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.kernel.errors import Malformed
from registry.reading.keyset import PAGE_MAX
from registry.reading.projections import Face, Shown
from registry.reading.selection import Arguments

FACED = "faced"

IDENTIFIED, WAITING = "identified", "waiting"
"""Faces that are not of rows: the object that an identifier names, and the work list."""

OWN_KEY = Shown("{t}.id")
"""The identifier of the row itself; the type it belongs to says of which kind."""


@dataclass(frozen=True, slots=True)
class Faced:
    """How a field is read.

    Attributes:
        face: from rows; or what makes it once every operation is known.
        reads: what turns an argument that was sent into the one that is bound.
        accepts: refuses arguments as the resolver does.

    """

    face: Face | Callable[[], Face]
    reads: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)
    accepts: Callable[[Arguments], None] | None = None


def faced(
    face: Face | Callable[[], Face],
    *,
    reads: Mapping[str, Callable[[Any], object]] | None = None,
    accepts: Callable[[Arguments], None] | None = None,
) -> dict[object, object]:
    """The metadata of a field with a face; see ``Faced``."""
    return {FACED: Faced(face, reads or {}, accepts)}


def check_few(first: int) -> None:
    """Refuse to list more than a page.

    Raises:
        Malformed: ``first`` is not 1 to ``PAGE_MAX``.

    """
    if not 1 <= first <= PAGE_MAX:
        raise Malformed(
            "first", f"`first` is 1 to {PAGE_MAX}.", f"first的取值范围为1至{PAGE_MAX}。"
        )


def few(sent: Arguments) -> None:
    """The same of the arguments of a field.

    Raises:
        Malformed: likewise.

    """
    check_few(sent["first"])
