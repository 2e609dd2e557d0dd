"""From a GraphQL operation to a plan: its arguments, its selection, the key of the cached plan.

The key is everything that decides the text of a plan: the document, the part of the viewer that
the rules distinguish, and ``structural_key`` of the arguments. Everything else is bound.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    Node,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    VariableNode,
    Visitor,
    is_non_null_type,
    visit,
)
from graphql.execution.collect_fields import (
    FragmentDetails,
    GroupedFieldSet,
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
from registry.reading.catalog import Catalog, NodeLookup
from registry.reading.plan import Plan, build_object_plan, build_plan
from registry.reading.selection import ArgumentError, structural_key
from registry.reading.sql_builder import NotPlannable
from schema.documents.cache import ValidatedOperation
from schema.planning.catalog_builder import build_catalog
from schema.planning.selection_builder import (
    BoundArguments,
    BoundOperation,
    FieldArguments,
    PreparedOperation,
    SelectionBuilder,
)

QUERY = "Query"


class BoundPlan(NamedTuple):
    """A plan and the values of its placeholders."""

    plan: Plan
    values: Sequence[object]


class Planner:
    """Makes the plans of one schema; each is kept with the validated operation."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.catalog: Catalog = build_catalog(schema)

    def prepare(self, validated: ValidatedOperation) -> PreparedOperation:
        """All that is known of an operation before its variables are."""
        found = validated.plans.prepared_operation
        if not isinstance(found, PreparedOperation):
            found = validated.plans.prepared_operation = self._prepare_uncached(validated)
        return found

    def _prepare_uncached(self, validated: ValidatedOperation) -> PreparedOperation:
        operation, fragments = validated.operation, validated.fragments
        assert operation is not None, "a document is validated before it is prepared"
        field_arguments = tuple(
            each
            for part in (operation, *fragments.values())
            for each in self._collect_field_arguments(part)
        )
        places = {id(each.node): place for place, each in enumerate(field_arguments)}
        known = {name: FragmentDetails(fragment) for name, fragment in fragments.items()}
        signatures = tuple(
            signature
            for declared in operation.variable_definitions or ()
            if isinstance(
                signature := get_variable_signature(self.schema, declared),
                GraphQLVariableSignature,
            )
        )
        return PreparedOperation(operation, known, field_arguments, places, signatures)

    def plan_query(
        self, operation: ValidatedOperation, variables: Mapping[str, object], viewer: Viewer
    ) -> BoundPlan | None:
        """The plan of a whole query, bound; None where graphql-core has to execute it.

        It executes what has no projection, and reports a malformed variable or argument where it
        belongs.
        """
        try:
            bound = self.coerce_and_bind(operation, variables)
            plan = self.plan_operation(operation, bound, viewer)
            return BoundPlan(plan, plan.values(viewer, bound.arguments))
        except (NotPlannable, ArgumentError):
            return None

    def coerce_and_bind(
        self, validated: ValidatedOperation, sent: Mapping[str, object]
    ) -> BoundOperation:
        """The operation with its variables, coerced as the executor does."""
        if not is_query(validated):
            raise NotPlannable("no query")
        return self.bind(validated, self._coerce_variables(validated, sent))

    def bind(self, validated: ValidatedOperation, variables: VariableValues) -> BoundOperation:
        """The same for variables that are coerced already, of any operation."""
        prepared = self.prepare(validated)
        arguments = [each.resolve(variables) for each in prepared.field_arguments]
        return BoundOperation(
            variables, arguments, _argument_shapes(prepared, variables, arguments)
        )

    def _coerce_variables(
        self, validated: ValidatedOperation, sent: Mapping[str, object]
    ) -> VariableValues:
        """Constant parts are taken from the prepared operation."""
        signatures = self.prepare(validated).signatures
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature in signatures:
            value = sent.get(signature.name, Undefined)
            if value is Undefined and signature.default is not None:
                return self._coerce_with_defaults(validated, sent)
            sources[signature.name] = VariableValueSource(signature, value)
            if value is not Undefined:
                found = coerced[signature.name] = coerce_input_value(value, signature.type)
                if found is Undefined:
                    raise NotPlannable(f"${signature.name} is not of its type")
            elif is_non_null_type(signature.type):
                raise NotPlannable(f"${signature.name} is missing")
        return VariableValues(sources, coerced)

    def _coerce_with_defaults(
        self, validated: ValidatedOperation, sent: Mapping[str, object]
    ) -> VariableValues:
        assert validated.operation is not None, "only what was validated has variables"
        declared = validated.operation.variable_definitions or ()
        found = get_variable_values(self.schema, declared, dict(sent))
        if isinstance(found, VariableValues):
            return found
        raise NotPlannable("a variable is not of its type")

    def plan_operation(
        self, validated: ValidatedOperation, bound: BoundOperation, viewer: Viewer
    ) -> Plan:
        """The plan of a whole query, in which the arguments are to be bound."""
        if not is_query(validated):
            raise NotPlannable("no query")

        def make() -> Plan:
            selecting = SelectionBuilder(self.schema, self.prepare(validated), bound)
            return build_plan(self.catalog, QUERY, selecting.build_operation(), viewer)

        return _cached_plan(validated, ("", *_plan_key(bound, viewer)), make)

    def plan_fields(
        self,
        validated: ValidatedOperation,
        bound: BoundOperation,
        viewer: Viewer,
        *,
        object_type: GraphQLObjectType,
        path: Sequence[str | int],
        fields: GroupedFieldSet,
    ) -> Plan:
        """The plan of some fields of one object; see ``build_object_plan``."""

        def make() -> Plan:
            selecting = SelectionBuilder(self.schema, self.prepare(validated), bound)
            selection = selecting.build_selection(object_type, fields)
            return build_object_plan(self.catalog, object_type.name, selection, viewer)

        place = (object_type.name, *path, *fields)
        return _cached_plan(validated, (place, *_plan_key(bound, viewer)), make)

    def _collect_field_arguments(self, part: Node) -> list[FieldArguments]:
        info = TypeInfo(self.schema)
        found: list[FieldArguments] = []
        catalogue, query, mutation = self.catalog, self.schema.query_type, self.schema.mutation_type

        class CollectArguments(Visitor):
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
                found.append(
                    FieldArguments(
                        definition, node, fixed, _plain_variables(definition, node), identified
                    )
                )

        visit(part, TypeInfoVisitor(info, CollectArguments()))
        return found


