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
    Catalogue,
    Form,
    Identified,
    Narrowing,
    Paged,
    Read,
    Readable,
    Type,
    Waiting,
)
from registry.reading.projections import Face, Led, Shown
from registry.reading.sql_text import quoted
from schema.framework.global_ids import id_of, parse_global_id
from schema.framework.governed import (
    ABSENT,
    ATTRIBUTE,
    NAMES,
    RELATION,
    Governed,
    attribute_of,
    mask_of,
)
from schema.framework.lists import By, Listing
from schema.framework.projected import FACED, IDENTIFIED, OWN_KEY, WAITING, Faced, few

_DEFINITION = "strawberry-definition"
_FORMS = {
    "ID": Form.IDENTIFIER,
    "Int": Form.NUMBER,
    "Boolean": Form.TRUTH,
    "DateTime": Form.INSTANT,
    "Date": Form.DAY,
    "Money": Form.MONEY,
    "Price": Form.MONEY,
    "Quantity": Form.QUANTITY,
    "Sha256": Form.WORD,
}


def catalogue_of(schema: GraphQLSchema) -> Catalogue:
    """What can be planned of a built schema; a field that says nothing of rows is left out."""
    return {
        name: _type(schema, named)
        for name, named in schema.type_map.items()
        if isinstance(named, GraphQLObjectType) and not is_introspection_type(named)
        if _DEFINITION in named.extensions
    }


def _type(schema: GraphQLSchema, named: GraphQLObjectType) -> Type:
    origin = cast("StrawberryObjectDefinition", named.extensions[_DEFINITION]).origin
    kind: Kind | None = getattr(origin, "KIND", None) if _governed(origin) else None
    fields = {}
    for name, field in named.fields.items():
        own = field.extensions.get(_DEFINITION)
        if isinstance(own, StrawberryField):
            readable = _readable(schema, field, own, kind)
            if readable is not None:
                fields[name] = readable
    masks = cast("type[Governed]", origin).masks() if kind else {}
    return Type(named.name, _table(origin, kind), kind, fields, masks)


def _governed(origin: type) -> bool:
    return issubclass(origin, Governed)


def _table(origin: type, kind: Kind | None) -> str:
    if kind is None:
        return str(getattr(origin, "TABLE", ""))
    return str(kind.record._meta.db_table)  # noqa: SLF001 - Tortoise names its table nowhere else


def _readable(
    schema: GraphQLSchema, field: GraphQLField, own: StrawberryField, kind: Kind | None
) -> Readable | None:
    said = own.metadata.get(FACED)
    read = _read(schema, own, said, kind)
    if read is None:
        return None
    faced = said if isinstance(said, Faced) else None
    accepts = few if said == WAITING else faced.accepts if faced else None
    return Readable(
        read,
        form=_form(field),
        to=_leads_to(schema, field),
        required=isinstance(field.type, GraphQLNonNull),
        mask=mask_of(kind, own) if kind else "",
        arguments=_arguments(field, own, faced.reads if faced else {}),
        accepts=accepts,
    )


def _read(
    schema: GraphQLSchema, own: StrawberryField, said: object, kind: Kind | None
) -> Read | None:
    if isinstance(said, Listing):
        return _paged(said)
    if said == IDENTIFIED:
        return Identified(parse_global_id)
    if said == WAITING:
        return Waiting(tuple(_kinds(schema)))
    if isinstance(said, Faced):
        face = said.face() if callable(said.face) else said.face
        return Shown("{t}.id", names=kind.name) if face is OWN_KEY and kind else face
    if ATTRIBUTE in own.metadata:
        return _declared(own, kind)
    # A field without a resolver shows the column it is called after.
    return Shown(f"{{t}}.{own.python_name}") if own.base_resolver is None else None


def _declared(own: StrawberryField, kind: Kind | None) -> Face:
    """What ``column`` and ``relation`` say."""
    assert kind is not None, "columns are of governed objects"
    column = _column(kind, attribute_of(own))
    if own.metadata.get(RELATION):
        return Led(column)
    absent, names = own.metadata.get(ABSENT), str(own.metadata.get(NAMES, ""))
    return Shown(
        f"NULLIF({column}, {_literal(absent)})" if absent is not None else column, names=names
    )


def _column(kind: Kind, attribute: str) -> str:
    columns = kind.record._meta.fields_db_projection  # noqa: SLF001 - Tortoise's own catalogue
    return f"{{t}}.{columns[attribute]}"


def _literal(value: object) -> str:
    if isinstance(value, datetime):
        return f"{quoted(value.isoformat())}::timestamptz"
    return quoted(str(value))


def _paged(listing: Listing) -> Paged:
    return Paged(
        to=listing.kind.name,
        orders=listing.orders,
        where={_camel(name): _narrowing(name, by) for name, by in listing.where.items()},
        parent=listing.parent,
        sums={_camel(name): each.column for name, each in listing.sums.items()},
    )


def _narrowing(name: str, by: By) -> Narrowing:
    def reads(sent: str) -> object:
        return id_of(by.kind, sent, field=f"where.{name}")

    return Narrowing(by.column, array=by.array, reads=reads if by.kind else None)


def _form(field: GraphQLField) -> Form:
    named = get_named_type(field.type)
    if isinstance(named, GraphQLEnumType):
        return Form.WORD
    if isinstance(get_nullable_type(field.type), GraphQLList):
        return Form.TEXTS
    return _FORMS.get(named.name, Form.TEXT)


def _leads_to(schema: GraphQLSchema, field: GraphQLField) -> tuple[str, ...]:
    named = get_named_type(field.type)
    if isinstance(named, GraphQLInterfaceType):
        return tuple(sorted(of.name for of in schema.get_implementations(named).objects))
    return (named.name,) if isinstance(named, GraphQLObjectType) else ()


def _arguments(
    field: GraphQLField, own: StrawberryField, reads: Mapping[str, Callable[[Any], object]]
) -> Mapping[str, Argument]:
    names = {_camel(argument.python_name): argument.python_name for argument in own.arguments}
    return {names[name]: Argument(name, reads.get(names[name])) for name in field.args}


def _kinds(schema: GraphQLSchema) -> list[Kind]:
    """The kinds that the schema has a type for, in the order of the vocabulary."""
    found = (schema.type_map.get(name) for name in VOCABULARY.kinds)
    return [
        cast("StrawberryObjectDefinition", named.extensions[_DEFINITION]).origin.KIND
        for named in found
        if named is not None
    ]


def _camel(name: str) -> str:
    head, *rest = name.rstrip("_").split("_")
    return head + "".join(word.capitalize() for word in rest)
