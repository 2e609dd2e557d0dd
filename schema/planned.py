"""From a GraphQL operation to a plan: its selection, its arguments, the key a plan is kept under.

A plan is kept for everything that decides its text: the document, who asks as far as the rules
distinguish, and of the arguments what ``selection.shape`` tells. Everything else is bound.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    get_named_type,
    is_abstract_type,
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
from graphql.execution.values import VariableValues, get_argument_values

from registry.errors import Refused
from registry.gate import gate
from registry.reading.catalogue import Catalogue, Identified
from registry.reading.plan import Plan, planned, planned_field
from registry.reading.selection import Arguments, Field, Selection, shape
from registry.reading.statement import Unplanned
from registry.viewer import Viewer
from schema.readable import catalogue_of

PLANS_MAX = 1_000
QUERY = "Query"

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Latest(OrderedDict[K, V]):
    """A bounded memory: what was used longest ago is forgotten first."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def recall(self, key: K) -> V | None:
        """What is remembered, which is then the latest used."""
        found = self.get(key)
        if found is not None:
            self.move_to_end(key)
        return found

    def remember(self, key: K, value: V) -> None:
        """Keep it, and forget the oldest where there are too many."""
        self[key] = value
        if len(self) > self._most:
            self.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Taking:
    """A field of a document that takes arguments.

    Attributes:
        fixed: the arguments, where no variable stands in them; else None.
        identified: tells the kind of the object that they name, for a field that leads anywhere.

    """

    definition: GraphQLField
    node: FieldNode
    fixed: Arguments | None
    identified: Callable[[Arguments], object] | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """One query of a document, as far as it is the same for every request.

    Attributes:
        text: what was sent, and the name of the operation.
        takings: the fields with arguments, in their order; their places are those of ``Field``.
        places: the same by the identity of the node.

    """

    text: tuple[str, str | None]
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDetails]
    takings: tuple[Taking, ...]
    places: Mapping[int, int] = field(default_factory=dict)


class Planner:
    """Makes and keeps the plans of one schema."""

    def __init__(self, schema: GraphQLSchema, *, most: int = PLANS_MAX) -> None:
        self.schema = schema
        self.catalogue: Catalogue = catalogue_of(schema)
        self._plans: Latest[Hashable, Plan | Unplanned] = Latest(most)
        self._prepared: Latest[tuple[str, str | None], Prepared] = Latest(most)

    def prepared(
        self, operation: OperationDefinitionNode, fragments: Iterable[FragmentDefinitionNode]
    ) -> Prepared:
        """What can be known of a valid query before its variables are.

        Args:
            operation: the query, as it was parsed.
            fragments: those of its document.

        """
        text = operation.loc.source.body if operation.loc else ""
        told = (text, operation.name.value if operation.name else None)
        found = self._prepared.recall(told)
        # The same text may have been parsed again.
        if found is None or found.operation is not operation:
            found = self._prepare(told, operation, list(fragments))
            self._prepared.remember(told, found)
        return found

    def _prepare(
        self,
        told: tuple[str, str | None],
        operation: OperationDefinitionNode,
        fragments: list[FragmentDefinitionNode],
    ) -> Prepared:
        takings = tuple(
            taking for part in (operation, *fragments) for taking in self._takings(part)
        )
        places = {id(taking.node): place for place, taking in enumerate(takings)}
        known = {fragment.name.value: FragmentDetails(fragment) for fragment in fragments}
        return Prepared(told, operation, known, takings, places)

    def whole(
        self, prepared: Prepared, variables: VariableValues, viewer: Viewer
    ) -> tuple[Plan, list[Arguments]]:
        """The plan of the whole operation, with the arguments to bind in it.

        Raises:
            Unplanned: the ordinary way must answer.

        """
        asked = arguments(prepared, variables)

        def make() -> Plan:
            root = self.schema.query_type
            assert root is not None, "the schema has queries"
            selecting = _Selecting(self, prepared, variables, asked)
            fields = collect_fields(
                self.schema, prepared.fragments, variables, root, prepared.operation
            ).grouped_field_set
            return planned(self.catalogue, QUERY, selecting.selection(root, fields), viewer)

        return self._known("", prepared, variables, viewer, asked, make), asked

    def one(
        self,
        prepared: Prepared,
        variables: VariableValues,
        viewer: Viewer,
        *,
        key: str,
        details: FieldDetailsList,
    ) -> tuple[Plan, list[Arguments]]:
        """The plan of one field of the root, with the arguments to bind in it.

        Raises:
            Unplanned: its resolver must answer.

        """
        asked = arguments(prepared, variables)

        def make() -> Plan:
            root = self.schema.query_type
            assert root is not None, "the schema has queries"
            selecting = _Selecting(self, prepared, variables, asked)
            return planned_field(self.catalogue, QUERY, selecting.field(root, key, details), viewer)

        return self._known(key, prepared, variables, viewer, asked, make), asked

    def _known(  # noqa: PLR0917 - everything that decides the text of a plan
        self,
        key: str,
        prepared: Prepared,
        variables: VariableValues,
        viewer: Viewer,
        asked: Sequence[Arguments],
        make: Callable[[], Plan],
    ) -> Plan:
        told = (prepared.text, key, _standing(viewer), _shapes(prepared, variables, asked))
        found = self._plans.recall(told)
        if found is None:
            try:
                found = make()
            except Unplanned as error:
                found = error
            self._plans.remember(told, found)
        if isinstance(found, Unplanned):
            raise Unplanned(*found.args)
        return found

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
                kind = _kind_named(read) if isinstance(read, Identified) else None
                fixed = None if _varies(node) else get_argument_values(definition, node)
                found.append(Taking(definition, node, fixed, kind))

        visit(part, TypeInfoVisitor(info, Taken()))
        return found


