"""What every way in does with a request whose sender is known.

It finds the document, admits it, and charges for it, whichever way the request takes from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import GraphQLError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from registry.access.principals import Caller
from registry.kernel.errors import Refused
from registry.parties.persisted_queries import Sent, hash_of
from schema.documents.cache import REFUSED_COST, Admissions, Admitted
from schema.documents.rate_limit import RATE_LIMITED, Rate, RateLimited, Rates
from schema.framework.errors import told
from server.graphql.persisted_queries import Registered

PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
REGISTERED_ONLY = "REGISTERED_ONLY"
ENTERED = "biandan.entered"
"""Where a request carries that it has entered, so that it is not charged again."""

BEGAN = "biandan.began"
"""Where it carries when somebody began to answer it, in seconds of the event loop."""

VERSION = 1
HASH_LENGTH = 64


class Entered(NamedTuple):
    """A request that has entered: its document, and what it cost. The document may be refused."""

    admitted: Admitted
    rate: Rate


class TurnedAway(Exception):
    """The request does not enter.

    Attributes:
        error: why, as the sender is told.
        status: of HTTP, for the media type that tells faults by their status.
        seconds: after so many it may be sent again; 0 where that does not help.

    """

    def __init__(self, error: GraphQLError, status: int, *, seconds: int = 0) -> None:
        super().__init__(error.message)
        self.error = error
        self.status = status
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Entrance:
    """Lets requests in; the same one for all ways.

    Attributes:
        admissions: of the schema that serves.
        rates: what each sender has left.
        registered: the documents of client programs.

    """

    admissions: Admissions
    rates: Rates
    registered: Registered

    async def enter(
        self,
        caller: Caller,
        peer: str,
        *,
        query: str | None,
        operation_name: str | None,
        extensions: Mapping[str, Any] | None,
    ) -> Entered:
        """Find the document, admit it, charge for it.

        Args:
            caller: whom sign-in found.
            peer: the address that the request came from.
            query: the document's text; None where it is sent by its hash.
            operation_name: as it was sent.
            extensions: likewise.

        Raises:
            TurnedAway: the hash is unknown, the program may not send this document, or the sender
                has used up his points.
            HTTPException: 400 for a request without a document, or with a hash that is none.

        """
        sha256 = _hash(extensions)
        text = query
        if caller.client and not self._free(caller.client, sha256, query):
            text = await self._text(caller, peer, query, sha256)
        elif sha256 and query is None:
            raise self._not_found(caller, peer)
        if sha256 and query is not None and hash_of(query) != sha256:
            raise HTTPException(
                400, "The document is not the one of the hash that is sent with it."
            )
        if not text:
            raise HTTPException(400, "The request has no document.")
        admitted = self.admissions.admit(text, operation_name)
        return Entered(admitted, self._take(caller, peer, admitted.cost))

    def _free(self, client: str, sha256: str, query: str | None) -> bool:
        """Whether it is known that the program sends what it likes, and this by its text."""
        known = self.registered.known(client, sha256) if query is not None else None
        return known is not None and not known.registered_only and known.text is None

    async def _text(self, caller: Caller, peer: str, query: str | None, sha256: str) -> str | None:
        """The document that a program sends, by its text or by its hash."""
        sent = await self._sent(caller.client, sha256)
        if sent.registered_only and query is not None and sent.text is None:
            sent = await self._sent(caller.client, sha256 or hash_of(query))
        if sent.text is not None:
            return sent.text
        if sha256 and query is None:
            raise self._not_found(caller, peer)
        if sent.registered_only:
            self._take(caller, peer, REFUSED_COST)
            raise TurnedAway(
                _error(
                    REGISTERED_ONLY,
                    "This client sends registered documents and no others.",
                    "该应用仅可发送已登记的查询文档。",
                ),
                403,
            )
        return query

    async def _sent(self, client: str, sha256: str) -> Sent:
        try:
            return await self.registered.sent(client, sha256)
        except Refused as refused:
            error = told(GraphQLError(refused.message.en, original_error=refused))
            raise TurnedAway(error, 503, seconds=1) from None

    def _not_found(self, caller: Caller, peer: str) -> TurnedAway:
        self._take(caller, peer, REFUSED_COST)
        # Older clients know the message, newer ones the code.
        error = _error(PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound", "未登记该查询文档。")
        return TurnedAway(error, 400)

    def _take(self, caller: Caller, peer: str, cost: int) -> Rate:
        try:
            return self.rates.take(caller, peer, cost)
        except RateLimited as limited:
            error = _error(RATE_LIMITED, limited.message.en, limited.message.zh, retryable=True)
            raise TurnedAway(error, 429, seconds=limited.seconds) from None


def peer_of(scope: Scope) -> str:
    """The address that a request came from; empty where it came by no network."""
    client = scope.get("client")
    return client[0] if client else ""


def wants_cost(extensions: Mapping[str, Any] | None) -> bool:
    """Whether the request asks to be told its cost."""
    return extensions is not None and extensions.get("cost") is True


def told_cost(rate: Rate) -> dict[str, object]:
    """What is told of it, as ``extensions`` of the answer."""
    return {
        "cost": {
            "limit": rate.limit,
            "cost": rate.cost,
            "remaining": rate.remaining,
            "resetAt": rate.reset_at.isoformat(),
        }
    }


def _hash(extensions: Mapping[str, Any] | None) -> str:
    """The hash that the request sends; empty where it sends none."""
    sent = (extensions or {}).get("persistedQuery")
    if sent is None:
        return ""
    found = sent.get("sha256Hash") if isinstance(sent, dict) else None
    if not isinstance(found, str) or len(found) != HASH_LENGTH or sent.get("version") != VERSION:
        raise HTTPException(
            400, "`persistedQuery` has `version` 1 and a `sha256Hash` of 64 digits."
        )
    return found.lower()


def _error(code: str, en: str, zh: str, *, retryable: bool = False) -> GraphQLError:
    return GraphQLError(en, extensions={"code": code, "messageZh": zh, "retryable": retryable})
