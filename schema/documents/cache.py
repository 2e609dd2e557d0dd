"""Cache of documents: parsed, measured and validated once.

The errors of an invalid document are cached too, so a repeated invalid document costs no more than
a valid one.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    specified_rules,
    validate,
)
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from registry.kernel.errors import Code, error_extensions
from registry.kernel.slru_cache import SegmentedLRUCache
from schema.documents.cost import TOO_LARGE, Complexity, Limits, complexity_of, limit_errors
from schema.documents.parser import iter_tokens, parse_document

PLAN_CACHE_SIZE = 32
MAX_VALIDATION_ERRORS = 20
INVALID_DOCUMENT_COST = 10
"""Cost of a refused document: parsing and validating it was work."""

BYTES_PER_TOKEN = 600
"""Maximum memory of a token of a parsed document, in bytes."""

MAX_OVERLAP_COMPARISONS = 12_000
"""Of pairs of fields that might have to be merged. The library's own limit lets one document take
more than half a second; ten lists with all their fields need fewer than 200.
"""

_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)

overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = MAX_OVERLAP_COMPARISONS


class PlanCache(OrderedDict[Hashable, object]):
    """Plans of one operation: the ``PLAN_CACHE_SIZE`` most recently used."""

    prepared_operation: object = None

    def __getitem__(self, key: Hashable) -> object:
        """The cached value, now the most recently used."""
        self.move_to_end(key)
        return super().__getitem__(key)

    def get(self, key: Hashable, default: object = None) -> object:
        # As ``super().get`` in half the time; every request comes by here.
        found = OrderedDict.get(self, key, default)
        if found is not default:
            self.move_to_end(key)
        return found

    def __setitem__(self, key: Hashable, value: object) -> None:
        """Keep it as the latest; the oldest goes."""
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > PLAN_CACHE_SIZE:
            self.popitem(last=False)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class ValidatedOperation:
    """One operation of a document, ready to be carried out; or why it is not.

    Attributes:
        document: None where ``errors`` say why.
        operation: the one that was asked for; None likewise.
        fragments: of the document, by name.
        errors: faults of syntax, of validation, of size, or of the operation's name; copied for
            each response, because formatting adds to them.
        cost: in points, at least 1; see ``Size.cost``.
        plans: what a way in has worked out for this operation.

    """

    text: str
    document: DocumentNode | None = None
    operation: OperationDefinitionNode | None = None
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    cost: int = INVALID_DOCUMENT_COST
    plans: PlanCache = field(default_factory=PlanCache, repr=False, compare=False)
    stored_errors: tuple[GraphQLError, ...] = ()

    @property
    def errors(self) -> list[GraphQLError]:
        """The validation errors; empty if the document is valid."""
        return [_clone_error(fault) for fault in self.stored_errors]


class DocumentCache:
    """Admits the documents of one schema."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._documents: SegmentedLRUCache[str, _ParsedDocument] = SegmentedLRUCache(
            limits.document_cache_size, limits.document_cache_bytes, name="documents"
        )

    def __len__(self) -> int:
        return len(self._documents)

    def __contains__(self, text: str) -> bool:
        return text in self._documents

    @property
    def weight(self) -> int:
        """Estimated bytes of the cached documents."""
        return self._documents.weight

    def validate(self, text: str, operation_name: str | None) -> ValidatedOperation:
        """The operation of this name, or the only one; refused where ``errors`` are not empty."""
        read = self._documents.get(text)
        if read is None:
            read = self._validate_text(text)
            self._documents.put(text, read, read.weight)
        return (
            read.invalid_operation
            or read.operations.get(operation_name)
            or _without_operation_name(text, operation_name)
        )

    def validation_errors(self, text: str) -> list[GraphQLError]:
        """Why a document is not admitted, whichever of its operations is meant; else nothing."""
        read = self._documents.get(text) or self._validate_text(text)
        return read.invalid_operation.errors if read.invalid_operation else []

    def _validate_text(self, text: str) -> "_ParsedDocument":
        try:
            document = parse_document(text, self._limits.tokens)
        except GraphQLError as error:
            return _invalid_document(text, [_explain_limit(error)])
        sizes = list(complexity_of(self._schema, document, self._limits.page))
        faults = [
            fault
            for operation, size in sizes
            for fault in limit_errors(operation.operation, size, self._limits)
        ]
        # A document over the limits is not validated: validation takes longest.
        faults = faults or validate(
            self._schema, document, _RULES, max_errors=MAX_VALIDATION_ERRORS, hide_suggestions=True
        )
        faults = [_explain_limit(fault) for fault in faults]
        return _invalid_document(text, faults) if faults else _valid_document(text, document, sizes)


