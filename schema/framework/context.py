"""What the resolvers of one request share: who asks, and what was loaded for him already."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from registry.access.kinds import Kind
from registry.access.principals import NIL, Principal, Viewer
from registry.access.viewer_lookup import resolve_viewer
from registry.db.session import fetch_value
from registry.reading.keyset import load_batch
from schema.documents.cache import ValidatedOperation
from schema.documents.rate_limit import RateLimitStatus

PlanRunner = Callable[[str, Sequence[object]], Awaitable[Any]]
"""Executes one statement with its binds; returns its only value."""

Loader = DataLoader[UUID, Any]
T = TypeVar("T")


class Context:
    """One request. The viewer is looked up when first needed, inside the transaction that reads.

    Attributes:
        run_plan: executes the statement of a plan and returns the JSON text of its answer.
        audit_entry_ids: of the commands that were committed, by the response key of their field.
        validated_operation: the document of the request, once it is admitted.
        rate_limit_status: what the request cost and what its sender has left; None where nobody
            counts.

    """

    def __init__(
        self,
        caller: Principal,
        *,
        request_id: str = "",
        run_plan: PlanRunner = fetch_value,
        viewer_lookup: Callable[[Principal], Awaitable[Viewer]] = resolve_viewer,
    ) -> None:
        self.caller = caller
        self.request_id = request_id
        self.run_plan = run_plan
        self.audit_entry_ids: dict[str, UUID] = {}
        self.validated_operation: ValidatedOperation | None = None
        self.rate_limit_status: RateLimitStatus | None = None
        self._viewer_lookup = viewer_lookup
        self._viewer: DataLoader[None, Viewer] = DataLoader(self._load_viewers)
        self._loaders: dict[str, Loader] = {}

    async def viewer(self) -> Viewer:
        """The appointment that asks; one look-up however many fields ask at once.

        Raises:
            AppointmentRequired: no appointment in force, or none named among several.

        """
        return await self._viewer.load(None)

    async def load(self, kind: Kind, id: UUID) -> Any:  # noqa: ANN401 - the kind's own record
        """The object, or None where this viewer sees none; objects are read many at a time."""
        if id == NIL:
            return None
        if kind.name not in self._loaders:
            self._loaders[kind.name] = DataLoader(self._batch_function(kind))
        return await self._loaders[kind.name].load(id)

    async def load_batched(
        self, read: Callable[[list[Any]], Awaitable[Mapping[Any, T]]], key: object
    ) -> T | None:
        """What ``read`` finds for ``key``; keys wanted together are read together."""
        name = f"{read.__module__}.{read.__qualname__}"
        if name not in self._loaders:
            self._loaders[name] = DataLoader(_ordered_batch(read))
        return cast("T | None", await self._loaders[name].load(cast("UUID", key)))

    def invalidate(self) -> None:
        """Drop what was read: a command has changed what is there, and perhaps who may see it."""
        self._viewer = DataLoader(self._load_viewers)
        self._loaders.clear()

    async def _load_viewers(self, asked: list[None]) -> list[Viewer]:
        return [await self._viewer_lookup(self.caller)] * len(asked)

    def _batch_function(self, kind: Kind) -> Callable[[list[UUID]], Awaitable[list[Any]]]:
        async def read(ids: list[UUID]) -> list[Any]:
            found = await load_batch(await self.viewer(), kind, ids)
            return [found.get(id) for id in ids]

        return read


def _ordered_batch(
    read: Callable[[list[Any]], Awaitable[Mapping[Any, T]]],
) -> Callable[[list[Any]], Awaitable[list[T | None]]]:
    async def ordered(keys: list[Any]) -> list[T | None]:
        found = await read(keys)
        return [found.get(key) for key in keys]

    return ordered


Info = strawberry.Info[Context, None]
