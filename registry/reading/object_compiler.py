"""Writes the expression of each field's JSON text, from how the field is declared to be read."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.vocabulary import VOCABULARY
from registry.access.kinds import Kind
from registry.reading.catalog import (
    ACTIONS,
    MASKS,
    Form,
    Identified,
    Paged,
    Readable,
    Type,
    Waiting,
)
from registry.reading.connection_compiler import page
from registry.reading.json_sql import NULL, shown
from registry.reading.projections import Known, Led, Listed, Shown, Single, Through, Within
from registry.reading.selection import Field, Selection
from registry.reading.sql_builder import Row, Scope, Statement, Unplanned, conjunction
from registry.reading.sql_text import Joined, quoted
from registry.reading.work_list import duties

TYPENAME = "__typename"

Where = Callable[[str], str]
"""A condition on the row of an alias."""


@dataclass(frozen=True, slots=True)
class At:
    """A field where it is asked for: of which type, how it is read, and out of which row."""

    of: Type
    readable: Readable
    asked: Field
    row: Row

    @property
    def scope(self) -> Scope:
        """What the holes of its face stand for."""
        alias = self.row.alias
        return Scope(
            t=alias,
            p=alias,
            parent=self.of,
            place=self.asked.place,
            arguments=self.readable.arguments,
            sent=self.asked.args,
        )

    @property
    def only(self) -> str:
        """The one type it leads to."""
        (name,) = self.readable.to
        return name


class Writer:
    """Writes the parts of one statement; each method answers with an expression of JSON text."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self._ways: dict[type, Callable[[Any, At], str]] = {
            Shown: self._shown,
            Known: self._known,
            Within: self._within,
            Led: self._led,
            Through: self._through,
            Listed: self._listed,
            Single: self._single,
            Paged: lambda paged, at: page(self, paged, at.asked, at.row.alias),
            Identified: self._identified,
            Waiting: self._waiting,
        }

    def object(self, of: Type, selection: Selection, row: Row) -> str:
        """An object of the type, made of the row and what it leads to."""
        pieces, before = [], "{"
        for asked in selection:
            pieces.append(quoted(f"{before}{json.dumps(asked.key)}:"))
            pieces.append(self.field(of, asked, row))
            before = ","
        return Joined.of([*pieces, quoted("}" if selection else "{}")])

    def field(self, of: Type, asked: Field, row: Row) -> str:
        """One field of an object of the type.

        Raises:
            Unplanned: it cannot be read by a statement.

        """
        if asked.name == TYPENAME:
            return quoted(json.dumps(of.name))
        if of.kind is not None and asked.name in _OF_VERDICTS:
            return _words(_OF_VERDICTS[asked.name](self, of, row))
        readable = of.fields.get(asked.name)
        if readable is None:
            raise Unplanned(f"{of.name}.{asked.name}")
        if readable.accepts is not None:
            readable.accepts(asked.args)
        return self._unless_masked(At(of, readable, asked, row))

    def _unless_masked(self, at: At) -> str:
        mask, kind = at.readable.mask, at.of.kind
        uncovered = self._uncovered(kind, mask, at.row.alias) if mask and kind else "true"
        if uncovered == "false":
            return NULL
        text = self._ways[type(at.readable.read)](at.readable.read, at)
        return text if uncovered == "true" else f"CASE WHEN {uncovered} THEN {text} ELSE {NULL} END"

    def _uncovered(self, kind: Kind, mask: str, alias: str) -> str:
        """When a field may be seen on a row, which itself may be seen: else it was not read."""
        uncovered = self.statement.allowed(kind, mask, alias)
        return "true" if uncovered == self.statement.allowed(kind, "view", alias) else uncovered

    # What the verdicts tell.

    def actions(self, of: Type, row: Row) -> list[tuple[str, str]]:
        """The verbs as ``Gate.available`` names them, each with when it is permitted."""
        assert of.kind is not None, "asked of governed objects only"
        return [
            (verb.name, self.statement.allowed(of.kind, verb.name, row.alias))
            for verb in VOCABULARY.kinds[of.kind.name].verbs
            if not verb.looks and not verb.creates
        ]

    def masks(self, of: Type, row: Row) -> list[tuple[str, str]]:
        """The masked fields, each with when it stays empty for this viewer."""
        assert of.kind is not None, "asked of governed objects only"
        covered = {
            verb: _negated(self.statement.allowed(of.kind, verb, row.alias))
            for verb in of.masks.values()
        }
        return [(name, covered[verb]) for name, verb in of.masks.items()]

    # Values.

    def _shown(self, face: Shown, at: At) -> str:
        scope = at.scope
        if face.by is not None:
            joined, _ = self._joined(face.by, self.statement.catalogue[face.by.to], at)
            scope = replace(scope, j=joined)
        return self._value(face, scope, at.readable.form, required=at.readable.required)

    def _value(self, face: Shown, scope: Scope, form: Form, *, required: bool) -> str:
        filled = self.statement.filled
        sql, scale, names = (filled(part, scope) for part in (face.sql, face.scale, face.names))
        return shown(replace(face, sql=sql, scale=scale, names=names), form, required=required)

    def _known(self, face: Known, _: At) -> str:
        return quoted(json.dumps(face.value(self.statement.viewer), ensure_ascii=False))

    def _through(self, face: Through, at: At) -> str:
        target = self.statement.catalogue[face.led.to]
        joined, visible = self._joined(face.led, target, at)
        if visible == "false":
            return NULL
        return self._value(face.shown, Scope(t=joined), at.readable.form, required=False)

    # Objects.

    def _within(self, face: Within, at: At) -> str:
        """An object out of the same row: the fields of its type as this face reads them."""
        inner = self.statement.catalogue[at.only]
        fields = {
            name: replace(inner.fields[name], read=read) for name, read in face.fields.items()
        }
        made = Type(inner.name, "", None, fields)
        return self.object(made, at.asked.sub.get(at.only, ()), at.row)

    def _led(self, led: Led, at: At) -> str:
        if led.kind:
            return f"coalesce({self._anywhere(led, at, at.scope)}, {NULL})"
        target = self.statement.catalogue[led.to or at.only]
        sub = at.asked.sub.get(target.name, ())
        if not at.row.standing:
            key = self.statement.filled(led.key, at.scope)
            return self._one(target, sub, lambda alias: f"{alias}.{led.on} = {key}")
        joined, visible = self._joined(led, target, at)
        if visible == "false":
            return NULL
        text = self.object(target, sub, Row(joined, at.row.joins))
        if not at.readable.required:
            return f"CASE WHEN {joined}.{led.on} IS NULL THEN {NULL} ELSE {text} END"
        if visible != "true":
            raise Unplanned(f"{target.name} may be hidden where it is required")
        return text

    def _joined(self, led: Led, target: Type, at: At) -> tuple[str, str]:
        """The alias of the row it leads to, and the condition under which the viewer sees it."""
        if led.joined:
            return self.statement.filled(led.joined, at.scope), self._visible(target, "")
        key = self.statement.filled(led.key, at.scope)
        known = at.row.led.get((target.name, led.on, key))
        if known is not None:
            return known, self._visible(target, known)
        joined = self.statement.alias()
        visible = self._visible(target, joined)
        if visible != "false":
            at.row.led[target.name, led.on, key] = joined
            on = conjunction(f"{joined}.{led.on} = {key}", visible)
            at.row.joins.append(f" LEFT JOIN {target.table} AS {joined} ON {on}")
        return joined, visible

    def _anywhere(self, led: Led, at: At, scope: Scope) -> str:
        """The object, of whichever kind the row says; NULL where the viewer sees none."""
        key = self.statement.filled(led.key, scope)
        cases = []
        for name in at.readable.to:
            target, sub = self.statement.catalogue[name], at.asked.sub.get(name, ())
            found = self._found(target, sub, lambda alias: f"{alias}.id = {key}")
            if found:
                cases.append(f" WHEN {quoted(name)} THEN {found}")
        kind = self.statement.filled(led.kind, scope)
        return f"CASE {kind}{''.join(cases)} END" if cases else "NULL::text"

    def _identified(self, _: Identified, at: At) -> str:
        name, _ = at.asked.args["id"]
        target = self.statement.catalogue.get(name)
        if target is None or target.kind is None:
            return NULL
        key = self.statement.argument(at.asked.place, "id", lambda sent: sent["id"][1])
        return self._one(target, at.asked.sub.get(name, ()), lambda alias: f"{alias}.id = {key}")

    def _one(self, target: Type, sub: Selection, where: Where) -> str:
        """The object of the type that a condition finds and the viewer may see, else null."""
        found = self._found(target, sub, where)
        return f"coalesce({found}, {NULL})" if found else NULL

    def _found(self, target: Type, sub: Selection, where: Where) -> str:
        """The same as a subselect; empty where the viewer sees none of the type."""
        row = Row(self.statement.alias())
        visible = self._visible(target, row.alias)
        if visible == "false":
            return ""
        text = self.object(target, sub, row)
        wanted = conjunction(where(row.alias), visible)
        return f"(SELECT {text} FROM {target.table} AS {row.alias}{row.joined} WHERE {wanted})"

    def _visible(self, target: Type, alias: str) -> str:
        if target.kind is None:
            return "true"
        return self.statement.allowed(target.kind, "view", alias)

    # Lists.

    def _listed(self, listed: Listed, at: At) -> str:
        row = Row(self.statement.alias())
        scope = replace(at.scope, t=row.alias)
        if listed.led is not None:
            text = self._anywhere(listed.led, at, scope)
        else:
            text = self.object(self.statement.catalogue[at.only], at.asked.sub[at.only], row)
        order = self.statement.filled(listed.order, scope)
        limit = f" LIMIT {int(at.asked.args[listed.most])}" if listed.most else ""
        clause = self._clause(listed, row, scope)
        found = (
            f"(SELECT '[' || coalesce(string_agg(s.j, ','), '') || ']' FROM"
            f" (SELECT {text} AS j {clause} ORDER BY {order}{limit}) AS s)"
        )
        if not listed.provided:
            return found
        self.statement.fallible = True
        provided = self.statement.filled(listed.provided, at.scope)
        return f"CASE WHEN {provided} THEN {found} ELSE (1 / ({provided})::int)::text END"

    def _single(self, single: Single, at: At) -> str:
        row = Row(self.statement.alias())
        text = self.object(self.statement.catalogue[at.only], at.asked.sub[at.only], row)
        clause = self._clause(single, row, replace(at.scope, t=row.alias))
        found = f"(SELECT {text} {clause})"
        return found if at.readable.required else f"coalesce({found}, {NULL})"

    def _clause(self, read: Listed | Single, row: Row, scope: Scope) -> str:
        filled = self.statement.filled
        table, joins, wanted = (filled(part, scope) for part in (read.rows, read.joins, read.where))
        return f"FROM {table} AS {row.alias}{joins}{row.joined} WHERE {wanted}"

    def _waiting(self, read: Waiting, at: At) -> str:
        parts = duties(self.statement.viewer, read.kinds, most=int(at.asked.args["first"]))
        if not parts:
            return quoted("[]")
        return self._listed(Listed(f"({parts})", "true", "{t}.since, {t}.id, {t}.verb"), at)


_OF_VERDICTS = {ACTIONS: Writer.actions, MASKS: Writer.masks}


def _negated(condition: str) -> str:
    return {"true": "false", "false": "true"}.get(condition, f"NOT ({condition})")


def _words(words: Sequence[tuple[str, str]]) -> str:
    """The list of those words whose condition holds."""
    pieces = []
    for word, condition in words:
        said = quoted(f',"{word}"')
        if condition != "false":
            certain = condition == "true"
            pieces.append(said if certain else f"CASE WHEN {condition} THEN {said} ELSE '' END")
    return f"('[' || substr({Joined.of(pieces)}, 2) || ']')" if pieces else quoted("[]")