class UseValidatedDocument(SchemaExtension):
    """Hands the executor the document that was admitted, so that it is not read again."""

    def on_parse(self) -> Iterator[None]:
        """Put it where the library looks before it parses."""
        context = self.execution_context
        if context.context is not None:
            context.graphql_document = context.context.validated_operation.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Nothing is wrong with it, or it would not be here."""
        self.execution_context.pre_execution_errors = []
        yield


@dataclass(frozen=True, slots=True)
class _ParsedDocument:
    """A document: why it is refused, or its operations by name; without one where it is alone."""

    weight: int
    operations: Mapping[str | None, ValidatedOperation] = field(default_factory=dict)
    invalid_operation: ValidatedOperation | None = None


def _invalid_document(text: str, errors: list[GraphQLError]) -> _ParsedDocument:
    faults = tuple(_clone_error(error) for error in errors[:MAX_VALIDATION_ERRORS])
    return _ParsedDocument(
        _estimated_bytes(text, len(faults)),
        invalid_operation=ValidatedOperation(text, stored_errors=faults),
    )


def _valid_document(
    text: str, document: DocumentNode, sizes: list[tuple[OperationDefinitionNode, Complexity]]
) -> _ParsedDocument:
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    named: dict[str | None, ValidatedOperation] = {
        operation.name.value if operation.name else None: ValidatedOperation(
            text, document, operation, fragments, size.cost(operation.operation)
        )
        for operation, size in sizes
    }
    if len(named) == 1:
        named[None] = next(iter(named.values()))
    return _ParsedDocument(_estimated_bytes(text, sum(1 for _ in iter_tokens(document))), named)


def _estimated_bytes(text: str, tokens: int) -> int:
    return len(text.encode(errors="surrogatepass")) + BYTES_PER_TOKEN * tokens


def _without_operation_name(text: str, name: str | None) -> ValidatedOperation:
    message, message_zh = (
        (
            "The document has several operations or none; name the one that is meant.",
            "操作文本含有多个操作或没有操作，请指明操作名称。",
        )
        if name is None
        else ("The document has no operation of this name.", "操作文本中没有该名称的操作。")
    )
    code = Code.MALFORMED.value
    fault = GraphQLError(message, extensions=error_extensions(code, message_zh))
    return ValidatedOperation(text, stored_errors=(fault,))


def _explain_limit(error: GraphQLError) -> GraphQLError:
    """A limit that the library checks, with the code of ours; of one it does not say why."""
    message = error.message
    if isinstance(error, ValidationAbortedError) and "Too many" not in message:
        message = "The document takes too long to check: it repeats fields or fragments too often."
        message_zh = "操作文本校验耗时过长：字段或片段重复过多。"
    elif isinstance(error, GraphQLSyntaxError) and "tokens. Parsing aborted" in message:
        message_zh = "操作文本的词数超过上限。"
    elif message == "Maximum introspection depth exceeded":
        message_zh = "对接口结构的查询嵌套过深。"
    else:
        return error
    return GraphQLError(
        message,
        source=error.source,
        positions=error.positions,
        extensions=error_extensions(TOO_LARGE, message_zh),
    )


def _clone_error(error: GraphQLError) -> GraphQLError:
    """The same error, without the parsed document that it would keep in memory."""
    return GraphQLError(
        error.message,
        source=error.source,
        positions=error.positions,
        extensions=dict(error.extensions or {}),
    )
