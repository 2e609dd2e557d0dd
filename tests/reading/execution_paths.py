"""Asks one document by the executor and by the plan of the whole operation."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from registry.access.principals import Principal, Viewer
from registry.reading.plan import Plan
from registry.reading.reader_pool import ReaderPool
from registry.reading.selection import ArgumentError, Arguments
from registry.reading.sql_builder import NotPlannable
from schema.build import GovernedSchema
from schema.documents.cost import Limits
from schema.framework.context import Context
from schema.root import build_api_schema
from tests.reading.oracle import Oracle
from tests.support.cluster import Database

UNLIMITED = Limits(
    tokens=10**6, depth=60, aliases=10**6, directives=10**6, nodes=10**12, roots=10**4,
    introspections=10**4, cost=10**12,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: the data and the errors, in no order."""

    data: Any
    errors: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def of(cls, data: Any, errors: Any) -> "Answer":  # noqa: ANN401 - as they are answered
        answered = (
            (str(error.path), error.message, str((error.extensions or {}).get("code")))
            for error in errors or ()
        )
        return cls(data, tuple(sorted(answered)))


class ExecutionPaths:
    """One schema on the test's database."""

    def __init__(self, readers: ReaderPool) -> None:
        self.schema: GovernedSchema = build_api_schema(UNLIMITED)
        self.readers = readers
        self.oracle = Oracle(self.schema)

    async def answer_by_executor(
        self, viewer: Viewer, document: str, sent: Mapping[str, Any]
    ) -> Answer:
        """By the executor: rows by one statement, the rest by resolvers."""

        async def known(_: Principal) -> Viewer:
            return viewer

        context = Context(Principal(), run_plan=self.readers.fetch, viewer_lookup=known)
        result = await self.schema.execute(document, dict(sent), context)
        return Answer.of(result.data, result.errors)

    async def answer_by_plan(self, viewer: Viewer, document: str, sent: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """By the plan of the whole operation; None where it has none or is refused."""
        try:
            plan, values = self.plan(viewer, document, sent)
        except (NotPlannable, ArgumentError):
            return None
        text = await self.readers.fetch(plan.sql, values)
        assert text is not None, plan.sql
        assert plan.constant in {None, text}, plan.constant
        return orjson.loads(text)["data"]

    def plan(
        self, viewer: Viewer, document: str, sent: Mapping[str, Any]
    ) -> tuple[Plan, list[object]]:
        """The plan of the whole operation and what is bound in it.

        Raises:
            NotPlannable, ArgumentError: it has none, or an argument is refused.

        """
        plan, asked = plan_of(self.schema, viewer, document, sent)
        return plan, plan.values(viewer, asked)


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
        NotPlannable, ArgumentError: likewise.

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
    """The executor and the whole plan answer alike, and as the oracle says; their answer."""
    sent = sent or {}
    question = f"{viewer}\n{document}\n{sent}"
    admitted = execution_paths.schema.document_cache.validate(document, None)
    assert not admitted.errors, f"{admitted.errors}\n{question}"
    executed = await execution_paths.answer_by_executor(viewer, document, sent)
    assert "INTERNAL" not in str(executed.errors), question
    planned = await execution_paths.answer_by_plan(viewer, document, sent)
    if planned is not None:
        assert not executed.errors, f"{executed.errors}\n{question}"
        assert planned == executed.data, question
    if not executed.errors:
        try:
            await execution_paths.oracle.check(viewer, document, sent, executed.data)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{question}\n{executed.data}") from error
    return executed
