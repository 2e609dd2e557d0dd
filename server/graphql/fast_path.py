"""The fast door: answers a query that is planned as a whole, hands everything else on untouched.

It can only be fast, never wrong: it answers successes alone. Whatever is refused, malformed or
unknown, and whatever fails here, the ordinary view answers as if this door were not there.
"""

import asyncio
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import asyncpg
import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from registry.access.viewer_cache import Standings
from registry.kernel.errors import Refused
from registry.kernel.slru_cache import Remembered
from registry.reading.reader_pool import Readers
from registry.reading.sql_builder import Unplanned
from schema.build import GovernedSchema
from schema.documents.cache import Admitted
from schema.planning.planner import Asking, Planner
from server.auth.authenticator import SIGNED, Head, SignIn, once
from server.graphql.request_preparation import BEGAN, ENTERED, Entrance, TurnedAway, peer_of
from server.graphql.view import JSON, accepted
from server.http.load_shedding import Arrived

PATH = "/graphql"
HEADERS_REMEMBERED = 64

REQUESTS_MAX, REQUESTS_BYTES_MAX = 4_096, 8 << 20
"""So many requests are remembered, and what they weigh."""

REQUEST_BYTES, REQUEST_WEIGHT = 1_500, 20
"""What one weighs by itself, and for each byte of its body."""

_READ = SIGNED | {b"accept", b"content-type"}
_SENT_BY_HASH = {"persistedQuery"}
_LEFT = (
    Unplanned,
    Refused,
    TurnedAway,
    HTTPException,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What the ordinary view answers better; anything else is a mistake of ours, and logged."""

_log = structlog.get_logger()


class Lane:
    """Answers what it can and passes on what it cannot.

    Args:
        app: answers everything else.
        schema: with a planner.
        sign_in: knows whose token was verified before.
        standings: knows who acts and what stands against him.
        entrance: admits documents and charges for them.
        readers: execute plans.

    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        schema: GovernedSchema,
        sign_in: SignIn,
        standings: Standings,
        entrance: Entrance,
        readers: Readers,
    ) -> None:
        assert schema.planner is not None, "plans are what this door is for"
        self._app = app
        self._planner: Planner = schema.planner
        self._sign_in, self._standings = sign_in, standings
        self._entrance, self._readers = entrance, readers
        self._requests: Remembered[bytes, _Request] = Remembered(REQUESTS_MAX, REQUESTS_BYTES_MAX)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on as it came."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        assert isinstance(receive, Arrived), "nobody comes here before his body"
        began = asyncio.get_running_loop().time()
        head = once(scope["headers"], _READ)
        agreed = head and _content_type(head.get(b"content-type", b""), head.get(b"accept", b""))
        answer = await self._answered(scope, head, receive.body) if head and agreed else None
        if agreed is None or answer is None:
            scope[BEGAN] = began
            await self._app(scope, receive, send)
            return
        length = (b"content-length", b"%d" % len(answer))
        await send({"type": "http.response.start", "status": 200, "headers": [agreed, length]})
        await send({"type": "http.response.body", "body": answer})

    async def _answered(self, scope: Scope, head: Head, body: bytes) -> bytes | None:
        try:
            return await self._answer(scope, head, body)
        except _LEFT:
            return None
        except Exception:  # noqa: BLE001 - whatever it is, the view answers; it is logged
            _log.exception("lane_failed", request=scope.get("request_id", ""))
            return None

    async def _answer(self, scope: Scope, head: Head, body: bytes) -> bytes | None:
        caller = self._sign_in.known(head)
        request = self._request(body)
        if caller is None or request is None:
            return None
        entered = await self._entrance.enter(
            caller,
            peer_of(scope),
            query=request.query,
            operation_name=request.operation_name,
            extensions=request.extensions,
        )
        # Whoever answers in the end must not charge again.
        scope[ENTERED] = entered
        admitted = entered.admitted
        if admitted.operation is None:
            return None
        asking = self._asking(body, request, admitted)
        viewer = self._standings.known(caller) or await self._standings.viewer(caller)
        plan = self._planner.whole(admitted, asking, viewer)
        if plan.constant is not None:
            return plan.constant
        mark = self._standings.mark()
        answer = await self._readers.fetch(plan.sql, plan.values(viewer, asking.arguments))
        # While it waited for a connection or the database, he may have lost what he had.
        return answer if mark == self._standings.mark() else None

    def _request(self, body: bytes) -> "_Request | None":
        """What a body says; one that was sent before is not read again."""
        return self._requests.get(body) or _read(body)

    def _asking(self, body: bytes, request: "_Request", admitted: Admitted) -> Asking:
        """What it asks; of one that was sent before this is known."""
        if request.asking is not None and request.admitted() is admitted:
            return request.asking
        request.asking = self._planner.asking(admitted, request.variables)
        request.admitted = weakref.ref(admitted)
        self._requests.put(body, request, REQUEST_BYTES + REQUEST_WEIGHT * len(body))
        return request.asking


@lru_cache(HEADERS_REMEMBERED)
def _content_type(sent: bytes, accept: bytes) -> tuple[bytes, bytes] | None:
    named = sent.partition(b";")[0].strip().lower()
    agreed = accepted(accept.decode("latin-1"))
    if named != JSON.encode() or agreed is None:
        return None
    return b"content-type", f"{agreed}; charset=utf-8".encode()


@dataclass(slots=True)
class _Request:
    """What a body says, and what it asks of the document that was admitted for it.

    Attributes:
        admitted: that document's operation; it is kept no longer than it is admitted.

    """

    query: str | None
    operation_name: str | None
    extensions: Mapping[str, Any]
    variables: Mapping[str, object]
    admitted: Callable[[], Admitted | None] = lambda: None
    asking: Asking | None = None


def _read(body: bytes) -> _Request | None:
    """The request, where it is one of the ordinary form and asks for nothing beside the answer."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(said, dict):
        return None
    query, name = said.get("query"), said.get("operationName")
    variables, extensions = said.get("variables") or {}, said.get("extensions") or {}
    plain = (
        isinstance(query, str | None)
        and isinstance(name, str | None)
        and isinstance(variables, dict)
        and isinstance(extensions, dict)
        and extensions.keys() <= _SENT_BY_HASH
    )
    return _Request(query, name, extensions, variables) if plain else None