class _Selecting:
    """Writes one operation as a selection."""

    def __init__(
        self,
        planner: Planner,
        prepared: Prepared,
        variables: VariableValues,
        asked: Sequence[Arguments],
    ) -> None:
        self._schema, self._prepared = planner.schema, prepared
        self._variables, self._asked = variables, asked

    def selection(self, of: GraphQLObjectType, fields: GroupedFieldSet) -> Selection:
        return [self.field(of, key, details) for key, details in fields.items()]

    def field(self, of: GraphQLObjectType, key: str, details: FieldDetailsList) -> Field:
        node = details[0].node
        place = self._prepared.places.get(id(node), -1)
        args = self._asked[place] if place >= 0 else {}
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
                    self._variables,
                    self._prepared.operation,
                    each,
                    details,
                ).grouped_field_set,
            )
            for each in possible
        }


def arguments(prepared: Prepared, variables: VariableValues) -> list[Arguments]:
    """The arguments of every field that takes some, by its place.

    Raises:
        Unplanned: they are not of their types.

    """
    try:
        return [
            get_argument_values(taking.definition, taking.node, variables)
            if taking.fixed is None
            else taking.fixed
            for taking in prepared.takings
        ]
    except GraphQLError as error:
        raise Unplanned(error.message) from error


def _shapes(
    prepared: Prepared, variables: VariableValues, asked: Sequence[Arguments]
) -> tuple[object, ...]:
    """What of this request decides the text, beside the document."""
    try:
        return (
            tuple(
                (name, value)
                for name, value in variables.coerced.items()
                if value is None or isinstance(value, bool | Enum)
            ),
            *(
                (shape(sent), taking.identified(sent) if taking.identified else None)
                for taking, sent in zip(prepared.takings, asked, strict=True)
                if taking.fixed is None
            ),
        )
    except Refused as error:
        raise Unplanned(error.message.en) from error


def _standing(viewer: Viewer) -> Hashable:
    """What of a viewer the rules distinguish without looking at a row."""
    return (
        viewer.role,
        viewer.may_initiate,
        viewer.may_approve,
        viewer.lapsed,
        viewer.sanctioned,
        viewer.frozen,
        viewer.scopes,
        gate.edition.version,
    )


def _kind_named(read: Identified) -> Callable[[Arguments], object]:
    return lambda sent: read.of(sent["id"])[0]


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
