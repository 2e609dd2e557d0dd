"""GraphQL over HTTP, strictly: POST, one operation, the media type that the client prefers."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import orjson
from cross_web import HTTPException as ViewError
from graphql import GraphQLError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.types import ExecutionResult

from registry.db.named_params import UNSTORABLE_CHARACTERS, is_storable_text
from schema.build import GovernedSchema
from schema.documents.rate_limit import RateLimitStatus
from schema.framework.context import Context, PlanRunner
from schema.framework.errors import format_error
from server.auth.authenticator import InvalidAppointmentHeader, InvalidToken, TokenAuthenticator
from server.graphql.request_preparation import (
    PREPARED_KEY,
    STARTED_AT_KEY,
    PreparedRequest,
    RequestPreparer,
    RequestRejected,
    client_address,
    cost_extension,
    wants_cost,
)
from server.settings import Settings

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
TIMEOUT_CODE = "TIMEOUT"
RETRY_AFTER_SECONDS = "1"

_MEDIA_TYPES = {GRAPHQL: GRAPHQL, JSON: JSON, "application/*": JSON, "*/*": JSON}
_QUALITY = re.compile(r"q=(0(\.\d{0,3})?|1(\.0{0,3})?)")


class GraphQLView(GraphQL[Context, None]):
    """The one address of the API."""

    def __init__(
        self,
        schema: GovernedSchema,
        settings: Settings,
        authenticator: TokenAuthenticator,
        preparer: RequestPreparer,
        *,
        run_plan: PlanRunner,
    ) -> None:
        super().__init__(
            schema, graphql_ide=None, allow_queries_via_get=False, subscription_protocols=()
        )
        self._settings = settings
        self._authenticator = authenticator
        self._preparer = preparer
        self._run_plan = run_plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever is wrong with it leaves as a plain HTTP error."""
        request = Request(scope, receive)
        if request.method != "POST":
            raise HTTPException(405, "GraphQL is asked by POST.", headers={"Allow": "POST"})
        try:
            response = await self.run(request)
        except ViewError as error:
            raise HTTPException(error.status_code, error.reason) from error
        await response(scope, receive, send)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """Who asks.

        Raises:
            HTTPException: 401 for a token that does not hold, 400 for a malformed appointment.

        """
        del response
        try:
            caller = await self._authenticator.authenticate(request.headers)
        except InvalidToken as error:
            challenge = (
                f'Bearer realm="biandan", error="invalid_token", error_description="{error}"'
            )
            raise HTTPException(
                401, f"Sign-in failed: {error}.", headers={"WWW-Authenticate": challenge}
            ) from None
        except InvalidAppointmentHeader as error:
            raise HTTPException(400, str(error)) from None
        return Context(
            caller, request_id=request.scope.get("request_id", ""), run_plan=self._run_plan
        )

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """Remember which media type was agreed on.

        Raises:
            HTTPException: 406 where the client takes none that is offered.

        """
        agreed = negotiate_media_type(request.headers.get("accept", ""))
        if agreed is None:
            raise HTTPException(406, f"Answers come as {GRAPHQL} or {JSON}.")
        response = await super().get_sub_response(request)
        response.media_type = agreed
        return response

    def decode_json(self, data: str | bytes) -> object:
        """The body as an object.

        Raises:
            ViewError: it is not one, it is a batch, or a text in it cannot be stored.

        """
        raw = data.encode() if isinstance(data, str) else data
        body = orjson.loads(raw)
        if not isinstance(body, dict):
            raise ViewError(400, "The body must be one JSON object; batches are not taken.")
        if not isinstance(body.get("operationName"), str | None):
            raise ViewError(400, "`operationName` must be a string.")
        if not all(is_storable_text(text) for text in _strings(body)):
            raise ViewError(400, UNSTORABLE_CHARACTERS.en)
        return body

    def encode_json(self, data: object) -> bytes:
        """Compact JSON."""
        return orjson.dumps(data)

    async def execute_single(  # noqa: PLR0917 - the library's signature
        self,
        request: Request,
        request_adapter: Any,  # noqa: ANN401 - the library's signature
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Execute within the time limit; what is given up is rolled back and may be sent again."""
        limit = self._settings.operation_seconds_max
        # What another door spent on it is spent.
        began = request.scope.get(STARTED_AT_KEY, asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout_at(began + limit):
                rate = await self._prepare(request.scope, context, request_data)
                result = await super().execute_single(
                    request, request_adapter, sub_response, context, root_value, request_data
                )
                if wants_cost(request_data.extensions):
                    result.extensions = {**(result.extensions or {}), **cost_extension(rate)}
                return result
        except RequestRejected as away:
            if away.retry_after:
                sub_response.headers["retry-after"] = str(away.retry_after)
            if sub_response.media_type == GRAPHQL:
                sub_response.status_code = away.status
            return ExecutionResult(data=None, errors=[format_error(away.error)])
        except TimeoutError:
            sub_response.status_code = 503
            sub_response.headers["retry-after"] = RETRY_AFTER_SECONDS
            message = f"The operation took longer than {limit} s; send it again with the same key."
            extensions = {
                "code": TIMEOUT_CODE,
                "messageZh": "处理超时,请使用同一幂等键重试。",
                "retryable": True,
            }
            return ExecutionResult(data=None, errors=[GraphQLError(message, extensions=extensions)])

    async def _prepare(
        self, scope: Scope, context: Context, request_data: GraphQLRequestData
    ) -> RateLimitStatus:
        """Let the request in, unless another door has done so; what it cost."""
        entered: PreparedRequest = scope.get(PREPARED_KEY) or await self._preparer.prepare(
            context.caller,
            client_address(scope),
            query=request_data.query,
            operation_name=request_data.operation_name,
            extensions=request_data.extensions,
        )
        context.validated_operation, context.rate_limit_status = (
            entered.document,
            entered.rate_limit,
        )
        request_data.query = entered.document.text
        return entered.rate_limit

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        """Without `data` where nothing was executed: then the request itself was at fault."""
        answer = await super().process_result(request, result)
        if result.data is None and not any(error.path for error in result.errors or ()):
            answer.pop("data", None)
        return answer

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        """The answer in the agreed media type; only the newer one tells a fault by its status."""
        response = super().create_response(response_data, sub_response)
        agreed = sub_response.media_type
        response.headers["content-type"] = f"{agreed}; charset=utf-8"
        if agreed == GRAPHQL and "data" not in response_data and not sub_response.status_code:
            response.status_code = 400
        return response


def _strings(body: object) -> Iterator[str]:
    """Every text of a decoded body, names included, however deep it lies."""
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value


def negotiate_media_type(header: str) -> str | None:
    """The offered media type that an Accept header likes best; None where it likes neither.

    Whoever names nothing gets the older type.
    """
    if not header.strip():
        return JSON
    weighed = [_parse_quality(part) for part in header.split(",")]
    liked = [(weight, offered) for weight, offered in weighed if offered and weight > 0]
    # Of equally liked ones the newer type, then the one named first.
    best = max(liked, key=lambda like: (like[0], like[1] == GRAPHQL), default=None)
    return best[1] if best else None


def _parse_quality(part: str) -> tuple[int, str | None]:
    """One member of the header: its weight in thousandths, and what of ours it stands for."""
    named, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weights = [p for p in parameters if p.startswith("q=")]
    if not weights:
        return 1000, _MEDIA_TYPES.get(named)
    found = _QUALITY.fullmatch(weights[0])
    whole, _, decimals = found[1].partition(".") if found else ("0", "", "")
    return int(whole + decimals.ljust(3, "0")), _MEDIA_TYPES.get(named)
