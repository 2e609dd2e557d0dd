"""Answers a query as one statement on a reader connection: the bytes of the response.

The viewer's permissions are part of the statement. They may change while it waits for a connection
or for the database, so an answer counts only if nothing that decides access changed meanwhile.
"""

from collections.abc import Mapping

from registry.access.principals import Principal
from registry.access.viewer_cache import ViewerCache
from registry.kernel.errors import AppointmentRequired, ClientNotRegistered, Overloaded
from registry.reading.reader_pool import ReaderPool
from schema.documents.cache import ValidatedOperation
from schema.planning.planner import Planner

MAX_ATTEMPTS = 3


class QueryRunner:
    """Runs the queries that can be planned as a whole."""

    def __init__(self, planner: Planner, viewers: ViewerCache, readers: ReaderPool) -> None:
        self._planner, self.viewers, self.readers = planner, viewers, readers

    async def run(
        self, principal: Principal, operation: ValidatedOperation, variables: Mapping[str, object]
    ) -> bytes | None:
        """The JSON text ``{"data":...}``; None where graphql-core has to execute the query."""
        for _ in range(MAX_ATTEMPTS):
            try:
                viewer = self.viewers.cached(principal) or await self.viewers.resolve(principal)
            except (AppointmentRequired, ClientNotRegistered):
                # The executor answers the fields that need no viewer.
                return None
            plan = self._planner.plan_query(operation, variables, viewer)
            if plan is None:
                return None
            if plan.plan.constant is not None:
                return plan.plan.constant
            version = self.viewers.version()
            answer = await self.readers.fetch(plan.plan.sql, plan.values)
            if version == self.viewers.version():
                return answer
        raise Overloaded
