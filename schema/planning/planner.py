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

from registry.access.authorizer import gate
from registry.access.principals import Viewer
from registry.kernel.errors import Refused
from registry.reading.catalog import Catalogue, Identified
from registry.reading.plan import Plan, planned, planned_field
from registry.reading.selection import Arguments, Field, Selection, shape
from registry.reading.sql_builder import Unplanned
from schema.documents.cache import Admitted
from schema.planning.catalog_builder import catalogue_of

QUERY = "Query"


@dataclass(frozen=True, slots=True)
class Taking:
    """A field of a document that takes arguments.

    Attributes:
        fixed: the arguments, where no variable stands in them; else None.
        identified: reads the identifier among them, of a field that leads anywhere, once for all.

    """

    definition: GraphQLField
    node: FieldNode
    fixed: Arguments | None
    identified: Callable[[str], tuple[str, object]] | None

    def of(self, variables: VariableValues) -> Arguments:
        """The arguments; an identifier is its kind and key already."""
        if self.fixed is not None:
            return self.fixed
        found = get_argument_values(self.definition, self.node, variables)
        if self.identified is not None:
            found["id"] = self.identified(found["id"])
        return found


@dataclass(frozen=True, slots=True)
class Prepared:
    """One query of a document, as far as it is the same for every request.

    Attributes:
        takings: the fields with arguments, in their order; their places are those of ``Field``.
        places: the same by the identity of the node.
        signatures: of the variables it declares.

    """

    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDetails]
    takings: tuple[Taking, ...]
    places: Mapping[int, int]
    signatures: tuple[GraphQLVariableSignature, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """What one request asks of a query, whoever sends it.

    Attributes:
        variables: coerced.
        arguments: of every field that takes some, by its place.
        shapes: what of them decides the text of a plan.

    """

    variables: VariableValues
    arguments: list[Arguments]
    shapes: Hashable


class Planner:
    """Makes the plans of one schema; each is kept with the operation that was admitted."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.catalogue: Catalogue = catalogue_of(schema)

    def prepared(self, admitted: Admitted) -> Prepared:
        """What can be known of a query before its variables are.

        Raises:
            Unplanned: it is no query.

        """
        found = admitted.plans.prepared
        if not isinstance(found, Prepared):
            found = admitted.plans.prepared = self._prepare(admitted)
        return found

    def _prepare(self, admitted: Admitted) -> Prepared:
        operation, fragments = admitted.operation, admitted.fragments
        if operation is None or operation.operation is not OperationType.QUERY:
            raise Unplanned("no query")
        takings = tuple(
            taking for part in (operation, *fragments.values()) for taking in self._takings(part)
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
        return Prepared(operation, known, takings, places, signatures)

    def asking(self, admitted: Admitted, sent: Mapping[str, object]) -> Asking:
        """What is asked with the variables that were sent, coerced as the executor does.

        Raises:
            Unplanned: it is no query, or what was sent is not of its type.

        """
        return self.asking_with(admitted, self._variables(admitted, sent))

    def asking_with(self, admitted: Admitted, variables: VariableValues) -> Asking:
        """The same with variables that are coerced already.

        Raises:
            Unplanned: likewise.

        """
        prepared = self.prepared(admitted)
        arguments = _arguments(prepared, variables)
        return Asking(variables, arguments, _shapes(prepared, variables, arguments))

    def _variables(self, admitted: Admitted, sent: Mapping[str, object]) -> VariableValues:
        """What is known of them beforehand is not looked up again."""
        signatures = self.prepared(admitted).signatures
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature in signatures:
            value = sent.get(signature.name, Undefined)
            if value is Undefined and signature.default is not None:
                return self._with_defaults(admitted, sent)
            sources[signature.name] = VariableValueSource(signature, value)
            if value is not Undefined:
                found = coerced[signature.name] = coerce_input_value(value, signature.type)
                if found is Undefined:
                    raise Unplanned(f"${signature.name} is not of its type")
            elif is_non_null_type(signature.type):
                raise Unplanned(f"${signature.name} is missing")
        return VariableValues(sources, coerced)

    def _with_defaults(self, admitted: Admitted, sent: Mapping[str, object]) -> VariableValues:
        assert admitted.operation is not None, "only what was admitted has variables"
        declared = admitted.operation.variable_definitions or ()
        found = get_variable_values(self.schema, declared, dict(sent))
        if isinstance(found, VariableValues):
            return found
        raise Unplanned("a variable is not of its type")

    def whole(self, admitted: Admitted, asking: Asking, viewer: Viewer) -> Plan:
        """The plan of the whole operation, in which the arguments are to be bound.

        Raises:
            Unplanned: the ordinary way must answer.

        """

        def make() -> Plan:
            selecting = _Selecting(self, self.prepared(admitted), asking)
            return planned(self.catalogue, QUERY, selecting.whole(), viewer)

        return _known(admitted, ("", *_told(asking, viewer)), make)

    def one(
        self,
        admitted: Admitted,
        asking: Asking,
        viewer: Viewer,
        *,
        key: str,
        details: FieldDetailsList,
    ) -> Plan:
        """The plan of one field of the root, in which the arguments are to be bound.

        Raises:
            Unplanned: its resolver must answer.

        """

        def make() -> Plan:
            selecting = _Selecting(self, self.prepared(admitted), asking)
            return planned_field(self.catalogue, QUERY, selecting.one(key, details), viewer)

        return _known(admitted, (key, *_told(asking, viewer)), make)

    def _takings(self, part: Node) -> list[Taking]:
        info = TypeInfo(self.schema)
        found: list[Taking] = []
        catalogue, query = self.catalogue, self.schema.query_type

        class Taken(Visitor):
            def enter_field(self, node: FieldNode, *_: Any) -> None:  # noqa: ANN401 - the library's
                definition, parent = info.get_field_def(), info.get_parent_type()
                if definition is None or not definition.args:
                    return
                name = node.name.value
                known = catalogue[QUERY].fields.get(name) if parent is query else None
                read = known.read if known else None
                identified = read.of if isinstance(read, Identified) else None
                fixed = None
                if identified is None and not _varies(node):
                    fixed = get_argument_values(definition, node)
                found.append(Taking(definition, node, fixed, identified))

        visit(part, TypeInfoVisitor(info, Taken()))
        return found


class _Selecting:
    """Writes one operation as a selection."""

    def __init__(self, planner: Planner, prepared: Prepared, asking: Asking) -> None:
        self._schema, self._prepared, self._asking = planner.schema, prepared, asking
        root = self._schema.query_type
        assert root is not None, "the schema has queries"
        self._root = root

    def whole(self) -> Selection:
        prepared = self._prepared
        fields = collect_fields(
            self._schema,
            prepared.fragments,
            self._asking.variables,
            self._root,
            prepared.operation,
        )
        return self.selection(self._root, fields.grouped_field_set)

    def one(self, key: str, details: FieldDetailsList) -> Field:
        return self.field(self._root, key, details)

    def selection(self, of: GraphQLObjectType, fields: GroupedFieldSet) -> Selection:
        return [self.field(of, key, details) for key, details in fields.items()]

    def field(self, of: GraphQLObjectType, key: str, details: FieldDetailsList) -> Field:
        node = details[0].node
        place = self._prepared.places.get(id(node), -1)
        args = self._asking.arguments[place] if place >= 0 else {}
        return Field(key, node.name.value, place, args, self._sub(of, details))

    def _sub(self, of: GraphQLObjectType, details: FieldDetailsList) -> Mapping[str, Selection]:
        definition = self._schema.get_field(of, details[0].node.name.value)
        named = get_named_type(definition.type) if definition else None
        if is_abstract_type(named):
            possible: Sequence[GraphQLObjectType] = self._schema.get_possible_types(named)
        else:
            possible = (named,) if is_object_type(named) else ()
        return {
            each.name: self.selection(
                each,
                collect_subfields(
                    self._schema,
                    self._prepared.fragments,
                    self._asking.variables,
                    self._prepared.operation,
                    each,
                    details,
                ).grouped_field_set,
            )
            for each in possible
        }


def _told(asking: Asking, viewer: Viewer) -> tuple[Hashable, ...]:
    """What decides the text of a plan, beside the part of the document."""
    return viewer.standing, gate.edition.version, asking.shapes


def _known(admitted: Admitted, told: Hashable, make: Callable[[], Plan]) -> Plan:
    """The plan for what decides its text; that none can be made is kept as well."""
    found = admitted.plans.get(told)
    if found is None:
        try:
            found = make()
        except Unplanned as error:
            found = Unplanned(*error.args)
        admitted.plans[told] = found
    if isinstance(found, Plan):
        return found
    raise Unplanned(*getattr(found, "args", ()))


def _arguments(prepared: Prepared, variables: VariableValues) -> list[Arguments]:
    """The arguments of every field that takes some, by its place.

    Raises:
        Unplanned: they are not of their types.

    """
    try:
        return [taking.of(variables) for taking in prepared.takings]
    except GraphQLError as error:
        raise Unplanned(error.message) from error
    except Refused as error:
        raise Unplanned(error.message.en) from error


def _shapes(
    prepared: Prepared, variables: VariableValues, asked: Sequence[Arguments]
) -> tuple[object, ...]:
    """What of this request decides the text, beside the document."""
    if not variables.coerced:
        return ()
    return (
        tuple(
            (name, value)
            for name, value in variables.coerced.items()
            if value is None or isinstance(value, bool | Enum)
        ),
        *(
            shape(sent)
            for taking, sent in zip(prepared.takings, asked, strict=True)
            if taking.fixed is None
        ),
    )


def _varies(node: Node) -> bool:
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
