"""The door inside the executor: a field of the query's root that can be planned is one statement.

It shares the transaction, and with it the moment, of the fields that resolvers answer. What cannot
be planned, and whatever goes wrong, is left to the field's resolver.
"""

from typing import Any

import orjson
from graphql import GraphQLObjectType
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from registry.db.session import row
from registry.kernel.errors import Refused
from registry.reading.sql_builder import Unplanned
from schema.framework.context import Context
from schema.planning.planner import QUERY, Planner


class PlanningExecutor(StrawberryGraphQLCoreExecutionContext):
    """Answers fields of the root by plans where it can; each schema has a subclass of its own."""

    planner: Planner

    def execute_field(  # noqa: PLR0917 - the library's signature
        self,
        parent_type: GraphQLObjectType,
        source: Any,  # noqa: ANN401 - the library's signature
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: Any,  # noqa: ANN401 - the library's signature
    ) -> Any:  # noqa: ANN401 - the library's signature
        """Execute one field: a root's by its plan, any other by its resolver."""

        def resolved() -> Any:  # noqa: ANN401 - the library's signature
            return super(PlanningExecutor, self).execute_field(
                parent_type, source, field_details_list, path, position_context
            )

        root = path.prev is None and parent_type is self.schema.query_type
        if not (root and self._may_plan(field_details_list)):
            return resolved()
        return self._planned_or(resolved, field_details_list, str(path.key))

    def _may_plan(self, details: FieldDetailsList) -> bool:
        context, name = self.context_value, details[0].node.name.value
        known = self.planner.catalogue[QUERY].fields
        return isinstance(context, Context) and context.plans and name in known

    async def _planned_or(
        self,
        resolved: Any,  # noqa: ANN401 - the library's own method
        details: FieldDetailsList,
        key: str,
    ) -> Any:  # noqa: ANN401 - what the field is
        context: Context = self.context_value
        try:
            assert context.admitted is not None, "what is executed was admitted"
            viewer = await context.viewer()
            asking = self.planner.asking_with(context.admitted, self.variable_values)
            plan = self.planner.one(context.admitted, asking, viewer, key=key, details=details)
            if plan.constant is not None:
                return _spliced(plan.constant, raw=context.raw)
            # An error would end the transaction that the other fields share.
            if not plan.fallible:
                found = await row(f"{plan.sql} AS found", *plan.values(viewer, asking.arguments))
                assert found is not None, "a plan answers one row"
                return _spliced(found["found"], raw=context.raw)
        except (Unplanned, Refused):
            pass
        answer = resolved()
        return await answer if self.is_awaitable(answer) else answer


def executor_of(planner: Planner) -> type[PlanningExecutor]:
    """The executor that answers by the plans of one planner."""
    return type("Executor", (PlanningExecutor,), {"planner": planner})


def _spliced(text: bytes, *, raw: bool) -> object:
    """The answer as it stands, for who writes JSON; else as values."""
    return orjson.Fragment(text) if raw else orjson.loads(text)
