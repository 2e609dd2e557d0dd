"""How large a document may be, and what it costs. Each fragment is measured once.

A list counts by the page it asks for, else by what it declares to hold at most, else as a whole
page; an argument that is no literal number counts as a whole page.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    NamedTypeNode,
    NullValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from registry.kernel.errors import error_extensions

TOO_LARGE = "TOO_LARGE"
PAGE_ARGUMENTS = frozenset({"first", "last"})

MAX_ITEMS = "most"
"""Maximum number of items of a list; 0 where its page has counted them."""

MUTATION_COST, INTROSPECTION_COST = 10, 5_000

_DEFINITION = "strawberry-definition"
_MAX_PAGE_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one document, and the size of the document cache."""

    tokens: int = 2_000  # Words and signs of the document.
    # Fields within fields, introspection not counted (GraphQL has its own limit for that).
    depth: int = 12
    aliases: int = 15  # Renamed fields, each fragment counted as often as it is spread.
    directives: int = 10  # Directives on fields and fragments, counted likewise.
    page: int = 100  # Objects of one page.
    nodes: int = 20_000  # Objects that all lists within lists could yield together.
    roots: int = 10  # Fields at the top, each fragment counted as often as it is spread.
    introspections: int = 2  # Questions to the schema itself, counted likewise.
    cost: int = 20_000  # Points of one operation, see ``Size.cost``.
    document_cache_size: int = 512  # Maximum number of cached documents.
    # Their weight together, parsed; an estimate from above.
    document_cache_bytes: int = 24_000_000


@dataclass(frozen=True, slots=True)
class Complexity:
    """The complexity of a selection; those side by side add up, except the depth."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    nodes: int = 0
    roots: int = 0
    introspections: int = 0

    def combine(self, other: "Complexity") -> "Complexity":
        """Both, as siblings."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in CHECKED_METRICS}
        return Complexity(**{**sums, "depth": max(self.depth, other.depth)})

    def cost(self, kind: OperationType) -> int:
        """Points of an operation.

        One for each field at its top (ten in a mutation), one for each object that its lists could
        yield, and 5 000 for each question to the schema itself.
        """
        each = MUTATION_COST if kind is OperationType.MUTATION else 1
        return max(1, self.roots * each + self.nodes + self.introspections * INTROSPECTION_COST)


_NAMES_ZH = {
    "depth": "嵌套层数",
    "aliases": "别名数",
    "directives": "指令数",
    "nodes": "对象数",
    "roots": "根字段数",
    "introspections": "结构查询数",
    "cost": "点数",
}
CHECKED_METRICS = tuple(field.name for field in fields(Complexity))


def complexity_of(
    schema: GraphQLSchema, document: DocumentNode, page: int
) -> Iterator[tuple[OperationDefinitionNode, Complexity]]:
    """Each operation and what it asks; ``page`` is the most that one page holds."""
    measure = _ComplexityVisitor(schema, document, page)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            yield definition, measure.visit_operation(definition)


class _ComplexityVisitor:
    """Measures the operations of one document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, page: int) -> None:
        self._schema = schema
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._page = page
        # A fragment being measured counts nothing, so that a circle (refused elsewhere) ends.
        self._by_fragment: dict[str, Complexity] = {}

    def visit_operation(self, asked: OperationDefinitionNode) -> Complexity:
        return self._visit_selection(
            asked.selection_set, self._schema.get_root_type(asked.operation)
        )

    def _visit_selection(
        self, selected: SelectionSetNode | None, of: GraphQLNamedType | None
    ) -> Complexity:
        size = Complexity()
        for node in selected.selections if selected else ():
            if isinstance(node, FieldNode):
                size = size.combine(self._visit_field(node, of))
            elif isinstance(node, InlineFragmentNode):
                size = size.combine(
                    self._visit_selection(node.selection_set, self._fragment_type(node, of))
                )
                size = size.combine(Complexity(directives=len(node.directives or ())))
            elif isinstance(node, FragmentSpreadNode):
                size = size.combine(self._visit_fragment(node.name.value))
                size = size.combine(Complexity(directives=len(node.directives or ())))
        return size

    def _fragment_type(
        self,
        fragment: InlineFragmentNode | FragmentDefinitionNode,
        of: GraphQLNamedType | None = None,
    ) -> GraphQLNamedType | None:
        """The type condition of a fragment; without one, the enclosing type."""
        named: NamedTypeNode | None = fragment.type_condition
        return self._schema.get_type(named.name.value) if named else of

    def _visit_fragment(self, name: str) -> Complexity:
        if name not in self._by_fragment and name in self._fragments:
            fragment = self._fragments[name]
            self._by_fragment[name] = Complexity()
            self._by_fragment[name] = self._visit_selection(
                fragment.selection_set, self._fragment_type(fragment)
            )
        return self._by_fragment.get(name, Complexity())

    def _visit_field(self, node: FieldNode, of: GraphQLNamedType | None) -> Complexity:
        name = node.name.value
        # A field that is not there is refused elsewhere; what it holds is measured all the same.
        field = self._schema.get_field(of, name) if of else None  # type: ignore[arg-type]  # Any type.
        inner = self._visit_selection(
            node.selection_set, get_named_type(field.type) if field else None
        )
        own, nested = name.startswith("__"), bool(node.selection_set)
        rows = 0 if own else self._max_rows(node, field)
        return Complexity(
            depth=0 if own else inner.depth + nested,
            aliases=inner.aliases + (node.alias is not None),
            directives=inner.directives + len(node.directives or ()),
            # GraphQL has its own limit for lists within lists of the schema itself.
            nodes=0 if own else rows * (inner.nodes + 1) if rows else inner.nodes,
            roots=1,
            introspections=inner.introspections + (own and nested),
        )

    def _max_rows(self, node: FieldNode, field: GraphQLField | None) -> int:
        """The objects a field could answer with; 0 where it is no list, or its page counts them."""
        asked = [
            argument
            for argument in node.arguments or ()
            if argument.name.value in PAGE_ARGUMENTS
            and not isinstance(argument.value, NullValueNode)
        ]
        if asked:
            return max(self._page_size(argument) for argument in asked)
        if field is None or not node.selection_set:
            return 0
        if PAGE_ARGUMENTS.intersection(field.args):
            return self._page
        if not is_list_type(get_nullable_type(field.type)):
            return 0
        own = field.extensions.get(_DEFINITION)
        return int(own.metadata.get(MAX_ITEMS, self._page)) if own else self._page

    def _page_size(self, argument: ArgumentNode) -> int:
        # A variable may be the largest allowed; a larger page is refused when it is read.
        value = argument.value
        plain = isinstance(value, IntValueNode) and len(value.value) <= _MAX_PAGE_DIGITS
        return max(1, min(int(value.value), self._page)) if plain else self._page  # type: ignore[attr-defined]  # An IntValueNode.


def limit_errors(operation: OperationType, size: Complexity, limits: Limits) -> list[GraphQLError]:
    """The exceeded limits of an operation; its cost is checked last."""
    asked = [(name, getattr(size, name)) for name in CHECKED_METRICS]
    too_large = [(name, found) for name, found in asked if found > getattr(limits, name)]
    cost = size.cost(operation)
    if not too_large and cost > limits.cost:
        too_large = [("cost", cost)]
    return [
        GraphQLError(
            f"The document asks for {name} {found}; at most {getattr(limits, name)} are allowed.",
            extensions=error_extensions(
                TOO_LARGE,
                f"预登记请求的{_NAMES_ZH[name]}为{found}，上限为{getattr(limits, name)}。",
            ),
        )
        for name, found in too_large
    ]
