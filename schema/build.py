"""The schema, and what it must be to be built.

Every mutation is made of an operation, every word described in both languages. The build fails with
all errors at once.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from uuid import UUID

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext, ExecutionResult
from strawberry.types.field import StrawberryField
from strawberry.types.graphql import OperationType

from policies.rulebook import ALLOW, RuleBook
from policies.vocabulary import VOCABULARY
from registry.commands.operation import Operation
from schema.documents.cache import DocumentCache, UseValidatedDocument
from schema.documents.cost import Limits
from schema.framework.context import Context
from schema.framework.errors import format_error
from schema.framework.fields import column_field, mask_of
from schema.framework.global_ids import to_global_id
from schema.framework.governed import Governed
from schema.framework.inputs import NODE_ID_KEY
from schema.framework.mutations import OPERATION_KEY
from schema.framework.refusals import RefusalHandler
from schema.framework.scalars import SCALARS
from schema.framework.strawberry_compat import graphql_schema
from schema.planning.executor import executor_class
from schema.planning.planner import Planner

KindVerb = tuple[str, str]
"""A kind and a verb."""

ALWAYS_VISIBLE = frozenset({"Organisation"})
"""Kinds whose public card everybody sees, so that a relation to one is never empty."""

_DEFINITION = "strawberry-definition"
_CHINESE = re.compile("[\u4e00-\u9fff]")
_TypeWithFields = GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType


class SchemaBuildError(Exception):
    """The schema was not built; ``errors`` lists everything that is wrong with it."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.errors = faults


class GovernedSchema(strawberry.Schema):
    """A schema in which nothing changes without a verb of the rule book."""

    # Reads, checks and measures every document, whichever way it comes in.
    document_cache: DocumentCache
    planner: Planner | None = None  # Makes plans of its queries, where its objects are rows.

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log nothing here: ``format_error`` logs each error once, refusals apart from bugs."""

    async def execute(  # noqa: PLR0913, PLR0917 - the library's signature
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Context | None = None,
        root_value: object = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Execute, and format every error for the client.

        A document that was not admitted is not carried out.
        """
        faults = self._document_errors(query, operation_name, context_value) if query else []
        result = (
            ExecutionResult(data=None, errors=faults)
            if faults
            else await super().execute(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                allowed_operation_types,
                operation_extensions,
            )
        )
        if result.errors:
            entries = context_value.audit_entry_ids if context_value else {}
            result.errors = [
                _with_audit_entry(format_error(error), entries) for error in result.errors
            ]
        return result

    def _document_errors(
        self, text: str, operation_name: str | None, context: Context | None
    ) -> list[GraphQLError]:
        """The validation errors of the document; the handler may have validated it already."""
        admitted = context.validated_operation if context else None
        if admitted is None or admitted.text != text:
            admitted = self.document_cache.validate(text, operation_name)
        if context:
            context.validated_operation = admitted
        return admitted.errors


def _with_audit_entry(error: GraphQLError, entries: Mapping[str, UUID]) -> GraphQLError:
    """An error of the answer of a command that was committed names the command's audit entry."""
    entry = entries.get(str(error.path[0])) if error.path else None
    if entry is not None:
        named = to_global_id("AuditEntry", entry)
        error.extensions = {**(error.extensions or {}), "auditEntryId": named}
    return error


def build_schema(
    query: type,
    mutation: type,
    *,
    types: Iterable[type] = (),
    book: RuleBook,
    internal_verbs: frozenset[KindVerb] = frozenset(),
    limits: Limits | None = None,
) -> GovernedSchema:
    """The schema that serves.

    Args:
        mutation: the root type of writing; its fields are made by ``governed_mutation``.
        types: governed types that no field names, because only ``node`` leads to them.
        book: the rules; a verb that no row allows is not offered.
        internal_verbs: verbs that are carried out without a mutation, by the registry itself.

    """
    limits = limits or Limits()
    schema = GovernedSchema(
        query=query,
        mutation=mutation,
        types=types,
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
        extensions=[UseValidatedDocument],
        exception_handlers=[RefusalHandler()],
    )
    faults = [
        *_mutation_errors(schema, book),
        *_verbs_without_mutation(schema, internal_verbs),
        *_type_errors(schema),
    ]
    if faults:
        raise SchemaBuildError(faults)
    schema.document_cache = DocumentCache(graphql_schema(schema), limits)
    return schema


def with_planner(schema: GovernedSchema) -> GovernedSchema:
    """The same schema, its queries answered by plans where they can; its objects must be rows."""
    schema.planner = Planner(graphql_schema(schema))
    schema.execution_context_class = executor_class(schema.planner)
    return schema


