"""Documents are admitted: read, checked and measured once, for every way in.

What is wrong with a document is remembered like the document itself, so that a bad one sent again
and again costs no more than a good one.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    specified_rules,
    validate,
)
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from registry.kernel.errors import Code
from registry.kernel.slru_cache import Remembered
from schema.documents.cost import TOO_LARGE, Limits, Size, oversized, sizes_of
from schema.documents.parser import document_of, tokens_of

PLANS_MAX = 32
ERRORS_MAX = 20
REFUSED_COST = 10
"""What a document costs that is refused: it was read all the same."""

TOKEN_BYTES = 600
"""What a word or sign of a document weighs in memory, at most, when it is parsed."""

COMPARISONS_MAX = 12_000
"""Of pairs of fields that might have to be merged. The library's own limit lets one document take
more than half a second; ten lists with all their fields need fewer than 200.
"""

_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)

overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = COMPARISONS_MAX


class Plans(OrderedDict[Hashable, object]):
    """What is worked out from one operation and kept with it: the ``PLANS_MAX`` latest used.

    Attributes:
        prepared: what is the same for all of them.

    """

    prepared: object = None

    def __getitem__(self, key: Hashable) -> object:
        """What is kept; it is the latest used now."""
        self.move_to_end(key)
        return super().__getitem__(key)

    def get(self, key: Hashable, default: object = None) -> object:
        """Likewise, or the default."""
        # As ``super().get`` in half the time; every request comes by here.
        found = OrderedDict.get(self, key, default)
        if found is not default:
            self.move_to_end(key)
        return found

    def __setitem__(self, key: Hashable, value: object) -> None:
        """Keep it as the latest; the oldest goes."""
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > PLANS_MAX:
            self.popitem(last=False)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Admitted:
    """One operation of a document, ready to be carried out; or why it is not.

    Attributes:
        text: as it was sent.
        document: None where ``errors`` say why.
        operation: the one that was asked for; None likewise.
        fragments: of the document, by name.
        errors: faults of syntax, of validation, of size, or of the operation's name; made anew for
            whoever tells them, because telling adds to them.
        cost: in points, at least 1; see ``Size.cost``.
        plans: what a way in has worked out for this operation.

    """

    text: str
    document: DocumentNode | None = None
    operation: OperationDefinitionNode | None = None
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    cost: int = REFUSED_COST
    plans: Plans = field(default_factory=Plans, repr=False, compare=False)
    faults: tuple[GraphQLError, ...] = ()

    @property
    def errors(self) -> list[GraphQLError]:
        """What is wrong; empty where it is admitted."""
        return [_anew(fault) for fault in self.faults]


class Admissions:
    """Admits the documents of one schema."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._read: Remembered[str, _Read] = Remembered(limits.documents, limits.documents_bytes)

    def __len__(self) -> int:
        """How many documents are remembered."""
        return len(self._read)

    def __contains__(self, text: str) -> bool:
        return text in self._read

    @property
    def weight(self) -> int:
        """What the remembered documents weigh, in bytes as estimated."""
        return self._read.weight

    def admit(self, text: str, operation_name: str | None) -> Admitted:
        """The operation of this name, or the only one; refused where ``errors`` are not empty."""
        read = self._read.get(text)
        if read is None:
            read = self._checked(text)
            self._read.put(text, read, read.weight)
        return read.refused or read.operations.get(operation_name) or _unnamed(text, operation_name)

    def faults(self, text: str) -> list[GraphQLError]:
        """Why a document is not admitted, whichever of its operations is meant; else nothing."""
        read = self._read.get(text) or self._checked(text)
        return read.refused.errors if read.refused else []

    def _checked(self, text: str) -> "_Read":
        try:
            document = document_of(text, self._limits.tokens)
        except GraphQLError as error:
            return _refused(text, [error])
        sizes = list(sizes_of(self._schema, document, self._limits.page))
        faults = [
            fault
            for operation, size in sizes
            for fault in oversized(operation.operation, size, self._limits)
        ]
        # What is too large is not compared with the schema: that takes the longest.
        faults = faults or validate(
            self._schema, document, _RULES, max_errors=ERRORS_MAX, hide_suggestions=True
        )
        faults = [_explained(fault) for fault in faults]
        return _refused(text, faults) if faults else _admitted(text, document, sizes)


class Admitting(SchemaExtension):
    """Hands the executor the document that was admitted, so that it is not read again."""

    def on_parse(self) -> Iterator[None]:
        """Put it where the library looks before it parses."""
        context = self.execution_context
        if context.context is not None:
            context.graphql_document = context.context.admitted.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Nothing is wrong with it, or it would not be here."""
        self.execution_context.pre_execution_errors = []
        yield


@dataclass(frozen=True, slots=True)
class _Read:
    """A document: why it is refused, or its operations by name; without one where it is alone."""

    weight: int
    operations: Mapping[str | None, Admitted] = field(default_factory=dict)
    refused: Admitted | None = None


def _refused(text: str, errors: list[GraphQLError]) -> _Read:
    faults = tuple(_anew(error) for error in errors[:ERRORS_MAX])
    return _Read(_weight(text, len(faults)), refused=Admitted(text, faults=faults))


def _admitted(
    text: str, document: DocumentNode, sizes: list[tuple[OperationDefinitionNode, Size]]
) -> _Read:
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    named: dict[str | None, Admitted] = {
        operation.name.value if operation.name else None: Admitted(
            text, document, operation, fragments, size.cost(operation.operation)
        )
        for operation, size in sizes
    }
    if len(named) == 1:
        named[None] = next(iter(named.values()))
    return _Read(_weight(text, sum(1 for _ in tokens_of(document))), named)


def _weight(text: str, parts: int) -> int:
    return len(text.encode(errors="surrogatepass")) + TOKEN_BYTES * parts


def _unnamed(text: str, name: str | None) -> Admitted:
    message = (
        "The document has several operations or none; name the one that is meant."
        if name is None
        else "The document has no operation of this name."
    )
    fault = GraphQLError(message, extensions={"code": Code.MALFORMED.value})
    return Admitted(text, faults=(fault,))


def _explained(error: GraphQLError) -> GraphQLError:
    """The library does not say why it gave up; that it found many faults it says itself."""
    if not isinstance(error, ValidationAbortedError) or "Too many" in error.message:
        return error
    message = "The document takes too long to check: it repeats fields or fragments too often."
    return GraphQLError(message, extensions={"code": TOO_LARGE})


def _anew(error: GraphQLError) -> GraphQLError:
    """The same error, without the parsed document that it would keep in memory."""
    return GraphQLError(
        error.message,
        source=error.source,
        positions=error.positions,
        extensions=dict(error.extensions or {}),
    )
