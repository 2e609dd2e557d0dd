"""From a selection to one statement in which PostgreSQL writes the JSON of the answer.

Pure: nothing is read here. The viewer's row filters and masks come from the authorizer, so that a
plan shows what the rule book allows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry.access.principals import NIL, Viewer
from registry.reading.catalog import Catalog
from registry.reading.object_compiler import ObjectCompiler
from registry.reading.selection import Arguments, Selection
from registry.reading.sql_builder import (
    Bind,
    RowScope,
    SqlBuilder,
    ViewerBind,
    renumber_placeholders,
)
from registry.reading.sql_text import SqlConcat, literal_value, quote_literal

_DATA_PREFIX, _DATA_SUFFIX = quote_literal('{"data":'), quote_literal("}")

NO_COMMAND: dict[str, object] = {"object_id": NIL, "audit_entry_id": NIL, "replayed": False}
"""The binds of a command's answer, as they are where no command was carried out."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement that answers with one value, the bytes of a JSON text, and what to bind in it."""

    sql: str
    binds: tuple[Bind, ...]
    # The answer, where neither a row nor an argument is needed for it.
    constant: bytes | None = None
    validated_binds: tuple[Bind, ...] = ()  # Not bound, but refused where malformed.

    def values(
        self,
        viewer: Viewer,
        arguments: Sequence[Arguments],
        command: Mapping[str, object] = NO_COMMAND,
    ) -> list[object]:
        """The values to bind for one viewer and one request."""
        known = {**NO_COMMAND, **viewer.bind_values(), **command}
        for bind in self.validated_binds:
            bind.value(known, arguments)
        return [bind.value(known, arguments) for bind in self.binds]


def build_plan(catalog: Catalog, root: str, selection: Selection, viewer: Viewer) -> Plan:
    """The plan of an operation, whose answer is the whole object of the root under ``data``."""
    builder = SqlBuilder(viewer, catalog)
    text = _compile(builder, root, selection)
    return _finish(builder, SqlConcat.of((_DATA_PREFIX, text, _DATA_SUFFIX)))


def build_object_plan(catalog: Catalog, type: str, selection: Selection, viewer: Viewer) -> Plan:
    """The plan of one object of a type, whose answer is that object, or null.

    Of a type with rows it is the object that the bind ``object_id`` names, where the viewer may
    see it.
    """
    builder = SqlBuilder(viewer, catalog)
    return _finish(builder, _compile(builder, type, selection))


def _compile(builder: SqlBuilder, type: str, selection: Selection) -> str:
    compiler, of = ObjectCompiler(builder), builder.catalog[type]
    if of.table:
        key = builder.bind("object_id", ViewerBind("object_id"))
        return compiler.compile_one_or_null(of, selection, lambda row: f"{row}.id = {key}")
    return compiler.compile_object(of, selection, RowScope(builder.alias(), has_row=False))


def _finish(builder: SqlBuilder, text: str) -> Plan:
    said, binds = literal_value(text), builder.binds
    constant = None if said is None or binds else said.encode()
    # A part that is never shown was compiled all the same; its binds have no place any more.
    text, kept = renumber_placeholders(text)
    checked = tuple(bind for place, bind in enumerate(binds, 1) if place not in kept)
    return Plan(
        f"SELECT convert_to({text}, 'UTF8')",
        tuple(binds[place - 1] for place in kept),
        constant,
        checked,
    )
