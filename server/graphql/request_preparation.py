"""What every way in does with a request whose sender is known.

It finds the document, admits it, and charges for it, whichever way the request takes from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import GraphQLError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from registry.access.principals import Principal
from registry.kernel.errors import Refused
from registry.parties.persisted_queries import PersistedQueryLookup, sha256_of
from schema.documents.cache import INVALID_DOCUMENT_COST, DocumentCache, ValidatedOperation
from schema.documents.rate_limit import (
    RATE_LIMITED,
    RateLimiter,
    RateLimitExceeded,
    RateLimitStatus,
)
from schema.framework.errors import format_error
from server.graphql.persisted_queries import PersistedQueryCache

PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
PERSISTED_QUERIES_ONLY = "REGISTERED_ONLY"
PREPARED_KEY = "biandan.entered"
"""Where a request carries that it has entered, so that it is not charged again."""

STARTED_AT_KEY = "biandan.began"
"""Where it carries when somebody began to answer it, in seconds of the event loop."""

PERSISTED_QUERY_VERSION = 1
HASH_LENGTH = 64


class PreparedRequest(NamedTuple):
    """A request that has entered: its document, and what it cost. The document may be refused."""

    document: ValidatedOperation
    rate_limit: RateLimitStatus


class RequestRejected(Exception):
    """The request does not enter.

    Attributes:
        error: why, as the sender is told.
        status: of HTTP, for the media type that tells faults by their status.
        retry_after: after so many it may be sent again; 0 where that does not help.

    """

    def __init__(self, error: GraphQLError, status: int, *, retry_after: int = 0) -> None:
        super().__init__(error.message)
        self.error = error
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class RequestPreparer:
    """Lets requests in; the same one for all ways.

    Attributes:
        document_cache: of the schema that serves.
        rate_limiter: what each sender has left.
        persisted_queries: the documents of client programs.

    """

    document_cache: DocumentCache
    rate_limiter: RateLimiter
    persisted_queries: PersistedQueryCache

    async def prepare(
        self,
        caller: Principal,
        address: str,
        *,
        query: str | None,
        operation_name: str | None,
        extensions: Mapping[str, Any] | None,
    ) -> PreparedRequest:
        """Find the document, admit it, charge for it.

        Args:
            caller: whom sign-in found.
            address: the address that the request came from.
            query: the document's text; None where it is sent by its hash.
            operation_name: as it was sent.
            extensions: likewise.

        Raises:
            RequestRejected: the hash is unknown, the program may not send this document, or the
                sender has used up his points.
            HTTPException: 400 for a request without a document, or with a hash that is none.

        """
        sha256 = _requested_hash(extensions)
        text = query
        if caller.client and not self._may_send_any_document(caller.client, sha256, query):
            text = await self._document_text(caller, address, query, sha256)
        elif sha256 and query is None:
            raise self._not_found(caller, address)
        if sha256 and query is not None and sha256_of(query) != sha256:
            raise HTTPException(
                400, "The document is not the one of the hash that is sent with it."
            )
        if not text:
            raise HTTPException(400, "The request has no document.")
        admitted = self.document_cache.validate(text, operation_name)
        return PreparedRequest(admitted, self._charge(caller, address, admitted.cost))

    def _may_send_any_document(self, client: str, sha256: str, query: str | None) -> bool:
        """Whether it is known that the program sends what it likes, and this by its text."""
        known = self.persisted_queries.cached(client, sha256) if query is not None else None
        return known is not None and not known.persisted_queries_only and known.text is None

    async def _document_text(
        self, caller: Principal, address: str, query: str | None, sha256: str
    ) -> str | None:
        """The document that a program sends, by its text or by its hash."""
        sent = await self._persisted(caller.client, sha256)
        if sent.persisted_queries_only and query is not None and sent.text is None:
            sent = await self._persisted(caller.client, sha256 or sha256_of(query))
        if sent.text is not None:
            return sent.text
        if sha256 and query is None:
            raise self._not_found(caller, address)
        if sent.persisted_queries_only:
            self._charge(caller, address, INVALID_DOCUMENT_COST)
            raise RequestRejected(
                _error(
                    PERSISTED_QUERIES_ONLY,
                    "This client sends registered documents and no others.",
                    "该应用仅可发送已登记的查询文档。",
                ),
                403,
            )
        return query

    async def _persisted(self, client: str, sha256: str) -> PersistedQueryLookup:
        try:
            return await self.persisted_queries.lookup(client, sha256)
        except Refused as refused:
            error = format_error(GraphQLError(refused.message.en, original_error=refused))
            raise RequestRejected(error, 503, retry_after=1) from None

    def _not_found(self, caller: Principal, address: str) -> RequestRejected:
        self._charge(caller, address, INVALID_DOCUMENT_COST)
        # Older clients know the message, newer ones the code.
        error = _error(PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound", "未登记该查询文档。")
        return RequestRejected(error, 400)

    def _charge(self, caller: Principal, address: str, cost: int) -> RateLimitStatus:
        try:
            return self.rate_limiter.charge(caller, address, cost)
        except RateLimitExceeded as limited:
            error = _error(RATE_LIMITED, limited.message.en, limited.message.zh, retryable=True)
            raise RequestRejected(error, 429, retry_after=limited.retry_after) from None


def client_address(scope: Scope) -> str:
    """The address that a request came from; empty where it came by no network."""
    client = scope.get("client")
    return client[0] if client else ""


def wants_cost(extensions: Mapping[str, Any] | None) -> bool:
    """Whether the request asks to be told its cost."""
    return extensions is not None and extensions.get("cost") is True


def cost_extension(rate_limit: RateLimitStatus) -> dict[str, object]:
    """What is told of it, as ``extensions`` of the answer."""
    return {
        "cost": {
            "limit": rate_limit.limit,
            "cost": rate_limit.cost,
            "remaining": rate_limit.remaining,
            "resetAt": rate_limit.reset_at.isoformat(),
        }
    }


def _requested_hash(extensions: Mapping[str, Any] | None) -> str:
    """The hash that the request sends; empty where it sends none."""
    sent = (extensions or {}).get("persistedQuery")
    if sent is None:
        return ""
    found = sent.get("sha256Hash") if isinstance(sent, dict) else None
    if (
        not isinstance(found, str)
        or len(found) != HASH_LENGTH
        or sent.get("version") != PERSISTED_QUERY_VERSION
    ):
        raise HTTPException(
            400, "`persistedQuery` has `version` 1 and a `sha256Hash` of 64 digits."
        )
    return found.lower()


def _error(code: str, en: str, zh: str, *, retryable: bool = False) -> GraphQLError:
    return GraphQLError(en, extensions={"code": code, "messageZh": zh, "retryable": retryable})
