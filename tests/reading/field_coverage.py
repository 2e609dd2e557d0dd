"""One document for every field that a query can reach, by the shortest way to it."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

_ARGUMENTS = {
    # Any object: ``named`` puts one of the right kind there.
    "Query.node": '(id: "$Node")',
    "Query.certificate": '(number: "HB-131000-2022-00001")',
    "Query.counties": '(city: "131000")',
    "Query.explainPermission": '(kind: ORGANISATION, verb: VIEW, id: "$Organisation")',
    "Account.statement": (
        '(instrument: "$Instrument", since: "2022-01-01T00:00:00Z",'
        ' until: "2023-01-01T00:00:00Z", first: 3)'
    ),
    "*.stateAt": '(asOf: "2022-06-06T00:00:00Z")',
}


@dataclass(frozen=True, slots=True)
class FieldDocument:
    """A field of a type and a document that asks for it alone."""

    type: str
    field: str
    document: str

    @property
    def name(self) -> str:
        """As the schema calls it."""
        return f"{self.type}.{self.field}"


def field_documents(schema: GraphQLSchema, unplanned: frozenset[str]) -> Iterator[FieldDocument]:
    """Every field that is reached without asking for one of the ``unplanned``."""
    root = schema.query_type
    assert root is not None, "the schema has queries"
    queue: deque[tuple[GraphQLObjectType, str, str]] = deque([(root, "{ ", " }")])
    seen = {root.name}
    while queue:
        of, before, after = queue.popleft()
        for name, field in of.fields.items():
            call = name + _selected(of, name, field)
            named = get_named_type(field.type)
            leaf = is_leaf_type(named)
            below = "" if leaf else " { __typename }"
            place = FieldDocument(of.name, name, f"{before}{call}{below}{after}")
            yield place
            if leaf or place.name in unplanned:
                continue
            for each in _possible(schema, named):
                if each.name not in seen:
                    seen.add(each.name)
                    narrowed = f"... on {each.name} {{ " if each is not named else ""
                    closed = " }" if narrowed else ""
                    inner = f"{before}{call.replace('$Node', f'${each.name}')} {{ {narrowed}"
                    queue.append((each, inner, f"{closed} }}{after}"))


def _selected(of: GraphQLObjectType, name: str, field: GraphQLField) -> str:
    said = _ARGUMENTS.get(f"{of.name}.{name}") or _ARGUMENTS.get(f"*.{name}")
    return said or ("(first: 3)" if "first" in field.args else "")


def _possible(schema: GraphQLSchema, named: object) -> list[GraphQLObjectType]:
    if isinstance(named, GraphQLInterfaceType):
        return list(schema.get_possible_types(named))
    assert isinstance(named, GraphQLObjectType), named
    return [named]
