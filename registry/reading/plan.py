"""From a selection to one statement in which PostgreSQL writes the JSON of the answer.

Pure: nothing is read here. The viewer's row filters and masks come from the gate, so that what a
plan shows is what the judge allows. An error of the statement means that the ordinary way must
answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from registry.access.principals import Viewer
from registry.kernel.errors import Refused
from registry.reading.catalog import Catalog
from registry.reading.object_compiler import ObjectCompiler
from registry.reading.selection import Arguments, SelectedField, Selection
from registry.reading.sql_builder import (
    Bind,
    NotPlannable,
    RowScope,
    SqlBuilder,
    renumber_placeholders,
)
from registry.reading.sql_text import SqlConcat, literal_value, quote_literal

_DATA_PREFIX, _DATA_SUFFIX = quote_literal('{"data":'), quote_literal("}")


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement that answers with one value, the bytes of a JSON text, and what to bind in it.

    Attributes:
        can_fail: it may end in an error that stands for «answer in the ordinary way».
        constant: the answer, where neither a row nor an argument is needed for it.
        validated_binds: what is not bound, but refused where it is malformed.

    """

    sql: str
    binds: tuple[Bind, ...]
    can_fail: bool = False
    constant: bytes | None = None
    validated_binds: tuple[Bind, ...] = ()

    def values(self, viewer: Viewer, arguments: Sequence[Arguments]) -> list[object]:
        """What is bound for one viewer and one request.

        Raises:
            Refused: an argument is malformed.

        """
        known = viewer.bind_values()
        for bind in self.validated_binds:
            bind.value(known, arguments)
        return [bind.value(known, arguments) for bind in self.binds]


def build_plan(catalog: Catalog, root: str, selection: Selection, viewer: Viewer) -> Plan:
    """The plan of an operation, whose answer is the whole object of the root under ``data``.

    Args:
        catalog: what is readable.
        root: the type of the root.
        selection: what is asked of it.
        viewer: whose role, powers and standing the plan is for; everything else of his is bound.

    Raises:
        Unplanned: it asks for what cannot be planned, or in a way that is refused.

    """
    return _build(SqlBuilder(viewer, catalog), root, selection, whole=True)


def build_field_plan(catalog: Catalog, root: str, field: SelectedField, viewer: Viewer) -> Plan:
    """The plan of one field of a root, whose answer is the value of that field.

    Raises:
        Unplanned: likewise.

    """
    return _build(SqlBuilder(viewer, catalog), root, (field,), whole=False)


def _build(builder: SqlBuilder, root: str, selection: Selection, *, whole: bool) -> Plan:
    writer, row = ObjectCompiler(builder), RowScope(builder.alias(), has_row=False)
    of = builder.catalog[root]
    try:
        text: str = (
            writer.compile_object(of, selection, row)
            if whole
            else writer.compile_field(of, selection[0], row)
        )
    except Refused as error:
        raise NotPlannable(error.message.en) from error
    if whole:
        text = SqlConcat.of((_DATA_PREFIX, text, _DATA_SUFFIX))
    said, binds = literal_value(text), builder.binds
    constant = None if said is None or binds else said.encode()
    # A part that is never shown was written all the same; its binds have no place any more.
    text, kept = renumber_placeholders(text)
    checked = tuple(bind for place, bind in enumerate(binds, 1) if place not in kept)
    return Plan(
        f"SELECT convert_to({text}, 'UTF8')",
        tuple(binds[place - 1] for place in kept),
        builder.can_fail,
        constant,
        checked,
    )
