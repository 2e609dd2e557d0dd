"""Persisted queries: documents that a client sends by their hash, and some clients must.

Lookups are cached for a second, so that a change counts within a second.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from policies.vocabulary import Text
from registry.kernel.slru_cache import SegmentedLRUCache
from registry.parties.persisted_queries import (
    PersistedQueryLookup,
    lookup_persisted_query,
    sha256_of,
)
from server.graphql.request import GraphQLRequest, RequestError
from server.http.errors import ProtocolError

PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
PERSISTED_QUERIES_ONLY = "PERSISTED_QUERIES_ONLY"

TTL_SECONDS = 1.0
CACHE_SIZE = 1_024
CACHE_BYTES = 4_000_000
ENTRY_OVERHEAD_BYTES = 500
"""Estimated memory of an entry beside its text."""

CacheKey = tuple[str, str]


class PersistedQueryCache:
    """Looks up the document of a client and a hash; simultaneous lookups of one key share one."""

    def __init__(
        self,
        look_up: Callable[[str, str], Awaitable[PersistedQueryLookup]] = lookup_persisted_query,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._clock = clock
        self._cache: SegmentedLRUCache[CacheKey, tuple[float, PersistedQueryLookup]] = (
            SegmentedLRUCache(CACHE_SIZE, CACHE_BYTES, name="persisted_queries")
        )
        self._in_flight: dict[CacheKey, asyncio.Task[PersistedQueryLookup]] = {}

    async def document_text(self, client: str, request: GraphQLRequest) -> str:
        """The text of the document that a request asks for.

        Args:
            client: the client program; empty for the public.
            request: names the document by its text, its hash or both.

        Raises:
            ProtocolError: 400 for neither text nor hash, or for a hash of another text.
            RequestError: the hash is unknown, or the client may not send this text.
            Refused: the database cannot be reached.

        """
        query, sha256 = request.query, request.sha256
        if not query and not sha256:
            raise ProtocolError(400, Text("The request has no document.", "请求未含操作文本。"))
        if query is not None and sha256 and sha256_of(query) != sha256:
            raise ProtocolError(
                400,
                Text(
                    "The document does not have the hash that is sent with it.",
                    "操作文本与所附摘要不符。",
                ),
            )
        lookup = await self.lookup(client, sha256) if client else PersistedQueryLookup()
        if lookup.text is not None:
            return lookup.text
        if query is None:
            # Older clients know the message, newer ones the code.
            message = Text("PersistedQueryNotFound", "未登记该请求。")
            raise RequestError(PERSISTED_QUERY_NOT_FOUND, message, 400)
        return await self._permitted(client, query) if lookup.persisted_queries_only else query

    async def _permitted(self, client: str, query: str) -> str:
        """The text, where a restricted client has it as a persisted query."""
        lookup = await self.lookup(client, sha256_of(query))
        if lookup.persisted_queries_only and lookup.text is None:
            raise RequestError(
                PERSISTED_QUERIES_ONLY,
                Text(
                    "This client may send only its persisted queries.",
                    "该应用仅可发送预登记请求。",
                ),
                403,
            )
        return query

    def _cached(self, key: CacheKey) -> PersistedQueryLookup | None:
        entry = self._cache.get(key)
        return entry[1] if entry is not None and entry[0] > self._clock() else None

    async def lookup(self, client: str, sha256: str) -> PersistedQueryLookup:
        """The document of a client's hash; an empty hash asks only whether it is restricted.

        Raises:
            Refused: the database cannot be reached.

        """
        key = client, sha256
        cached = self._cached(key)
        if cached is not None:
            return cached
        fetching = self._in_flight.get(key)
        if fetching is None:
            fetching = self._in_flight[key] = asyncio.create_task(self._fetch(key))
            fetching.add_done_callback(partial(self._on_fetched, key))
        # A request that is given up must not cancel the lookup of the others.
        return await asyncio.shield(fetching)

    async def _fetch(self, key: CacheKey) -> PersistedQueryLookup:
        expires_at = self._clock() + TTL_SECONDS
        lookup = await self._look_up(*key)
        weight = ENTRY_OVERHEAD_BYTES + len((lookup.text or "").encode())
        self._cache.put(key, (expires_at, lookup), weight)
        return lookup

    def _on_fetched(self, key: CacheKey, fetching: asyncio.Task[PersistedQueryLookup]) -> None:
        del self._in_flight[key]
        if not fetching.cancelled():
            # Retrieved, so that asyncio does not report it where every waiter has given up.
            fetching.exception()