def operations_by_mutation(schema: GovernedSchema) -> dict[str, Operation[Any]]:
    """The operation of each mutation by the mutation's name in the API."""
    fields = _mutation_fields(schema)
    return {
        name: operation
        for name, field in fields.items()
        if (operation := _strawberry_field(field).metadata.get(OPERATION_KEY))
    }


def _mutation_errors(schema: GovernedSchema, book: RuleBook) -> Iterator[str]:
    operations = operations_by_mutation(schema)
    for name in _mutation_fields(schema):
        if name not in operations:
            yield f"Mutation.{name}: is not made of an operation"
    for name, operation in operations.items():
        kind, word = operation.kind.name, operation.verb
        verb = VOCABULARY.verb(kind, word)
        if verb is None or verb.is_read:
            yield f"Mutation.{name}: {kind}.{word} is no verb that changes something"
        elif not any(row.effect == ALLOW for row in book.rules_for_verb(kind, word)):
            yield f"Mutation.{name}: no row of the rule book ever allows {kind}.{word}"


def _verbs_without_mutation(schema: GovernedSchema, internal: frozenset[KindVerb]) -> Iterator[str]:
    """Verbs without a mutation, and verbs wrongly called internal."""
    offered = {(each.kind.name, each.verb) for each in operations_by_mutation(schema).values()}
    known = {
        (kind, verb.name)
        for kind, words in VOCABULARY.kinds.items()
        for verb in words.verbs
        if not verb.is_read
    }
    yield from (
        f"{kind}.{verb} has no mutation" for kind, verb in sorted(known - offered - internal)
    )
    for kind, verb in sorted(internal - (known - offered)):
        yield f"{kind}.{verb} is called internal and is not"


def _type_errors(schema: GovernedSchema) -> Iterator[str]:
    for name, named in sorted(graphql_schema(schema).type_map.items()):
        if is_introspection_type(named) or is_specified_scalar_type(named):
            continue
        if not _has_both_languages(named.description) and named not in _root_types(schema):
            yield f"{name}: its description is not in both languages"
        if isinstance(named, _TypeWithFields):
            yield from _field_errors(named)
        if isinstance(named, GraphQLEnumType):
            yield from (
                f"{name}.{value}: its description is not in both languages"
                for value, declared in named.values.items()
                if not _has_both_languages(declared.description)
            )


def _field_errors(named: _TypeWithFields) -> Iterator[str]:
    origin = getattr(named.extensions.get(_DEFINITION), "origin", None)
    for name, field in named.fields.items():
        if not _has_both_languages(field.description):
            yield f"{named.name}.{name}: its description is not in both languages"
        if isinstance(named, GraphQLInputObjectType):
            own = _strawberry_field(field)
            if get_named_type(field.type).name == "ID" and NODE_ID_KEY not in own.metadata:
                yield f"{named.name}.{name}: an identifier must say what it refers to"
        elif isinstance(origin, type) and issubclass(origin, Governed) and hasattr(origin, "KIND"):
            yield from _nullability_errors(origin, name, cast("GraphQLField", field))


def _nullability_errors(origin: type[Governed], name: str, field: GraphQLField) -> Iterator[str]:
    """Masked fields must be nullable, or masking one would hide the whole object."""
    own, required = _strawberry_field(field), isinstance(field.type, GraphQLNonNull)
    if required and mask_of(origin.KIND, own):
        yield f"{origin.KIND.name}.{name}: is masked, so it must be nullable"
    leads_to, shown = get_named_type(field.type).name, column_field(own)
    if required and shown and shown.is_relation and leads_to not in ALWAYS_VISIBLE:
        fault = f"leads to a {leads_to} that may be hidden, so it must be nullable"
        yield f"{origin.KIND.name}.{name}: {fault}"


def _has_both_languages(description: str | None) -> bool:
    return bool(
        description and _CHINESE.search(description) and re.search("[A-Za-z]{2}", description)
    )


def _root_types(schema: GovernedSchema) -> tuple[GraphQLNamedType | None, ...]:
    return graphql_schema(schema).query_type, graphql_schema(schema).mutation_type


def _mutation_fields(schema: GovernedSchema) -> dict[str, GraphQLField]:
    root = graphql_schema(schema).mutation_type
    return dict(root.fields) if root else {}


def _strawberry_field(field: object) -> StrawberryField:
    """The declaration that a field of the built schema came from."""
    return cast("StrawberryField", getattr(field, "extensions", {})[_DEFINITION])
