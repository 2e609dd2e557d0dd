"""The expected response, from records and the facts' checks, without any SQL of plans.

It knows which objects a viewer sees, in which pages they stand, and the value of every plain
column, mask and relation. Fields that compute something have tests of their own.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from graphql import GraphQLField, GraphQLObjectType, get_named_type
from graphql.execution.collect_fields import (
    FieldDetailsList,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import get_argument_values
from strawberry.types.field import StrawberryField

from policies.vocabulary import VOCABULARY
from registry.access.authorizer import authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.reading.catalog import AuthorizationField, ConnectionField, WorkListField
from registry.reading.enum_names import enum_name
from registry.reading.keyset import Ordering, name_order
from schema.build import GovernedSchema
from schema.framework.fields import OWN_ID, PROJECTION_KEY, attribute_of, column_field, mask_of
from schema.framework.global_ids import parse_global_id, to_global_id
from schema.planning.selection_builder import BoundOperation, PreparedOperation
from tests.reading.oracle_pages import (
    ExpectedPage,
    Json,
    Row,
    assert_shown,
    attribute_of_column,
    compared_values,
    format_fen,
    is_asked,
    keys_between,
    keys_in_order,
    matches,
)

_DEFINITION = "strawberry-definition"


class Oracle:
    """The records of one database, which does not change meanwhile."""

    def __init__(self, schema: GovernedSchema) -> None:
        self.schema = schema
        self._records: dict[str, dict[UUID, Any]] = {}

    async def check(
        self, viewer: Viewer, document: str, sent: Mapping[str, Any], data: dict[str, Any]
    ) -> None:
        """Compare an answer without errors with the records."""
        planner = self.schema.planner
        assert planner is not None
        admitted = self.schema.document_cache.validate(document, None)
        prepared, bound = planner.prepare(admitted), planner.coerce_and_bind(admitted, sent)
        root = planner.schema.query_type
        assert root is not None
        fields = collect_fields(
            planner.schema, prepared.fragments, bound.variables, root, prepared.operation
        ).grouped_field_set
        await _Check(self, viewer, prepared, bound).object(root, None, fields, data)

    async def records(self, kind: Kind) -> dict[UUID, Any]:
        """All records of a kind by key."""
        if kind.name not in self._records:
            self._records[kind.name] = {each.pk: each for each in await kind.record.all()}
        return self._records[kind.name]

    def kind(self, name: str) -> Kind | None:
        """The kind of a type of the API; None where its objects are not governed."""
        of = self.schema._schema.type_map.get(name)
        definition = of.extensions.get(_DEFINITION) if of else None
        kind: Kind | None = getattr(getattr(definition, "origin", None), "KIND", None)
        return kind


class _Check:
    def __init__(
        self, oracle: Oracle, viewer: Viewer, prepared: PreparedOperation, bound: BoundOperation
    ) -> None:
        self.oracle, self.viewer = oracle, viewer
        self.prepared, self.bound = prepared, bound

    async def object(
        self, of: GraphQLObjectType, record: Row, fields: GroupedFieldSet, answer: dict[str, Any]
    ) -> None:
        """An object of a type, made of the record where it is governed."""
        assert list(answer) == list(fields)
        for key, details in fields.items():
            name = details[0].node.name.value
            if name == "__typename":
                assert answer[key] == of.name
            else:
                await self._field(of, record, details, answer[key])

    async def _field(
        self, of: GraphQLObjectType, record: Row, details: FieldDetailsList, value: Json
    ) -> None:
        name = details[0].node.name.value
        field = of.fields[name]
        own: StrawberryField = field.extensions[_DEFINITION]
        declared, kind = own.metadata.get(PROJECTION_KEY), self.oracle.kind(of.name)
        source = declared.projection if declared else None
        if isinstance(source, ConnectionField) and self.oracle.kind(source.node_type):
            await self._page(source, field, record, details, value)
        elif isinstance(source, WorkListField):
            await self._work_list(field, details, value)
        elif name == "node" and record is None:
            await self._node(field, details, value)
        elif kind is not None and source is OWN_ID:
            assert value == to_global_id(kind.name, record.pk)
        elif kind is not None and source is AuthorizationField.NEXT_ACTORS:
            self._next_actors(kind, record, field, details, value)
        elif kind is not None and isinstance(source, AuthorizationField):
            assert value == self._authorized(of, kind, record, source), name
        elif kind is not None and column_field(own) is not None:
            await self._column(kind, own, field, record, details, value)

    # Objects.

    def _sees(self, kind: Kind, record: Row, verb: str = "view") -> bool:
        return authorizer.allows(self.viewer, kind, verb, record)

    async def _one(
        self, kind: Kind, key: UUID | None, details: FieldDetailsList, value: Json
    ) -> None:
        """The governed object with a key, or null where the viewer sees none."""
        record = (await self.oracle.records(kind)).get(key) if key else None
        if record is None or not self._sees(kind, record):
            assert value is None, (kind.name, key)
            return
        of = self.oracle.schema._schema.type_map[kind.name]
        assert isinstance(of, GraphQLObjectType)
        assert value is not None, (kind.name, key)
        await self.object(of, record, self._below(of, details), value)

    def _below(self, of: GraphQLObjectType, details: FieldDetailsList) -> GroupedFieldSet:
        return collect_subfields(
            self.oracle.schema._schema,
            self.prepared.fragments,
            self.bound.variables,
            self.prepared.operation,
            of,
            details,
        ).grouped_field_set

    def _arguments(self, field: GraphQLField, details: FieldDetailsList) -> dict[str, Any]:
        return get_argument_values(field, details[0].node, self.bound.variables)

    async def _node(self, field: GraphQLField, details: FieldDetailsList, value: Json) -> None:
        name, key = parse_global_id(self._arguments(field, details)["id"])
        kind = self.oracle.kind(name) if name in VOCABULARY.kinds else None
        if kind is None:
            assert value is None
        else:
            await self._one(kind, key, details, value)

    def _authorized(
        self, of: GraphQLObjectType, kind: Kind, record: Row, asked: AuthorizationField
    ) -> list[str]:
        if asked is AuthorizationField.AVAILABLE_ACTIONS:
            available = authorizer.available_verbs(self.viewer, kind, record)
            return [enum_name(verb) for verb in available]
        owns = {name: field.extensions[_DEFINITION] for name, field in of.fields.items()}
        masks = {name: mask_of(kind, own) for name, own in owns.items()}
        return [name for name, verb in masks.items() if verb and not self._sees(kind, record, verb)]

    def _next_actors(  # noqa: PLR0917 - a field in its place
        self,
        kind: Kind,
        record: Row,
        field: GraphQLField,
        details: FieldDetailsList,
        value: list[dict[str, Any]],
    ) -> None:
        expected = authorizer.next_actors(kind, record, now=self.viewer.now)
        of = get_named_type(field.type)
        assert isinstance(of, GraphQLObjectType)
        for key, inner in self._below(of, details).items():
            place = {"role": 0, "verb": 1}.get(inner[0].node.name.value)
            if place is not None:
                assert [each[key] for each in value] == [
                    enum_name(pair[place]) for pair in expected
                ]
        assert len(value) == len(expected)

    async def _column(  # noqa: PLR0917 - a field in its place
        self,
        kind: Kind,
        own: StrawberryField,
        field: GraphQLField,
        record: Row,
        details: FieldDetailsList,
        value: Json,
    ) -> None:
        shown, verb = column_field(own), mask_of(kind, own)
        assert shown is not None
        stored = getattr(record, attribute_of(own))
        if shown.null_value is not None and stored == shown.null_value:
            stored = None
        hidden = bool(verb) and not self._sees(kind, record, verb)
        if shown.is_relation:
            target = self.oracle.kind(get_named_type(field.type).name)
            assert target is not None
            await self._one(target, None if hidden else stored, details, value)
        elif hidden or stored is None:
            assert value is None, own.python_name
        elif shown.target_kind:
            assert value == to_global_id(shown.target_kind, stored)
        else:
            assert_shown(field, stored, value)

    # Lists.

    async def _page(  # noqa: PLR0917 - a field in its place
        self,
        paged: ConnectionField,
        field: GraphQLField,
        parent: Row,
        details: FieldDetailsList,
        value: dict[str, Any],
    ) -> None:
        kind = self.oracle.kind(paged.node_type)
        assert kind is not None
        sent = self._arguments(field, details)
        order = str(getattr(sent["orderBy"], "value", sent["orderBy"]))
        ordering, list_order = paged.orders[order], name_order(paged.node_type, order.upper())
        listed = await self._listed(kind, paged, ordering, sent.get("where") or {}, parent)
        page = ExpectedPage(
            kind,
            ordering,
            list_order=list_order,
            sent=sent,
            listed=listed,
            between=await keys_between(kind, ordering, sent, list_order),
        )
        connection = get_named_type(field.type)
        assert isinstance(connection, GraphQLObjectType)
        for key, inner in self._below(connection, details).items():
            await self._of_page(paged, page, connection, inner, value[key])

    async def _of_page(  # noqa: PLR0917 - a field in its place
        self,
        paged: ConnectionField,
        page: ExpectedPage,
        connection: GraphQLObjectType,
        details: FieldDetailsList,
        value: Json,
    ) -> None:
        name, of = details[0].node.name.value, self.oracle.schema._schema.type_map[paged.node_type]
        assert isinstance(of, GraphQLObjectType)
        if name == "totalCount":
            assert value == len(page.listed), (value, len(page.listed))
        elif name in paged.totals:
            column = paged.totals[name]
            rows = [row for row in page.listed if self._uncovered(page.kind, row, {column})]
            total = sum(getattr(row, attribute_of_column(page.kind, column)) for row in rows)
            assert value == format_fen(total), (value, total, len(rows))
        elif name == "nodes":
            assert len(value) == len(page.rows)
            for row, node in zip(page.rows, value, strict=True):
                await self.object(of, row, self._below(of, details), node)
        elif name in {"edges", "pageInfo"}:
            named = get_named_type(connection.fields[name].type)
            assert isinstance(named, GraphQLObjectType)
            below = self._below(named, details)
            if name == "pageInfo":
                page.check_info(below, value)
            else:
                await self._edges(page, of, below, value)

    async def _edges(
        self, page: ExpectedPage, of: GraphQLObjectType, below: GroupedFieldSet, value: Json
    ) -> None:
        assert len(value) == len(page.rows)
        for row, edge in zip(page.rows, value, strict=True):
            for key, inner in below.items():
                if inner[0].node.name.value == "cursor":
                    assert edge[key] == page.cursor(row)
                elif inner[0].node.name.value == "node":
                    await self.object(of, row, self._below(of, inner), edge[key])

    async def _listed(  # noqa: PLR0917 - a field in its place
        self,
        kind: Kind,
        paged: ConnectionField,
        ordering: Ordering,
        where: Mapping[str, Any],
        parent: Row,
    ) -> list[Any]:
        """The rows of the whole list in its order, those that the viewer sees and wants."""
        asked = {name: each for name, each in where.items() if is_asked(each)}
        touched = {paged.filters[name].column for name in asked} | {ordering.column}
        records, found = await self.oracle.records(kind), []
        stored = {name: await compared_values(kind, paged.filters[name], records) for name in asked}
        for key in await keys_in_order(kind, ordering):
            row = records[key]
            wanted = all(
                matches(paged.filters[name], stored[name][key], each)
                for name, each in asked.items()
            )
            if paged.parent_column:
                wanted &= getattr(row, attribute_of_column(kind, paged.parent_column)) == parent.pk
            if wanted and self._sees(kind, row) and self._uncovered(kind, row, touched):
                found.append(row)
        return found

    def _uncovered(self, kind: Kind, row: Row, columns: set[str]) -> bool:
        verbs = [verb for verb, covered in kind.masks.items() if columns.intersection(covered)]
        return all(self._sees(kind, row, verb) for verb in verbs)

    async def _work_list(
        self, field: GraphQLField, details: FieldDetailsList, value: list[dict[str, Any]]
    ) -> None:
        duties = []
        for name, words in VOCABULARY.kinds.items():
            kind = self.oracle.kind(name)
            verbs = [verb.name for verb in words.verbs if verb.creates_task]
            if kind is None or not verbs:
                continue
            since = attribute_of_column(kind, kind.waiting_since_column)
            duties += [
                (getattr(row, since), key, verb, name)
                for key, row in (await self.oracle.records(kind)).items()
                for verb in verbs
                if self._sees(kind, row) and self._sees(kind, row, verb)
            ]
        found = sorted(duties)[: self._arguments(field, details)["first"]]
        assert len(value) == len(found)
        of = get_named_type(field.type)
        assert isinstance(of, GraphQLObjectType)
        for (_, key, verb, name), item in zip(found, value, strict=True):
            known: dict[str, str] = {
                "kind": enum_name(name),
                "verb": enum_name(verb),
                "objectId": to_global_id(name, key),
            }
            for answered, inner in self._below(of, details).items():
                asked = inner[0].node.name.value
                assert asked not in known or item[answered] == known[asked]
