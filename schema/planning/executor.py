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

from registry.db.session import fetch_one
from registry.kernel.errors import Refused
from registry.reading.sql_builder import NotPlannable
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
        if not (root and self._is_plannable(field_details_list)):
            return resolved()
        return self._execute_planned(resolved, field_details_list, str(path.key))

    def _is_plannable(self, details: FieldDetailsList) -> bool:
        context, name = self.context_value, details[0].node.name.value
        known = self.planner.catalog[QUERY].fields
        return isinstance(context, Context) and context.uses_plans and name in known

    async def _execute_planned(
        self,
        fallback: Any,  # noqa: ANN401 - the library's own method
        details: FieldDetailsList,
        key: str,
    ) -> Any:  # noqa: ANN401 - what the field is
        context: Context = self.context_value
        try:
            assert context.validated_operation is not None, "what is executed was admitted"
            viewer = await context.viewer()
            asking = self.planner.bind(context.validated_operation, self.variable_values)
            plan = self.planner.plan_field(
                context.validated_operation, asking, viewer, key=key, details=details
            )
            if plan.constant is not None:
                return _to_result(plan.constant, splices_json=context.splices_json)
            # An error would end the transaction that the other fields share.
            if not plan.can_fail:
                found = await fetch_one(
                    f"{plan.sql} AS found", *plan.values(viewer, asking.arguments)
                )
                assert found is not None, "a plan answers one row"
                return _to_result(found["found"], splices_json=context.splices_json)
        except (NotPlannable, Refused):
            pass
        answer = fallback()
        return await answer if self.is_awaitable(answer) else answer


def executor_class(planner: Planner) -> type[PlanningExecutor]:
    """The executor that answers by the plans of one planner."""
    return type("Executor", (PlanningExecutor,), {"planner": planner})


def _to_result(text: bytes, *, splices_json: bool) -> object:
    """The answer as it stands, for who writes JSON; else as values."""
    return orjson.Fragment(text) if splices_json else orjson.loads(text)
