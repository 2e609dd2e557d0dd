"""The GraphQL endpoint, from the body of a request to the body of its response.

A request is parsed, authenticated, and its document found, validated and charged for. Then a query
that can be planned as a whole is answered by one SQL statement; graphql-core executes the rest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLError, OperationType
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult

from policies.vocabulary import Text
from registry.access.principals import Principal
from registry.kernel.errors import Overloaded, error_extensions
from registry.kernel.observation import current_observation, note_code, note_operation
from schema.build import GovernedSchema
from schema.documents.cache import INVALID_DOCUMENT_COST, ValidatedOperation
from schema.documents.rate_limit import (
    RATE_LIMITED,
    RateLimiter,
    RateLimitExceeded,
    RateLimitStatus,
)
from schema.framework.context import Context
from schema.framework.errors import INTERNAL_CODE, format_error
from schema.framework.scalars import format_datetime
from schema.planning.query_runner import QueryRunner
from server.auth.authenticator import (
    HeaderMap,
    InvalidAppointmentHeader,
    InvalidToken,
    RawHeaders,
    TokenAuthenticator,
)
from server.graphql.persisted_queries import PersistedQueryCache
from server.graphql.request import (
    GRAPHQL,
    JSON,
    GraphQLRequest,
    RequestError,
    negotiate_media_type,
    parse_request,
)
from server.http.errors import RETRY_AFTER_SECONDS, ProtocolError, error_body, error_response

_JSON = JSON.encode()
_STATUSES = {INTERNAL_CODE: 500, Overloaded.code.value: 503}
"""HTTP status of faults of the registry, in either media type."""


@dataclass(slots=True)
class _Response:
    """A response body, and what HTTP adds to it."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class GraphQLHandler:
    """An ASGI application for the one address of the API.

    Args:
        schema: executes what is not planned.
        authenticator: names the principal of a request.
        persisted_queries: finds documents that are sent by their hash.
        rate_limiter: charges for them.
        runner: answers planned queries; None where graphql-core executes every query.

    """

    def __init__(
        self,
        schema: GovernedSchema,
        authenticator: TokenAuthenticator,
        persisted_queries: PersistedQueryCache,
        rate_limiter: RateLimiter,
        *,
        runner: QueryRunner | None,
    ) -> None:
        self._schema = schema
        self._authenticator = authenticator
        self._persisted_queries = persisted_queries
        self._rate_limiter = rate_limiter
        self._runner = runner
        self._reading: dict[str, Any] = (
            {"run_plan": runner.readers.fetch, "access_version": runner.viewers.version}
            if runner
            else {}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            media_type = _check_head(scope)
            request = parse_request(await _read_body(receive))
            principal = await self._authenticate(scope)
        except ProtocolError as error:
            await error_response(error)(scope, receive, send)
            return
        response = await self._respond(scope, request, principal, media_type)
        headers = [
            (b"content-type", f"{media_type}; charset=utf-8".encode()),
            (b"content-length", b"%d" % len(response.body)),
            *((name.encode(), value.encode()) for name, value in response.headers.items()),
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _authenticate(self, scope: Scope) -> Principal:
        """The principal of the request.

        Raises:
            ProtocolError: 401 for a token that does not hold, 400 for a malformed appointment.

        """
        try:
            return await self._authenticator.authenticate(scope["headers"])
        except InvalidToken as error:
            challenge = (
                f'Bearer realm="biandan", error="invalid_token", error_description="{error}"'
            )
            raise ProtocolError(
                401,
                Text(f"Sign-in failed: {error}.", "登录验证失败，请重新登录。"),
                headers={"WWW-Authenticate": challenge},
            ) from None
        except InvalidAppointmentHeader as error:
            raise ProtocolError(
                400,
                Text(str(error), "标头 `Biandan-Appointment` 须为一个岗位授权标识或其 UUID。"),
            ) from None

    async def _respond(
        self, scope: Scope, request: GraphQLRequest, principal: Principal, media_type: str
    ) -> _Response:
        try:
            return await self._answer(scope, request, principal, media_type)
        except ProtocolError as error:
            return _Response(orjson.dumps(error_body(error)), error.status_code)
        except RequestError as error:
            return _error_response(error, media_type)
        except Exception as error:  # noqa: BLE001 - the client gets an answer, a bug is logged
            formatted = format_error(GraphQLError("", original_error=error))
            return _errors_response([formatted], media_type)

    async def _answer(
        self, scope: Scope, request: GraphQLRequest, principal: Principal, media_type: str
    ) -> _Response:
        """The response to one request.

        Raises:
            ProtocolError, RequestError: it is not executed.

        """
        address = client_address(scope)
        document = await self._find_document(request, principal, address)
        rate_limit = self._charge(principal, address, document.cost)
        if document.operation is None:
            return _errors_response(map(format_error, document.errors), media_type)
        if document.operation.name:
            note_operation(document.operation.name.value)
        cost = cost_extension(rate_limit) if request.wants_cost else None
        if self._runner and document.operation.operation is OperationType.QUERY:
            data = await self._runner.run(principal, document, request.variables)
            if data is not None:
                return _Response(data if cost is None else _with_extensions(data, cost))
        context = Context(principal, request_id=scope.get("request_id", ""), **self._reading)
        context.validated_operation, context.rate_limit_status = document, rate_limit
        result = await self._schema.execute(
            document.text, request.variables, context, operation_name=request.operation_name
        )
        if result.data is None and not any(error.path for error in result.errors or ()):
            # Nothing was executed: the request itself was at fault.
            return _errors_response(result.errors or [], media_type)
        return _Response(_encode_result(result, cost), headers=_retry_headers())

    async def _find_document(
        self, request: GraphQLRequest, principal: Principal, address: str
    ) -> ValidatedOperation:
        """The validated document; one that may not be sent is charged like an invalid one."""
        try:
            text = await self._persisted_queries.document_text(principal.client, request)
        except RequestError:
            self._charge(principal, address, INVALID_DOCUMENT_COST)
            raise
        return self._schema.document_cache.validate(text, request.operation_name)

    def _charge(self, principal: Principal, address: str, cost: int) -> RateLimitStatus:
        try:
            return self._rate_limiter.charge(principal, address, cost)
        except RateLimitExceeded as exceeded:
            raise RequestError(
                RATE_LIMITED, exceeded.message, 429, retry_after=exceeded.retry_after
            ) from None


def client_address(scope: Scope) -> str:
    """The address of the client; empty where the request came by no network."""
    client = scope.get("client")
    return client[0] if client else ""


def cost_extension(rate_limit: RateLimitStatus) -> dict[str, Any]:
    """The cost of an operation, as ``extensions`` of the response."""
    return {
        "cost": {
            "limit": rate_limit.limit,
            "cost": rate_limit.cost,
            "remaining": rate_limit.remaining,
            "resetAt": format_datetime(rate_limit.reset_at),
        }
    }


def _check_head(scope: Scope) -> str:
    """The media type of the response.

    Raises:
        ProtocolError: the method, the media type of the body, or what is accepted.

    """
    if scope["method"] != "POST":
        raise ProtocolError(
            405,
            Text("Send GraphQL requests by POST.", "GraphQL 请求须使用 POST 方法。"),
            headers={"Allow": "POST"},
        )
    headers = _joined_headers(scope["headers"])
    media_type = negotiate_media_type(headers.get(b"accept", b"").decode("latin-1"))
    if media_type is None:
        raise ProtocolError(
            406,
            Text(f"Answers come as {GRAPHQL} or {JSON}.", f"响应仅提供 {GRAPHQL} 或 {JSON}。"),
        )
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != _JSON:
        raise ProtocolError(
            400, Text(f"The body must be {JSON}.", f"请求内容的媒体类型须为 {JSON}。")
        )
    return media_type


def _joined_headers(raw: RawHeaders) -> HeaderMap:
    """The headers by name; several of one name are one list (RFC 9110, section 5.3)."""
    found = dict(raw)
    if len(found) == len(raw):
        return found
    return {name: b",".join(value for key, value in raw if key == name) for name in found}


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body


def _encode_result(result: ExecutionResult, extensions: Mapping[str, Any] | None) -> bytes:
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    if extensions is not None:
        answer["extensions"] = extensions
    return orjson.dumps(answer)


def _retry_headers() -> dict[str, str]:
    """When to send the request again, where an error or a refusal in the answer may pass."""
    observation = current_observation()
    is_busy = observation is not None and Overloaded.code.value in observation.codes
    return {"retry-after": RETRY_AFTER_SECONDS} if is_busy else {}


def _with_extensions(answer: bytes, extensions: Mapping[str, Any]) -> bytes:
    """The same JSON object with one member more."""
    return b'%b,"extensions":%b}' % (answer[:-1], orjson.dumps(extensions))


def _error_response(error: RequestError, media_type: str) -> _Response:
    note_code(error.code)
    extensions = error_extensions(error.code, error.message.zh, retryable=error.retry_after > 0)
    status = error.status if media_type == GRAPHQL or error.code in _STATUSES else 200
    headers = {"retry-after": str(error.retry_after)} if error.retry_after else {}
    body = {"errors": [{"message": error.message.en, "extensions": extensions}]}
    return _Response(orjson.dumps(body), status, headers)


def _errors_response(errors: Iterable[GraphQLError], media_type: str) -> _Response:
    """The response where nothing was executed; it has no ``data``."""
    formatted = [error.formatted for error in errors]
    status = _STATUSES.get(str(formatted[0].get("extensions", {}).get("code")))
    headers = (
        {"retry-after": RETRY_AFTER_SECONDS} if status == _STATUSES[Overloaded.code.value] else {}
    )
    status = status or (400 if media_type == GRAPHQL else 200)
    return _Response(orjson.dumps({"errors": formatted}), status, headers)
