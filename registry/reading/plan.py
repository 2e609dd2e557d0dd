"""From a selection to one statement in which PostgreSQL writes the JSON of the answer.

Pure: nothing is read here. The viewer's row filters and masks come from the gate, so that what a
plan shows is what the judge allows. An error of the statement means that the ordinary way must
answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from registry.access.principals import Viewer
from registry.kernel.errors import Refused
from registry.reading.catalog import Catalogue
from registry.reading.object_compiler import Writer
from registry.reading.selection import Arguments, Field, Selection
from registry.reading.sql_builder import Bind, Row, Statement, Unplanned, placed
from registry.reading.sql_text import Joined, quoted, spoken

_BEFORE, _AFTER = quoted('{"data":'), quoted("}")


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement that answers with one value, the bytes of a JSON text, and what to bind in it.

    Attributes:
        fallible: it may end in an error that stands for «answer in the ordinary way».
        constant: the answer, where neither a row nor an argument is needed for it.
        checked: what is not bound, but refused where it is malformed.

    """

    sql: str
    binds: tuple[Bind, ...]
    fallible: bool = False
    constant: bytes | None = None
    checked: tuple[Bind, ...] = ()

    def values(self, viewer: Viewer, asked: Sequence[Arguments]) -> list[object]:
        """What is bound for one viewer and one request.

        Raises:
            Refused: an argument is malformed.

        """
        known = viewer.binds()
        for bind in self.checked:
            bind.value(known, asked)
        return [bind.value(known, asked) for bind in self.binds]


def planned(catalogue: Catalogue, root: str, selection: Selection, viewer: Viewer) -> Plan:
    """The plan of an operation, whose answer is the whole object of the root under ``data``.

    Args:
        catalogue: what is readable.
        root: the type of the root.
        selection: what is asked of it.
        viewer: whose role, powers and standing the plan is for; everything else of his is bound.

    Raises:
        Unplanned: it asks for what cannot be planned, or in a way that is refused.

    """
    return _plan(Statement(viewer, catalogue), root, selection, whole=True)


def planned_field(catalogue: Catalogue, root: str, asked: Field, viewer: Viewer) -> Plan:
    """The plan of one field of a root, whose answer is the value of that field.

    Raises:
        Unplanned: likewise.

    """
    return _plan(Statement(viewer, catalogue), root, (asked,), whole=False)


def _plan(statement: Statement, root: str, selection: Selection, *, whole: bool) -> Plan:
    writer, row = Writer(statement), Row(statement.alias(), standing=False)
    of = statement.catalogue[root]
    try:
        text: str = (
            writer.object(of, selection, row) if whole else writer.field(of, selection[0], row)
        )
    except Refused as error:
        raise Unplanned(error.message.en) from error
    if whole:
        text = Joined.of((_BEFORE, text, _AFTER))
    said, binds = spoken(text), statement.binds
    constant = None if said is None or binds else said.encode()
    # A part that is never shown was written all the same; its binds have no place any more.
    text, kept = placed(text)
    checked = tuple(bind for place, bind in enumerate(binds, 1) if place not in kept)
    return Plan(
        f"SELECT convert_to({text}, 'UTF8')",
        tuple(binds[place - 1] for place in kept),
        statement.fallible,
        constant,
        checked,
    )
