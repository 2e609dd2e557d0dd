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
from strawberry.utils.str_converters import to_camel_case

from policies.vocabulary import VOCABULARY
from registry.access.kinds import Kind
from registry.db.tortoise_engine import meta_of
from registry.reading.catalog import (
    Argument,
    Catalog,
    FieldSource,
    FieldSpec,
    ObjectType,
    ScalarFormat,
    WorkListField,
)
from registry.reading.projections import ColumnExpr, Projection, ToOne
from registry.reading.sql_text import quote_literal
from schema.framework.fields import (
    OWN_CAPTION,
    OWN_ID,
    PROJECTION_KEY,
    ColumnField,
    ProjectedField,
    attribute_of,
    column_field,
    mask_of,
)
from schema.framework.governed import Governed

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
    """The readable types of a built schema, from the projections of their declared fields."""
    return {
        name: _object_type(schema, named)
        for name, named in schema.type_map.items()
        if isinstance(named, GraphQLObjectType) and not is_introspection_type(named)
        if _DEFINITION in named.extensions
    }


def _object_type(schema: GraphQLSchema, named: GraphQLObjectType) -> ObjectType:
    origin = cast("StrawberryObjectDefinition", named.extensions[_DEFINITION]).origin
    kind = _kind_of(origin)
    fields = {}
    for name, field in named.fields.items():
        own = field.extensions.get(_DEFINITION)
        if isinstance(own, StrawberryField):
            readable = _field_spec(schema, field, own, origin)
            if readable is not None:
                fields[name] = readable
    masks = cast("type[Governed]", origin).masked_by() if kind else {}
    return ObjectType(named.name, _table_name(origin, kind), kind, fields, masks)


def _kind_of(origin: type) -> Kind | None:
    return getattr(origin, "KIND", None) if issubclass(origin, Governed) else None


def _table_name(origin: type, kind: Kind | None) -> str:
    if kind is None:
        return str(getattr(origin, "TABLE", ""))
    return str(meta_of(kind.record).db_table)


def _field_spec(
    schema: GraphQLSchema, field: GraphQLField, own: StrawberryField, origin: type
) -> FieldSpec | None:
    kind = _kind_of(origin)
    declared, shown = own.metadata.get(PROJECTION_KEY), column_field(own)
    if isinstance(declared, ProjectedField):
        source = _field_source(schema, declared, origin)
    elif shown is not None:
        declared, source = None, _column_source(own, shown, kind)
    else:
        return None
    return FieldSpec(
        source,
        scalar_format=_scalar_format(field),
        object_types=_target_types(schema, field),
        required=isinstance(field.type, GraphQLNonNull),
        mask=mask_of(kind, own) if kind else "",
        arguments=_argument_specs(field, own, declared.argument_parsers if declared else {}),
        check_arguments=declared.check_arguments if declared else None,
        needs_appointment=declared.needs_appointment if declared else True,
    )


def _field_source(schema: GraphQLSchema, declared: ProjectedField, origin: type) -> FieldSource:
    kind = _kind_of(origin)
    source = declared.projection() if callable(declared.projection) else declared.projection
    if isinstance(source, WorkListField):
        return WorkListField(tuple(_schema_kinds(schema)))
    if source is OWN_CAPTION:
        return cast("type[Governed]", origin).CAPTION
    return ColumnExpr("{t}.id", id_kind=kind.name) if source is OWN_ID and kind else source


def _column_source(own: StrawberryField, shown: ColumnField, kind: Kind | None) -> Projection:
    """The projection of a ``column`` or ``relation``."""
    if shown.projection is not None:
        return shown.projection
    column = _column_sql(kind, attribute_of(own))
    if shown.is_relation:
        return ToOne(column)
    absent = shown.null_value
    return ColumnExpr(
        f"NULLIF({column}, {_sql_literal(absent)})" if absent is not None else column,
        id_kind=shown.target_kind,
    )


def _column_sql(kind: Kind | None, attribute: str) -> str:
    if kind is None:
        return f"{{t}}.{attribute}"
    columns = meta_of(kind.record).fields_db_projection
    return f"{{t}}.{columns[attribute]}"


def _sql_literal(value: object) -> str:
    if isinstance(value, datetime):
        return f"{quote_literal(value.isoformat())}::timestamptz"
    return quote_literal(str(value))


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
    names = {to_camel_case(sent.python_name): sent.python_name for sent in own.arguments}
    return {names[name]: Argument(name, parsers.get(names[name])) for name in field.args}


def _schema_kinds(schema: GraphQLSchema) -> list[Kind]:
    """The kinds that the schema has a type for, in the order of the vocabulary."""
    found = (schema.type_map.get(name) for name in VOCABULARY.kinds)
    return [
        cast("StrawberryObjectDefinition", named.extensions[_DEFINITION]).origin.KIND
        for named in found
        if named is not None
    ]
