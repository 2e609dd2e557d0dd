"""Writes the expression of each field's JSON text, from how the field is declared to be read."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.vocabulary import VOCABULARY
from registry.access.authorizer import authorizer
from registry.access.kinds import Kind
from registry.reading.catalog import (
    AuthorizationField,
    ConnectionField,
    FieldSpec,
    NodeLookup,
    ObjectType,
    ScalarFormat,
    WorkListField,
)
from registry.reading.connection_compiler import compile_connection
from registry.reading.enum_names import enum_name
from registry.reading.json_sql import JSON_NULL, json_expr
from registry.reading.projections import (
    ColumnExpr,
    EmbeddedObject,
    OptionalRow,
    RelatedColumn,
    ToMany,
    ToOne,
    ViewerConstant,
)
from registry.reading.selection import SelectedField, Selection
from registry.reading.sql_builder import NameScope, NotPlannable, RowScope, SqlBuilder, conjunction
from registry.reading.sql_text import SqlConcat, quote_literal
from registry.reading.work_list import work_list_sql

TYPENAME = "__typename"

RowCondition = Callable[[str], str]
"""A condition on the row of an alias."""


@dataclass(frozen=True, slots=True)
class FieldContext:
    """A field where it is asked for: of which type, how it is read, and out of which row."""

    object_type: ObjectType
    spec: FieldSpec
    field: SelectedField
    row_scope: RowScope

    @property
    def scope(self) -> NameScope:
        """Values of the placeholders of its projection."""
        alias = self.row_scope.alias
        return NameScope(
            t=alias,
            p=alias,
            parent=self.object_type,
            argument_index=self.field.argument_index,
            arguments=self.spec.arguments,
            plan_arguments=self.field.arguments,
        )

    @property
    def single_type(self) -> str:
        (name,) = self.spec.object_types
        return name


class ObjectCompiler:
    """Writes the parts of one statement; each method answers with an expression of JSON text."""

    def __init__(self, builder: SqlBuilder) -> None:
        self.builder = builder
        self._compilers: dict[type, Callable[[Any, FieldContext], str]] = {
            ColumnExpr: self._compile_column_expr,
            ViewerConstant: self._compile_viewer_constant,
            EmbeddedObject: self._compile_embedded_object,
            ToOne: self._compile_to_one,
            RelatedColumn: self._compile_related_column,
            ToMany: self._compile_to_many,
            OptionalRow: self._compile_optional_row,
            ConnectionField: lambda paged, at: compile_connection(
                self, paged, at.field, at.row_scope.alias
            ),
            NodeLookup: self._compile_node_lookup,
            WorkListField: self._compile_work_list,
            AuthorizationField: self._compile_authorization,
        }

    def compile_object(self, object_type: ObjectType, selection: Selection, row: RowScope) -> str:
        """An object of the type, made of the row and what it leads to."""
        pieces, before = [], "{"
        for asked in selection:
            pieces.append(quote_literal(f"{before}{json.dumps(asked.response_key)}:"))
            with self.builder.compiling(asked):
                pieces.append(self.compile_field(object_type, asked, row))
            before = ","
        return SqlConcat.of([*pieces, quote_literal("}" if selection else "{}")])

    def compile_field(self, object_type: ObjectType, field: SelectedField, row: RowScope) -> str:
        if field.name == TYPENAME:
            return quote_literal(json.dumps(object_type.name))
        readable = object_type.fields.get(field.name)
        if readable is None:
            raise NotPlannable(f"{object_type.name}.{field.name}")
        if readable.check_arguments is not None:
            readable.check_arguments(field.arguments)
        return self._compile_masked(FieldContext(object_type, readable, field, row))

    def _compile_masked(self, context: FieldContext) -> str:
        mask, kind = context.spec.mask, context.object_type.kind
        uncovered = self._unmasked(kind, mask, context.row_scope.alias) if mask and kind else "true"
        if uncovered == "false":
            return JSON_NULL
        text = self._compilers[type(context.spec.source)](context.spec.source, context)
        return (
            text
            if uncovered == "true"
            else f"CASE WHEN {uncovered} THEN {text} ELSE {JSON_NULL} END"
        )

    def _unmasked(self, kind: Kind, mask: str, alias: str) -> str:
        """When a field may be seen on a row, which itself may be seen: else it was not read."""
        uncovered = self.builder.row_filter(kind, mask, alias)
        return "true" if uncovered == self.builder.row_filter(kind, "view", alias) else uncovered

    # The decisions of the rule book.

    def _compile_authorization(self, asked: AuthorizationField, context: FieldContext) -> str:
        if asked is AuthorizationField.NEXT_ACTORS:
            return self._compile_next_actors(context)
        write = {
            AuthorizationField.AVAILABLE_ACTIONS: self.actions,
            AuthorizationField.MASKED_FIELDS: self.masks,
        }[asked]
        return _conditional_list(write(context.object_type, context.row_scope))

    def _compile_next_actors(self, context: FieldContext) -> str:
        assert context.object_type.kind is not None, "asked of governed objects only"
        kind, now = context.object_type.kind, self.builder.viewer.now
        rows = ", ".join(
            f"('{role}', '{verb}', {line}, {condition.replace('{t}', '{p}')})"
            for line, (role, verb, condition) in enumerate(
                authorizer.next_actor_filters(kind, now=now)
            )
        )
        if not rows:
            return quote_literal("[]")
        source = f"(SELECT * FROM (VALUES {rows}) AS pair (role, verb, line, applies))"
        return self._compile_to_many(ToMany(source, "{t}.applies", "{t}.line"), context)

    def actions(self, of: ObjectType, row: RowScope) -> list[tuple[str, str]]:
        """The verbs as ``Gate.available`` names them, each with when it is permitted."""
        assert of.kind is not None, "asked of governed objects only"
        return [
            (enum_name(verb.name), self.builder.row_filter(of.kind, verb.name, row.alias))
            for verb in VOCABULARY.kinds[of.kind.name].verbs
            if not verb.is_read and not verb.creates
        ]

    def masks(self, of: ObjectType, row: RowScope) -> list[tuple[str, str]]:
        """The masked fields, each with when it stays empty for this viewer."""
        assert of.kind is not None, "asked of governed objects only"
        covered = {
            verb: _negate(self.builder.row_filter(of.kind, verb, row.alias))
            for verb in of.masks.values()
        }
        return [(name, covered[verb]) for name, verb in of.masks.items()]

    # Values.

    def _compile_column_expr(self, column: ColumnExpr, context: FieldContext) -> str:
        scope = context.scope
        if column.via is not None:
            joined, _ = self._join(
                column.via, self.builder.catalog[column.via.target_type], context
            )
            scope = replace(scope, j=joined)
        return self._compile_value(
            column, scope, context.spec.scalar_format, required=context.spec.required
        )

    def _compile_value(
        self, column: ColumnExpr, scope: NameScope, scalar_format: ScalarFormat, *, required: bool
    ) -> str:
        filled = self.builder.render
        sql, scale, names = (
            filled(part, scope) for part in (column.sql, column.scale, column.id_kind)
        )
        return json_expr(
            replace(column, sql=sql, scale=scale, id_kind=names), scalar_format, required=required
        )

    def _compile_viewer_constant(self, constant: ViewerConstant, _: FieldContext) -> str:
        return quote_literal(json.dumps(constant.value(self.builder.viewer), ensure_ascii=False))

    def _compile_related_column(self, related: RelatedColumn, context: FieldContext) -> str:
        target = self.builder.catalog[related.relation.target_type]
        joined, visible = self._join(related.relation, target, context)
        if visible == "false":
            return JSON_NULL
        return self._compile_value(
            related.column, NameScope(t=joined), context.spec.scalar_format, required=False
        )

    # Objects.

    def _compile_embedded_object(self, embedded: EmbeddedObject, context: FieldContext) -> str:
        """An object out of the same row: the fields of its type as this projection reads them."""
        inner = self.builder.catalog[context.single_type]
        fields = {
            name: replace(inner.fields[name], source=read) for name, read in embedded.fields.items()
        }
        made = ObjectType(inner.name, "", None, fields)
        return self.compile_object(
            made, context.field.selections.get(context.single_type, ()), context.row_scope
        )

    def _compile_to_one(self, to_one: ToOne, context: FieldContext) -> str:
        if to_one.kind:
            object_sql = self._compile_polymorphic(to_one, context, context.scope)
            return f"coalesce({object_sql}, {JSON_NULL})"
        target = self.builder.catalog[to_one.target_type or context.single_type]
        sub = context.field.selections.get(target.name, ())
        if not context.row_scope.has_row:
            key = self.builder.render(to_one.key, context.scope)
            return self.compile_one_or_null(
                target, sub, lambda alias: f"{alias}.{to_one.target_column} = {key}"
            )
        joined, visible = self._join(to_one, target, context)
        if visible == "false":
            return JSON_NULL
        text = self.compile_object(target, sub, RowScope(joined, context.row_scope.joins))
        # Without its row a required object would make the whole JSON NULL. A foreign key of a
        # NOT NULL column guards each of them; ``tests/reading/test_columns.py`` holds that.
        if not context.spec.required:
            key = f"{joined}.{to_one.target_column}"
            return f"CASE WHEN {key} IS NULL THEN {JSON_NULL} ELSE {text} END"
        if visible != "true":
            raise NotPlannable(f"{target.name} may be hidden where it is required")
        return text

    def _join(self, to_one: ToOne, target: ObjectType, context: FieldContext) -> tuple[str, str]:
        """The alias of the row it leads to, and the condition under which the viewer sees it."""
        if to_one.joined_alias:
            return self.builder.render(
                to_one.joined_alias, context.scope
            ), self._visibility_condition(target, "")
        key = self.builder.render(to_one.key, context.scope)
        known = context.row_scope.joined_aliases.get((target.name, to_one.target_column, key))
        if known is not None:
            return known, self._visibility_condition(target, known)
        joined = self.builder.alias()
        visible = self._visibility_condition(target, joined)
        if visible != "false":
            context.row_scope.joined_aliases[target.name, to_one.target_column, key] = joined
            on = conjunction(f"{joined}.{to_one.target_column} = {key}", visible)
            context.row_scope.joins.append(f" LEFT JOIN {target.table} AS {joined} ON {on}")
        return joined, visible

    def _compile_polymorphic(self, to_one: ToOne, context: FieldContext, scope: NameScope) -> str:
        """The object, of whichever kind the row says; NULL where the viewer sees none."""
        key = self.builder.render(to_one.key, scope)
        cases = []
        for name in context.spec.object_types:
            target, sub = self.builder.catalog[name], context.field.selections.get(name, ())
            found = self._subselect(target, sub, lambda alias: f"{alias}.id = {key}")
            if found:
                cases.append(f" WHEN {quote_literal(name)} THEN {found}")
        kind = self.builder.render(to_one.kind, scope)
        return f"CASE {kind}{''.join(cases)} END" if cases else "NULL::text"

    def _compile_node_lookup(self, _: NodeLookup, context: FieldContext) -> str:
        name, _ = context.field.arguments["id"]
        target = self.builder.catalog.get(name)
        if target is None or target.kind is None:
            return JSON_NULL
        key = self.builder.argument(context.field.argument_index, "id", lambda sent: sent["id"][1])
        return self.compile_one_or_null(
            target, context.field.selections.get(name, ()), lambda alias: f"{alias}.id = {key}"
        )

    def compile_one_or_null(self, target: ObjectType, sub: Selection, where: RowCondition) -> str:
        """The object of the type that a condition finds and the viewer may see, else null."""
        found = self._subselect(target, sub, where)
        return f"coalesce({found}, {JSON_NULL})" if found else JSON_NULL

    def _subselect(self, target: ObjectType, sub: Selection, where: RowCondition) -> str:
        """The same as a subselect; empty where the viewer sees none of the type."""
        row = RowScope(self.builder.alias())
        visible = self._visibility_condition(target, row.alias)
        if visible == "false":
            return ""
        text = self.compile_object(target, sub, row)
        wanted = conjunction(where(row.alias), visible)
        return (
            f"(SELECT {text} FROM {target.table} AS {row.alias}{row.join_clauses} WHERE {wanted})"
        )

    def _visibility_condition(self, target: ObjectType, alias: str) -> str:
        return self.builder.row_filter(target.kind, "view", alias)

    # Lists.

    def _compile_to_many(self, to_many: ToMany, context: FieldContext) -> str:
        row = RowScope(self.builder.alias())
        scope = replace(context.scope, t=row.alias)
        with self.builder.in_list():
            if to_many.relation is not None:
                text = self._compile_polymorphic(to_many.relation, context, scope)
            else:
                text = self.compile_object(
                    self.builder.catalog[context.single_type],
                    context.field.selections[context.single_type],
                    row,
                )
        order = self.builder.render(to_many.order, scope)
        limit = (
            f" LIMIT {int(context.field.arguments[to_many.limit_argument])}"
            if to_many.limit_argument
            else ""
        )
        clause = self._compile_from_clause(to_many, row, scope)
        return (
            f"(SELECT '[' || coalesce(string_agg(s.j, ','), '') || ']' FROM"
            f" (SELECT {text} AS j {clause} ORDER BY {order}{limit}) AS s)"
        )

    def _compile_optional_row(self, optional_row: OptionalRow, context: FieldContext) -> str:
        row = RowScope(self.builder.alias())
        text = self.compile_object(
            self.builder.catalog[context.single_type],
            context.field.selections[context.single_type],
            row,
        )
        clause = self._compile_from_clause(optional_row, row, replace(context.scope, t=row.alias))
        found = f"(SELECT {text} {clause})"
        return found if context.spec.required else f"coalesce({found}, {JSON_NULL})"

    def _compile_from_clause(
        self, projection: ToMany | OptionalRow, row: RowScope, scope: NameScope
    ) -> str:
        filled = self.builder.render
        table, joins, wanted = (
            filled(part, scope) for part in (projection.source, projection.joins, projection.where)
        )
        return f"FROM {table} AS {row.alias}{joins}{row.join_clauses} WHERE {wanted}"

    def _compile_work_list(self, work_list: WorkListField, context: FieldContext) -> str:
        parts = work_list_sql(
            self.builder.viewer, work_list.kinds, limit=int(context.field.arguments["first"])
        )
        if not parts:
            return quote_literal("[]")
        return self._compile_to_many(
            ToMany(f"({parts})", "true", "{t}.since, {t}.id, {t}.verb"), context
        )


def _negate(condition: str) -> str:
    return {"true": "false", "false": "true"}.get(condition, f"NOT ({condition})")


def _conditional_list(words: Sequence[tuple[str, str]]) -> str:
    """The list of those words whose condition holds."""
    pieces = []
    for word, condition in words:
        said = quote_literal(f',"{word}"')
        if condition != "false":
            certain = condition == "true"
            pieces.append(said if certain else f"CASE WHEN {condition} THEN {said} ELSE '' END")
    return f"('[' || substr({SqlConcat.of(pieces)}, 2) || ']')" if pieces else quote_literal("[]")
