"""From a GraphQL operation to a plan: its selection, its arguments, the key a plan is kept under.

A plan is kept for everything that decides its text: the document, who asks as far as the rules
distinguish, and of the arguments what ``selection.shape`` tells. Everything else is bound.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    VariableNode,
    Visitor,
    get_named_type,
    is_abstract_type,
    is_non_null_type,
    is_object_type,
    visit,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.get_variable_signature import (
    GraphQLVariableSignature,
    get_variable_signature,
)
from graphql.execution.values import (
    VariableValues,
    VariableValueSource,
    get_argument_values,
    get_variable_values,
)
from graphql.utilities import coerce_input_value

from registry.access.authorizer import authorizer
from registry.access.principals import Viewer
from registry.kernel.errors import Refused
from registry.reading.catalog import Catalog, NodeLookup
from registry.reading.plan import Plan, build_object_plan, build_plan
from registry.reading.selection import Arguments, SelectedField, Selection, structural_key
from registry.reading.sql_builder import NotPlannable
from schema.documents.cache import ValidatedOperation
from schema.planning.catalog_builder import build_catalog

QUERY = "Query"

BoundArguments = Arguments | GraphQLError | Refused
"""The arguments of one field; or the error that its execution raises."""


@dataclass(frozen=True, slots=True)
class FieldArguments:
    """A field of a document that takes arguments.

    Attributes:
        constant: the arguments, where no variable stands in them; else None.
        parse_id: reads the identifier among them, of a field that leads anywhere, once for all.

    """

    definition: GraphQLField
    node: FieldNode
    constant: Arguments | None
    parse_id: Callable[[str], tuple[str, object]] | None

    def resolve(self, variables: VariableValues) -> BoundArguments:
        """The arguments, or their error; an identifier is its kind and key already."""
        if self.constant is not None:
            return self.constant
        try:
            found = get_argument_values(self.definition, self.node, variables)
            if self.parse_id is not None:
                found["id"] = self.parse_id(found["id"])
        except (GraphQLError, Refused) as error:
            return error
        return found


@dataclass(frozen=True, slots=True)
class PreparedOperation:
    """One query of a document, as far as it is the same for every request.

    Attributes:
        field_arguments: the fields with arguments, in their order; their places are those of
            ``Field``.
        index_by_node: the same by the identity of the node.
        signatures: of the variables it declares.

    """

    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDetails]
    field_arguments: tuple[FieldArguments, ...]
    index_by_node: Mapping[int, int]
    signatures: tuple[GraphQLVariableSignature, ...]


@dataclass(frozen=True, slots=True)
class BoundOperation:
    """What one request asks of a query, whoever sends it.

    Attributes:
        variables: coerced.
        arguments: of every field that takes some, by its place; or its error.
        argument_shapes: what of them decides the text of a plan.

    """

    variables: VariableValues
    arguments: list[Any]
    argument_shapes: Hashable


class Planner:
    """Makes the plans of one schema; each is kept with the operation that was admitted."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.catalog: Catalog = build_catalog(schema)

    def prepare(self, admitted: ValidatedOperation) -> PreparedOperation:
        """All that is known of an operation before its variables are."""
        found = admitted.plans.prepared_operation
        if not isinstance(found, PreparedOperation):
            found = admitted.plans.prepared_operation = self._prepare_uncached(admitted)
        return found

    def _prepare_uncached(self, admitted: ValidatedOperation) -> PreparedOperation:
        operation, fragments = admitted.operation, admitted.fragments
        assert operation is not None, "a document is validated before it is prepared"
        takings = tuple(
            taking
            for part in (operation, *fragments.values())
            for taking in self._collect_field_arguments(part)
        )
        places = {id(taking.node): place for place, taking in enumerate(takings)}
        known = {name: FragmentDetails(fragment) for name, fragment in fragments.items()}
        signatures = tuple(
            signature
            for declared in operation.variable_definitions or ()
            if isinstance(
                signature := get_variable_signature(self.schema, declared),
                GraphQLVariableSignature,
            )
        )
        return PreparedOperation(operation, known, takings, places, signatures)

    def coerce_and_bind(
        self, admitted: ValidatedOperation, sent: Mapping[str, object]
    ) -> BoundOperation:
        """What is asked with the variables that were sent, coerced as the executor does.

        Raises:
            NotPlannable: it is no query, or a variable is not of its type.

        """
        if not is_query(admitted):
            raise NotPlannable("no query")
        return self.bind(admitted, self._coerce_variables(admitted, sent))

    def bind(self, admitted: ValidatedOperation, variables: VariableValues) -> BoundOperation:
        """The same for variables that are coerced already, of any operation."""
        prepared = self.prepare(admitted)
        arguments = [taking.resolve(variables) for taking in prepared.field_arguments]
        return BoundOperation(
            variables, arguments, _argument_shapes(prepared, variables, arguments)
        )

    def _coerce_variables(
        self, admitted: ValidatedOperation, sent: Mapping[str, object]
    ) -> VariableValues:
        """What is known of them beforehand is not looked up again."""
        signatures = self.prepare(admitted).signatures
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature in signatures:
            value = sent.get(signature.name, Undefined)
            if value is Undefined and signature.default is not None:
                return self._coerce_with_defaults(admitted, sent)
            sources[signature.name] = VariableValueSource(signature, value)
            if value is not Undefined:
                found = coerced[signature.name] = coerce_input_value(value, signature.type)
                if found is Undefined:
                    raise NotPlannable(f"${signature.name} is not of its type")
            elif is_non_null_type(signature.type):
                raise NotPlannable(f"${signature.name} is missing")
        return VariableValues(sources, coerced)

    def _coerce_with_defaults(
        self, admitted: ValidatedOperation, sent: Mapping[str, object]
    ) -> VariableValues:
        assert admitted.operation is not None, "only what was admitted has variables"
        declared = admitted.operation.variable_definitions or ()
        found = get_variable_values(self.schema, declared, dict(sent))
        if isinstance(found, VariableValues):
            return found
        raise NotPlannable("a variable is not of its type")

    def plan_operation(
        self, admitted: ValidatedOperation, bound: BoundOperation, viewer: Viewer
    ) -> Plan:
        """The plan of a whole query, in which the arguments are to be bound.

        Raises:
            NotPlannable: it is no query, or some of its fields have no projection.
            Refused, GraphQLError: an argument is malformed.

        """
        if not is_query(admitted):
            raise NotPlannable("no query")

        def make() -> Plan:
            selecting = _SelectionBuilder(self, self.prepare(admitted), bound)
            return build_plan(self.catalog, QUERY, selecting.build_operation(), viewer)

        return _cached_plan(admitted, ("", *_plan_key(bound, viewer)), make)

    def plan_fields(
        self,
        admitted: ValidatedOperation,
        bound: BoundOperation,
        viewer: Viewer,
        *,
        object_type: GraphQLObjectType,
        path: Sequence[str | int],
        fields: GroupedFieldSet,
    ) -> Plan:
        """The plan of some fields of one object; see ``build_object_plan``.

        Raises:
            NotPlannable: some of the fields have no projection.
            Refused, GraphQLError: an argument is malformed.

        """

        def make() -> Plan:
            selecting = _SelectionBuilder(self, self.prepare(admitted), bound)
            selection = selecting.build_selection(object_type, fields)
            return build_object_plan(self.catalog, object_type.name, selection, viewer)

        place = (object_type.name, *path, *fields)
        return _cached_plan(admitted, (place, *_plan_key(bound, viewer)), make)

    def _collect_field_arguments(self, part: Node) -> list[FieldArguments]:
        info = TypeInfo(self.schema)
        found: list[FieldArguments] = []
        catalogue, query, mutation = self.catalog, self.schema.query_type, self.schema.mutation_type

        class Taken(Visitor):
            def enter_field(self, node: FieldNode, *_: Any) -> None:  # noqa: ANN401 - the library's
                definition, parent = info.get_field_def(), info.get_parent_type()
                if definition is None or not definition.args or parent is mutation:
                    return
                name = node.name.value
                known = catalogue[QUERY].fields.get(name) if parent is query else None
                read = known.source if known else None
                identified = read.decode_id if isinstance(read, NodeLookup) else None
                fixed = None
                if identified is None and not _has_variables(node):
                    fixed = get_argument_values(definition, node)
                found.append(FieldArguments(definition, node, fixed, identified))

        visit(part, TypeInfoVisitor(info, Taken()))
        return found