def is_query(validated: ValidatedOperation) -> bool:
    """Whether the operation is a query."""
    operation = validated.operation
    return operation is not None and operation.operation is OperationType.QUERY


def _plan_key(bound: BoundOperation, viewer: Viewer) -> tuple[Hashable, ...]:
    """The key of a plan, beside the part of the document."""
    return viewer.policy_key, authorizer.edition.version, bound.argument_shapes


def _cached_plan(
    validated: ValidatedOperation, plan_key: Hashable, make: Callable[[], Plan]
) -> Plan:
    """The plan for what decides its text.

    That some field has no projection is kept as well; a refusal is not, for it depends on values.
    """
    found = validated.plans.get(plan_key)
    if found is None:
        try:
            found = make()
        except NotPlannable as error:
            found = NotPlannable(*error.args)
        validated.plans[plan_key] = found
    if isinstance(found, Plan):
        return found
    raise NotPlannable(*getattr(found, "args", ()))


def _argument_shapes(
    prepared: PreparedOperation, variables: VariableValues, arguments: Sequence[BoundArguments]
) -> tuple[object, ...]:
    """The part of the arguments that decides the text of a plan."""
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
            for each, sent in zip(prepared.field_arguments, arguments, strict=True)
            if each.constant is None
        ),
    )


def _plain_variables(definition: GraphQLField, node: FieldNode) -> Mapping[str, str] | None:
    """The variable of each argument; None where an argument is no variable, or has a default."""
    for argument in definition.args.values():
        if argument.default is not None or argument.default_value is not Undefined:
            return None
    sent = {each.name.value: each.value for each in node.arguments or ()}
    if not all(isinstance(value, VariableNode) for value in sent.values()):
        return None
    return {
        definition.args[name].out_name or name: value.name.value
        for name, value in sent.items()
        if isinstance(value, VariableNode)
    }


def _has_variables(node: Node) -> bool:
    found = False

    class FindVariable(Visitor):
        def enter_variable(self, *_: Any) -> None:  # noqa: ANN401 - the library's
            nonlocal found
            found = True

    for argument in getattr(node, "arguments", None) or ():
        if isinstance(argument.value, VariableNode):
            return True
        visit(argument, FindVariable())
    return found
