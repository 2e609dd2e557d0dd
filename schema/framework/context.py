"""What the resolvers of one request share: who asks, and what was loaded for him already."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from registry.access.kinds import Kind
from registry.access.principals import NIL, Caller, Viewer
from registry.access.viewer_lookup import enter
from registry.reading.keyset import many
from schema.documents.cache import Admitted
from schema.documents.rate_limit import Rate

Loader = DataLoader[UUID, Any]
T = TypeVar("T")


class Context:
    """One request. The viewer is looked up when first needed, inside the transaction that reads.

    Attributes:
        raw: the answer is written by who splices the text of JSON values into it as they stand.
        plans: fields may be answered by plans; else each by its resolver.
        admitted: the document of the request, once it is admitted.
        rate: what the request cost and what its sender has left; None where nobody counts.

    """

    def __init__(
        self,
        caller: Caller,
        *,
        request_id: str = "",
        raw: bool = False,
        plans: bool = True,
        look_up: Callable[[Caller], Awaitable[Viewer]] = enter,
    ) -> None:
        self.caller = caller
        self.request_id = request_id
        self.raw = raw
        self.plans = plans
        self.admitted: Admitted | None = None
        self.rate: Rate | None = None
        self._look_up = look_up
        self._viewer: DataLoader[None, Viewer] = DataLoader(self._viewers)
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
            self._loaders[kind.name] = DataLoader(self._reads(kind))
        return await self._loaders[kind.name].load(id)

    async def looked_up(
        self, read: Callable[[list[Any]], Awaitable[Mapping[Any, T]]], key: object
    ) -> T | None:
        """What ``read`` finds for ``key``; keys wanted together are read together."""
        name = f"{read.__module__}.{read.__qualname__}"
        if name not in self._loaders:
            self._loaders[name] = DataLoader(_in_order(read))
        return cast("T | None", await self._loaders[name].load(cast("UUID", key)))

    def forget(self) -> None:
        """Drop what was read: a command has changed what is there, and perhaps who may see it."""
        self._viewer = DataLoader(self._viewers)
        self._loaders.clear()

    async def _viewers(self, asked: list[None]) -> list[Viewer]:
        return [await self._look_up(self.caller)] * len(asked)

    def _reads(self, kind: Kind) -> Callable[[list[UUID]], Awaitable[list[Any]]]:
        async def read(ids: list[UUID]) -> list[Any]:
            found = await many(await self.viewer(), kind, ids)
            return [found.get(id) for id in ids]

        return read


def _in_order(
    read: Callable[[list[Any]], Awaitable[Mapping[Any, T]]],
) -> Callable[[list[Any]], Awaitable[list[T | None]]]:
    async def ordered(keys: list[Any]) -> list[T | None]:
        found = await read(keys)
        return [found.get(key) for key in keys]

    return ordered


Info = strawberry.Info[Context, None]
