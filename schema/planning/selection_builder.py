"""From a GraphQL operation and the values of one request to the selection that is planned."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_list_type,
    is_object_type,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature
from graphql.execution.values import VariableValues, get_argument_values

from registry.kernel.errors import Refused
from registry.reading.selection import ArgumentError, Arguments, SelectedField, Selection

BoundArguments = Arguments | GraphQLError | Refused
"""The arguments of one field; or the error that its execution raises."""


@dataclass(frozen=True, slots=True)
class FieldArguments:
    """A field of a document that takes arguments."""

    definition: GraphQLField
    node: FieldNode
    constant: Arguments | None  # The arguments, where none contains a variable; else None.
    # The variable of each argument, where each is one and none has a default.
    variables: Mapping[str, str] | None
    # Parses the global id among them, of a field that looks up any kind of object.
    parse_id: Callable[[str], tuple[str, object]] | None

    def resolve(self, variables: VariableValues) -> BoundArguments:
        """The arguments, or their error; an identifier is its kind and key already."""
        if self.constant is not None:
            return self.constant
        try:
            found = self._argument_values(variables)
            if self.parse_id is not None:
                found["id"] = self.parse_id(found["id"])
        except (GraphQLError, Refused) as error:
            return error
        return found

    def _argument_values(self, variables: VariableValues) -> dict[str, Any]:
        coerced = variables.coerced
        # A variable with a default may still be null where a value is required.
        if self.variables is None or None in coerced.values():
            return get_argument_values(self.definition, self.node, variables)
        return {arg: coerced[name] for arg, name in self.variables.items() if name in coerced}


@dataclass(frozen=True, slots=True)
class PreparedOperation:
    """The part of an operation that is the same for every request."""

    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDetails]
    # The fields with arguments, in document order; ``SelectedField.argument_index`` counts them.
    field_arguments: tuple[FieldArguments, ...]
    index_by_node: Mapping[int, int]  # Their indexes by the identity of the node.
    # Of the variables that the operation declares.
    signatures: tuple[GraphQLVariableSignature, ...]


@dataclass(frozen=True, slots=True)
class BoundOperation:
    """An operation with the values of one request; the viewer is not part of it."""

    variables: VariableValues
    arguments: list[Any]  # Of every field that takes any, by index; or its error.
    argument_shapes: Hashable  # The part of them that decides the text of a plan.


class SelectionBuilder:
    """Builds selections of one request."""

    def __init__(
        self, schema: GraphQLSchema, prepared: PreparedOperation, bound: BoundOperation
    ) -> None:
        self._schema, self._prepared, self._bound = schema, prepared, bound
        root = self._schema.query_type
        assert root is not None, "the schema has queries"
        self._root = root

    def build_operation(self) -> Selection:
        prepared = self._prepared
        fields = collect_fields(
            self._schema,
            prepared.fragments,
            self._bound.variables,
            self._root,
            prepared.operation,
        )
        return self.build_selection(self._root, fields.grouped_field_set)

    def build_selection(self, of: GraphQLObjectType, fields: GroupedFieldSet) -> Selection:
        return [self.build_field(of, key, details) for key, details in fields.items()]

    def build_field(
        self, of: GraphQLObjectType, key: str, details: FieldDetailsList
    ) -> SelectedField:
        node = details[0].node
        place = self._prepared.index_by_node.get(id(node), -1)
        args = self._bound.arguments[place] if place >= 0 else {}
        if isinstance(args, Exception):
            raise ArgumentError((key,), place, args)
        try:
            below = self._build_subselections(of, details)
        except ArgumentError as error:
            index = (0,) if self._is_list(of, node) else ()
            raise ArgumentError(
                (key, *index, *error.path), error.argument_index, error.cause
            ) from error
        return SelectedField(key, node.name.value, place, args, below)

    def _is_list(self, of: GraphQLObjectType, node: FieldNode) -> bool:
        definition = self._schema.get_field(of, node.name.value)
        return definition is not None and is_list_type(get_nullable_type(definition.type))

    def _build_subselections(
        self, of: GraphQLObjectType, details: FieldDetailsList
    ) -> Mapping[str, Selection]:
        definition = self._schema.get_field(of, details[0].node.name.value)
        named = get_named_type(definition.type) if definition else None
        if is_abstract_type(named):
            possible: Sequence[GraphQLObjectType] = self._schema.get_possible_types(named)
        else:
            possible = (named,) if is_object_type(named) else ()
        return {
            each.name: self.build_selection(
                each,
                collect_subfields(
                    self._schema,
                    self._prepared.fragments,
                    self._bound.variables,
                    self._prepared.operation,
                    each,
                    details,
                ).grouped_field_set,
            )
            for each in possible
        }
