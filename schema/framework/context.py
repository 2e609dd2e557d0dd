"""One request as the executor and the resolvers see it: the caller, their viewer, the database."""

from asyncio import Future, ensure_future
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import strawberry

from registry.access.principals import Principal, Viewer
from registry.access.viewer_lookup import resolve_viewer
from registry.db.session import fetch_value
from schema.documents.cache import ValidatedOperation
from schema.documents.rate_limit import RateLimitStatus
from schema.framework.planned_object import PlannedObject

PlanRunner = Callable[[str, Sequence[object]], Awaitable[Any]]
"""Executes one statement with its binds; returns its only value."""


ObjectReader = Callable[[PlannedObject, Viewer], Awaitable[PlannedObject]]
"""Reads the planned fields that the client chose of an object, in the current transaction."""

AnswerCheck = Callable[[PlannedObject], Awaitable[None]]
"""Refuses arguments in the selection of an answer, before the command that it answers."""


class Context:
    """One request. The viewer is looked up when it is first needed.

    Attributes:
        run_plan: executes the statement of a plan and returns the JSON text of its answer.
        access_version: changes with each change of access that this process has seen.
        check_answer: checks the selection of the mutation that is executed; the executor sets it.
        read_now: reads a preview for that mutation; likewise.
        audit_entry_ids: of the commands that were committed, by the response key of their field.
        validated_operation: the document of the request, once it is validated.
        rate_limit_status: the cost of the request and the points left; None where none are counted.

    """

    def __init__(
        self,
        caller: Principal,
        *,
        request_id: str = "",
        run_plan: PlanRunner = fetch_value,
        access_version: Callable[[], object] = lambda: None,
        viewer_lookup: Callable[[Principal], Awaitable[Viewer]] = resolve_viewer,
    ) -> None:
        self.caller = caller
        self.request_id = request_id
        self.run_plan = run_plan
        self.access_version = access_version
        self.check_answer: AnswerCheck = _check_nothing
        self.read_now: ObjectReader = _read_nothing
        self.audit_entry_ids: dict[str, UUID] = {}
        self.validated_operation: ValidatedOperation | None = None
        self.rate_limit_status: RateLimitStatus | None = None
        self._viewer_lookup = viewer_lookup
        self._viewer: Future[Viewer] | None = None
        self._viewer_version: object = None

    async def viewer(self) -> Viewer:
        """The appointment that asks; one look-up for all fields."""
        if self._viewer is None:
            self._viewer_version = self.access_version()
            self._viewer = ensure_future(self._viewer_lookup(self.caller))
        return await self._viewer

    def is_viewer_current(self) -> bool:
        """Whether no change of access was seen since the viewer was looked up."""
        return self._viewer_version == self.access_version()

    def invalidate(self) -> None:
        """Look the viewer up again: a command may have changed their rights."""
        self._viewer = None


async def _check_nothing(_planned: PlannedObject) -> None:
    return


async def _read_nothing(planned: PlannedObject, _viewer: Viewer) -> PlannedObject:
    return planned


Info = strawberry.Info[Context, None]
