"""A GraphQL request over HTTP: its body, and the media type of its response."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from policies.vocabulary import Text
from registry.db.named_params import find_unstorable
from server.http.errors import ProtocolError

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"

ACCEPT_CACHE_SIZE = 64
PERSISTED_QUERY_VERSION = 1

_MEDIA_TYPES = {GRAPHQL: GRAPHQL, JSON: JSON, "application/*": JSON, "*/*": JSON}
_QUALITY = re.compile(r"q=(0(\.\d{0,3})?|1(\.0{0,3})?)")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_ESCAPED_NUL = rb"\u0000"


class RequestError(Exception):
    """A well-formed request that is answered with an error and not executed.

    Attributes:
        code: of the error.
        message: for the client, in both languages.
        status: of HTTP where the response is of the newer media type; the older one has 200.
        retry_after: seconds after which the same request can succeed; 0 where it never can.

    """

    def __init__(self, code: str, message: Text, status: int, *, retry_after: int = 0) -> None:
        super().__init__(message.en)
        self.code, self.message = code, message
        self.status, self.retry_after = status, retry_after


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parts of a request body."""

    query: str | None  # The text of the document; None where it is sent by its hash.
    operation_name: str | None
    variables: dict[str, Any]
    sha256: str  # The hash of a persisted query, in lower case; empty where none is sent.
    wants_cost: bool  # Whether the response is to report the cost.


def parse_request(body: bytes) -> GraphQLRequest:
    """The request in a body.

    Raises:
        ProtocolError: 400; the body is not one JSON object, or a part of it has another type.

    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _malformed("The body is not JSON.", "请求内容不是有效的 JSON。") from None
    if not isinstance(parsed, dict):
        raise _malformed(
            "The body must be one JSON object; batches are not accepted.",
            "请求内容须为单个 JSON 对象，不支持批量请求。",
        )
    # JSON has NUL only escaped; half a surrogate pair is no JSON.
    if _ESCAPED_NUL in body:
        refused = next(filter(None, map(find_unstorable, _texts(parsed))), None)
        if refused:
            raise ProtocolError(400, refused)
    extensions = _member(parsed, "extensions", dict, "an object", "对象") or {}
    return GraphQLRequest(
        query=_member(parsed, "query", str, "a string", "字符串"),
        operation_name=_member(parsed, "operationName", str, "a string", "字符串"),
        variables=_member(parsed, "variables", dict, "an object", "对象") or {},
        sha256=_persisted_query_hash(extensions.get("persistedQuery")),
        wants_cost=extensions.get("cost") is True,
    )


def _member(body: dict[str, Any], name: str, kind: type, en: str, zh: str) -> Any:  # noqa: ANN401, PLR0917 - JSON
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise _malformed(f"`{name}` must be {en}.", f"`{name}` 须为{zh}。")
    return value


def _persisted_query_hash(sent: object) -> str:
    if sent is None:
        return ""
    hash = sent.get("sha256Hash") if isinstance(sent, dict) else None
    if (
        not isinstance(sent, dict)
        or sent.get("version") != PERSISTED_QUERY_VERSION
        or not isinstance(hash, str)
        or not _SHA256.fullmatch(hash)
    ):
        raise _malformed(
            "`persistedQuery` has `version` 1 and a `sha256Hash` of 64 digits.",
            "`persistedQuery` 须含 `version` 1 与 64 位的 `sha256Hash`。",
        )
    return hash.lower()


def _texts(body: object) -> Iterator[str]:
    """Every text of a parsed body, names included, at any depth."""
    pending = [body]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            pending += [*value, *value.values()]
        elif isinstance(value, list):
            pending += value


def _malformed(en: str, zh: str) -> ProtocolError:
    return ProtocolError(400, Text(en, zh))


@lru_cache(ACCEPT_CACHE_SIZE)
def negotiate_media_type(accept: str) -> str | None:
    """The media type of the response that an Accept header prefers; None where it accepts neither.

    Without the header it is the older type.
    """
    if not accept.strip():
        return JSON
    weighed = [_parse_quality(part) for part in accept.split(",")]
    accepted = [(weight, offered) for weight, offered in weighed if offered and weight > 0]
    # Of equal weights the newer type, then the one named first.
    best = max(accepted, key=lambda each: (each[0], each[1] == GRAPHQL), default=None)
    return best[1] if best else None


def _parse_quality(part: str) -> tuple[int, str | None]:
    """One member of the header: its weight in thousandths, and the offered type that it names."""
    named, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weights = [parameter for parameter in parameters if parameter.startswith("q=")]
    if not weights:
        return 1000, _MEDIA_TYPES.get(named)
    found = _QUALITY.fullmatch(weights[0])
    whole, _, decimals = found[1].partition(".") if found else ("0", "", "")
    return int(whole + decimals.ljust(3, "0")), _MEDIA_TYPES.get(named)
