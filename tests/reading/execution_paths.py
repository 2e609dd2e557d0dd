"""Asks one document at every door: by plain resolvers, by plans in the executor, by one plan."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
from graphql import GraphQLError

from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.principals import Principal, Viewer
from registry.access.rulebook_store import BUNDLED_RULEBOOK
from registry.kernel.errors import Refused
from registry.reading.plan import Plan
from registry.reading.reader_pool import ReaderPool
from registry.reading.selection import Arguments
from registry.reading.sql_builder import NotPlannable
from schema.build import GovernedSchema, build_schema
from schema.documents.cost import Limits
from schema.framework.context import Context
from schema.root import INTERNAL_VERBS, Mutation, Query, build_api_schema
from tests.support.cluster import Database

UNLIMITED = Limits(
    tokens=10**6, depth=60, aliases=10**6, directives=10**6, nodes=10**12, roots=10**4,
    introspections=10**4, cost=10**12,
)  # fmt: skip

RESOLVING = build_schema(
    Query,
    Mutation,
    book=RuleBook.load(BUNDLED_RULEBOOK, VOCABULARY),
    internal_verbs=INTERNAL_VERBS,
    limits=UNLIMITED,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: the data, and what was refused, in no order."""

    data: Any
    errors: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def of(cls, data: Any, errors: Any) -> "Answer":  # noqa: ANN401 - as they are answered
        told = (
            (str(error.path), error.message, str((error.extensions or {}).get("code")))
            for error in errors or ()
        )
        return cls(data, tuple(sorted(told)))


class ExecutionPaths:
    """One schema on the test's database."""

    def __init__(self, readers: ReaderPool) -> None:
        self.schema: GovernedSchema = build_api_schema(UNLIMITED)
        self.readers = readers

    async def answer_by_resolvers(
        self, viewer: Viewer, document: str, sent: Mapping[str, Any]
    ) -> Answer:
        """By the resolver of each field: the oracle."""
        return await self._executed(RESOLVING, viewer, document, sent)

    async def answer_by_executor(
        self, viewer: Viewer, document: str, sent: Mapping[str, Any]
    ) -> Answer:
        """By the executor, which has plans for what it can."""
        return await self._executed(self.schema, viewer, document, sent)

    async def answer_by_plan(self, viewer: Viewer, document: str, sent: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """By the plan of the whole operation; None where the ordinary way must answer."""
        try:
            plan, values = self.plan(viewer, document, sent)
        except (NotPlannable, Refused, GraphQLError):
            return None
        try:
            text = await self.readers.fetch(plan.sql, values)
        except asyncpg.PostgresError:
            if plan.can_fail:
                return None
            raise
        assert text is not None, plan.sql
        assert plan.constant in {None, text}, plan.constant
        return orjson.loads(text)["data"]

    def plan(
        self, viewer: Viewer, document: str, sent: Mapping[str, Any]
    ) -> tuple[Plan, list[object]]:
        """The plan of the whole operation and what is bound in it.

        Raises:
            Unplanned, Refused: the ordinary way must answer.

        """
        plan, asked = plan_of(self.schema, viewer, document, sent)
        return plan, plan.values(viewer, asked)

    async def _executed(
        self, schema: GovernedSchema, viewer: Viewer, document: str, sent: Mapping[str, Any]
    ) -> Answer:
        async def known(_: Principal) -> Viewer:
            return viewer

        context = Context(Principal(), run_plan=self.readers.fetch, viewer_lookup=known)
        result = await schema.execute(document, dict(sent), context)
        return Answer.of(result.data, result.errors)


@asynccontextmanager
async def open_execution_paths(database: Database) -> AsyncIterator[ExecutionPaths]:
    """The doors of an open database; plans are read as the role that can only read."""
    readers = ReaderPool(database.reader_url, max_connections=2, statement_timeout=30)
    try:
        yield ExecutionPaths(readers)
    finally:
        await readers.close()


def plan_of(
    schema: GovernedSchema, viewer: Viewer, document: str, sent: Mapping[str, Any]
) -> tuple[Plan, Sequence[Arguments]]:
    """The plan of the whole operation and the arguments of its fields.

    Raises:
        Unplanned: the ordinary way must answer.

    """
    admitted = schema.document_cache.validate(document, None)
    assert schema.planner is not None, "the whole schema has plans"
    assert admitted.operation is not None, (admitted.errors, document)
    asking = schema.planner.coerce_and_bind(admitted, sent)
    return schema.planner.plan_operation(admitted, asking, viewer), asking.arguments


async def assert_same_answers(
    execution_paths: ExecutionPaths,
    viewer: Viewer,
    document: str,
    sent: Mapping[str, Any] | None = None,
) -> Answer:
    """Every door answers as the resolvers do; their answer."""
    sent = sent or {}
    told = f"{viewer}\n{document}\n{sent}"
    admitted = execution_paths.schema.document_cache.validate(document, None)
    assert not admitted.errors, f"{admitted.errors}\n{told}"
    resolved = await execution_paths.answer_by_resolvers(viewer, document, sent)
    executed = await execution_paths.answer_by_executor(viewer, document, sent)
    assert executed.data == resolved.data, f"{executed.errors} {resolved.errors}\n{told}"
    # Of several faults some are told, those found first: which ones is a matter of luck.
    assert bool(executed.errors) == bool(resolved.errors), f"{executed} {resolved}\n{told}"
    if [error[0] for error in executed.errors] == [error[0] for error in resolved.errors]:
        assert executed.errors == resolved.errors, told
    assert "INTERNAL" not in str((resolved.errors, executed.errors)), told
    planned = await execution_paths.answer_by_plan(viewer, document, sent)
    if planned is not None:
        assert not resolved.errors, f"{resolved.errors}\n{told}"
        assert planned == resolved.data, told
    return resolved
