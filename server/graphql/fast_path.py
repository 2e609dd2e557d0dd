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
from graphql import GraphQLError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from registry.access.viewer_cache import ViewerCache
from registry.kernel.errors import Refused
from registry.kernel.slru_cache import SegmentedLRUCache
from registry.reading.reader_pool import ReaderPool
from registry.reading.sql_builder import NotPlannable
from schema.build import GovernedSchema
from schema.documents.cache import ValidatedOperation
from schema.planning.planner import BoundOperation, Planner
from server.auth.authenticator import AUTH_HEADERS, HeaderMap, TokenAuthenticator, single_headers
from server.graphql.request_preparation import (
    PREPARED_KEY,
    STARTED_AT_KEY,
    RequestPreparer,
    RequestRejected,
    client_address,
)
from server.graphql.view import JSON, negotiate_media_type
from server.http.body import BufferedReceive

PATH = "/graphql"
HEADER_CACHE_SIZE = 64

REQUEST_CACHE_SIZE, REQUEST_CACHE_BYTES = 4_096, 8 << 20
"""So many requests are remembered, and what they weigh."""

REQUEST_OVERHEAD_BYTES, WEIGHT_PER_BODY_BYTE = 1_500, 20
"""What one weighs by itself, and for each byte of its body."""

_RELEVANT_HEADERS = AUTH_HEADERS | {b"accept", b"content-type"}
_PERSISTED_QUERY_KEYS = {"persistedQuery"}
_FALL_BACK_ON = (
    GraphQLError,
    NotPlannable,
    Refused,
    RequestRejected,
    HTTPException,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What the ordinary view answers better; anything else is a mistake of ours, and logged."""

_log = structlog.get_logger()


class FastPathMiddleware:
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
        authenticator: TokenAuthenticator,
        viewer_cache: ViewerCache,
        preparer: RequestPreparer,
        readers: ReaderPool,
    ) -> None:
        assert schema.planner is not None, "plans are what this door is for"
        self._app = app
        self._planner: Planner = schema.planner
        self._authenticator, self._viewer_cache = authenticator, viewer_cache
        self._preparer, self._readers = preparer, readers
        self._request_cache: SegmentedLRUCache[bytes, ParsedRequest] = SegmentedLRUCache(
            REQUEST_CACHE_SIZE, REQUEST_CACHE_BYTES
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on as it came."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        assert isinstance(receive, BufferedReceive), "nobody comes here before his body"
        began = asyncio.get_running_loop().time()
        head = single_headers(scope["headers"], _RELEVANT_HEADERS)
        agreed = head and _negotiate_content_type(
            head.get(b"content-type", b""), head.get(b"accept", b"")
        )
        answer = await self._try_answer(scope, head, receive.body) if head and agreed else None
        if agreed is None or answer is None:
            scope[STARTED_AT_KEY] = began
            await self._app(scope, receive, send)
            return
        length = (b"content-length", b"%d" % len(answer))
        await send({"type": "http.response.start", "status": 200, "headers": [agreed, length]})
        await send({"type": "http.response.body", "body": answer})

    async def _try_answer(self, scope: Scope, headers: HeaderMap, body: bytes) -> bytes | None:
        try:
            return await self._answer(scope, headers, body)
        except _FALL_BACK_ON:
            return None
        except Exception:  # noqa: BLE001 - whatever it is, the view answers; it is logged
            _log.exception("lane_failed", request=scope.get("request_id", ""))
            return None

    async def _answer(self, scope: Scope, headers: HeaderMap, body: bytes) -> bytes | None:
        caller = self._authenticator.cached(headers)
        request = self._cached_or_parsed(body)
        if caller is None or request is None:
            return None
        entered = await self._preparer.prepare(
            caller,
            client_address(scope),
            query=request.query,
            operation_name=request.operation_name,
            extensions=request.extensions,
        )
        # Whoever answers in the end must not charge again.
        scope[PREPARED_KEY] = entered
        admitted = entered.document
        if admitted.operation is None:
            return None
        asking = self._bound_operation(body, request, admitted)
        viewer = self._viewer_cache.cached(caller) or await self._viewer_cache.resolve(caller)
        plan = self._planner.plan_operation(admitted, asking, viewer)
        if plan.constant is not None:
            return plan.constant
        mark = self._viewer_cache.version()
        answer = await self._readers.fetch(plan.sql, plan.values(viewer, asking.arguments))
        # While it waited for a connection or the database, he may have lost what he had.
        return answer if mark == self._viewer_cache.version() else None

    def _cached_or_parsed(self, body: bytes) -> "ParsedRequest | None":
        """What a body says; one that was sent before is not read again."""
        return self._request_cache.get(body) or _parse(body)

    def _bound_operation(
        self, body: bytes, request: "ParsedRequest", document: ValidatedOperation
    ) -> BoundOperation:
        """What it asks; of one that was sent before this is known."""
        if request.bound_operation is not None and request.document() is document:
            return request.bound_operation
        request.bound_operation = self._planner.coerce_and_bind(document, request.variables)
        request.document = weakref.ref(document)
        self._request_cache.put(
            body, request, REQUEST_OVERHEAD_BYTES + WEIGHT_PER_BODY_BYTE * len(body)
        )
        return request.bound_operation


@lru_cache(HEADER_CACHE_SIZE)
def _negotiate_content_type(sent: bytes, accept: bytes) -> tuple[bytes, bytes] | None:
    named = sent.partition(b";")[0].strip().lower()
    agreed = negotiate_media_type(accept.decode("latin-1"))
    if named != JSON.encode() or agreed is None:
        return None
    return b"content-type", f"{agreed}; charset=utf-8".encode()


@dataclass(slots=True)
class ParsedRequest:
    """What a body says, and what it asks of the document that was admitted for it.

    Attributes:
        document: that document's operation; it is kept no longer than it is admitted.

    """

    query: str | None
    operation_name: str | None
    extensions: Mapping[str, Any]
    variables: Mapping[str, object]
    document: Callable[[], ValidatedOperation | None] = lambda: None
    bound_operation: BoundOperation | None = None


def _parse(body: bytes) -> ParsedRequest | None:
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
        and extensions.keys() <= _PERSISTED_QUERY_KEYS
    )
    return ParsedRequest(query, name, extensions, variables) if plain else None