class _SelectionBuilder:
    """Writes one operation as a selection."""

    def __init__(
        self, planner: Planner, prepared: PreparedOperation, asking: BoundOperation
    ) -> None:
        self._schema, self._prepared, self._bound = planner.schema, prepared, asking
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
            raise args
        return SelectedField(
            key, node.name.value, place, args, self._build_subselections(of, details)
        )

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


def is_query(admitted: ValidatedOperation) -> bool:
    """Whether the operation is a query."""
    operation = admitted.operation
    return operation is not None and operation.operation is OperationType.QUERY


def _plan_key(bound: BoundOperation, viewer: Viewer) -> tuple[Hashable, ...]:
    """What decides the text of a plan, beside the part of the document."""
    return viewer.policy_key, authorizer.edition.version, bound.argument_shapes


def _cached_plan(
    admitted: ValidatedOperation, plan_key: Hashable, make: Callable[[], Plan]
) -> Plan:
    """The plan for what decides its text.

    That some field has no projection is kept as well; a refusal is not, for it depends on values.
    """
    found = admitted.plans.get(plan_key)
    if found is None:
        try:
            found = make()
        except NotPlannable as error:
            found = NotPlannable(*error.args)
        admitted.plans[plan_key] = found
    if isinstance(found, Plan):
        return found
    raise NotPlannable(*getattr(found, "args", ()))


def _argument_shapes(
    prepared: PreparedOperation, variables: VariableValues, arguments: Sequence[BoundArguments]
) -> tuple[object, ...]:
    """What of this request decides the text, beside the document."""
    if not variables.coerced:
        return ()
    return (
        tuple(
            (name, value)
            for name, value in variables.coerced.items()
            if value is None or (isinstance(value, bool | Enum) and not isinstance(value, str))
        ),
        *(
            structural_key(sent)
            for taking, sent in zip(prepared.field_arguments, arguments, strict=True)
            if taking.constant is None
        ),
    )


def _has_variables(node: Node) -> bool:
    found = False

    class Looking(Visitor):
        def enter_variable(self, *_: Any) -> None:  # noqa: ANN401 - the library's
            nonlocal found
            found = True

    for argument in getattr(node, "arguments", None) or ():
        if isinstance(argument.value, VariableNode):
            return True
        visit(argument, Looking())
    return found
