"""The catalogue of what is readable, derived from the types of the API as they were declared."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
)
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from policies.vocabulary import VOCABULARY
from registry.access.kinds import Kind
from registry.reading.catalog import (
    Argument,
    Catalog,
    ConnectionField,
    FieldSource,
    FieldSpec,
    FilterField,
    NodeLookup,
    ObjectType,
    ScalarFormat,
    WorkListField,
)
from registry.reading.projections import ColumnExpr, Projection, ToOne
from registry.reading.sql_text import quote_literal
from schema.framework.global_ids import parse_global_id, parse_id_of_kind
from schema.framework.governed import (
    ATTRIBUTE_KEY,
    NULL_VALUE_KEY,
    RELATION_KEY,
    TARGET_KIND_KEY,
    Governed,
    column_of,
    mask_of,
)
from schema.framework.lists import FilterSpec, ListSpec
from schema.framework.projected import (
    NODE_LOOKUP,
    OWN_ID,
    PROJECTION_KEY,
    WORK_LIST,
    ProjectedField,
    bounded_list,
)

_DEFINITION = "strawberry-definition"
_FORMATS = {
    "ID": ScalarFormat.IDENTIFIER,
    "Int": ScalarFormat.NUMBER,
    "Boolean": ScalarFormat.BOOLEAN,
    "DateTime": ScalarFormat.DATETIME,
    "Date": ScalarFormat.DATE,
    "Money": ScalarFormat.MONEY,
    "Price": ScalarFormat.MONEY,
    "Quantity": ScalarFormat.QUANTITY,
    "Sha256": ScalarFormat.PLAIN,
}


def build_catalog(schema: GraphQLSchema) -> Catalog:
    """What can be planned of a built schema; a field that says nothing of rows is left out."""
    return {
        name: _object_type(schema, named)
        for name, named in schema.type_map.items()
        if isinstance(named, GraphQLObjectType) and not is_introspection_type(named)
        if _DEFINITION in named.extensions
    }


def _object_type(schema: GraphQLSchema, named: GraphQLObjectType) -> ObjectType:
    origin = cast("StrawberryObjectDefinition", named.extensions[_DEFINITION]).origin
    kind: Kind | None = getattr(origin, "KIND", None) if _is_governed(origin) else None
    fields = {}
    for name, field in named.fields.items():
        own = field.extensions.get(_DEFINITION)
        if isinstance(own, StrawberryField):
            readable = _field_spec(schema, field, own, kind)
            if readable is not None:
                fields[name] = readable
    masks = cast("type[Governed]", origin).masked_by() if kind else {}
    return ObjectType(named.name, _table_name(origin, kind), kind, fields, masks)


def _is_governed(origin: type) -> bool:
    return issubclass(origin, Governed)


def _table_name(origin: type, kind: Kind | None) -> str:
    if kind is None:
        return str(getattr(origin, "TABLE", ""))
    return str(kind.record._meta.db_table)  # noqa: SLF001 - Tortoise names its table nowhere else


def _field_spec(
    schema: GraphQLSchema, field: GraphQLField, own: StrawberryField, kind: Kind | None
) -> FieldSpec | None:
    said = own.metadata.get(PROJECTION_KEY)
    read = _field_source(schema, own, said, kind)
    if read is None:
        return None
    faced = said if isinstance(said, ProjectedField) else None
    accepts = bounded_list if said == WORK_LIST else faced.check_arguments if faced else None
    return FieldSpec(
        read,
        scalar_format=_scalar_format(field),
        object_types=_target_types(schema, field),
        required=isinstance(field.type, GraphQLNonNull),
        mask=mask_of(kind, own) if kind else "",
        arguments=_argument_specs(field, own, faced.argument_parsers if faced else {}),
        check_arguments=accepts,
    )


def _field_source(
    schema: GraphQLSchema, own: StrawberryField, declared: object, kind: Kind | None
) -> FieldSource | None:
    if isinstance(declared, ListSpec):
        return _connection_field(declared)
    if declared == NODE_LOOKUP:
        return NodeLookup(parse_global_id)
    if declared == WORK_LIST:
        return WorkListField(tuple(_schema_kinds(schema)))
    if isinstance(declared, ProjectedField):
        face = declared.projection() if callable(declared.projection) else declared.projection
        return ColumnExpr("{t}.id", id_kind=kind.name) if face is OWN_ID and kind else face
    if ATTRIBUTE_KEY in own.metadata:
        return _declared_projection(own, kind)
    # A field without a resolver shows the column it is called after.
    return ColumnExpr(f"{{t}}.{own.python_name}") if own.base_resolver is None else None


def _declared_projection(own: StrawberryField, kind: Kind | None) -> Projection:
    """What ``column`` and ``relation`` say."""
    assert kind is not None, "columns are of governed objects"
    column = _column_sql(kind, column_of(own))
    if own.metadata.get(RELATION_KEY):
        return ToOne(column)
    absent, names = own.metadata.get(NULL_VALUE_KEY), str(own.metadata.get(TARGET_KIND_KEY, ""))
    return ColumnExpr(
        f"NULLIF({column}, {_sql_literal(absent)})" if absent is not None else column, id_kind=names
    )


def _column_sql(kind: Kind, attribute: str) -> str:
    columns = kind.record._meta.fields_db_projection  # noqa: SLF001 - Tortoise's own catalogue
    return f"{{t}}.{columns[attribute]}"


def _sql_literal(value: object) -> str:
    if isinstance(value, datetime):
        return f"{quote_literal(value.isoformat())}::timestamptz"
    return quote_literal(str(value))


def _connection_field(listing: ListSpec) -> ConnectionField:
    return ConnectionField(
        node_type=listing.kind.name,
        orders=listing.orders,
        filters={_camel_case(name): _filter_field(name, by) for name, by in listing.where.items()},
        parent_column=listing.parent,
        totals={_camel_case(name): each.column for name, each in listing.totals.items()},
    )


def _filter_field(name: str, by: FilterSpec) -> FilterField:
    def reads(sent: str) -> object:
        return parse_id_of_kind(by.kind, sent, field=f"where.{name}")

    return FilterField(by.column, is_array=by.is_array, parse=reads if by.kind else None)


def _scalar_format(field: GraphQLField) -> ScalarFormat:
    named = get_named_type(field.type)
    if isinstance(named, GraphQLEnumType):
        return ScalarFormat.ENUM
    if isinstance(get_nullable_type(field.type), GraphQLList):
        return ScalarFormat.TEXT_LIST
    return _FORMATS.get(named.name, ScalarFormat.TEXT)


def _target_types(schema: GraphQLSchema, field: GraphQLField) -> tuple[str, ...]:
    named = get_named_type(field.type)
    if isinstance(named, GraphQLInterfaceType):
        return tuple(sorted(of.name for of in schema.get_implementations(named).objects))
    return (named.name,) if isinstance(named, GraphQLObjectType) else ()


def _argument_specs(
    field: GraphQLField, own: StrawberryField, parsers: Mapping[str, Callable[[Any], object]]
) -> Mapping[str, Argument]:
    names = {_camel_case(argument.python_name): argument.python_name for argument in own.arguments}
    return {names[name]: Argument(name, parsers.get(names[name])) for name in field.args}


def _schema_kinds(schema: GraphQLSchema) -> list[Kind]:
    """The kinds that the schema has a type for, in the order of the vocabulary."""
    found = (schema.type_map.get(name) for name in VOCABULARY.kinds)
    return [
        cast("StrawberryObjectDefinition", named.extensions[_DEFINITION]).origin.KIND
        for named in found
        if named is not None
    ]


def _camel_case(name: str) -> str:
    head, *rest = name.rstrip("_").split("_")
    return head + "".join(word.capitalize() for word in rest)
