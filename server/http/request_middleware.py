"""Middleware of every request: id, security headers, access log line, response to a crash."""

import time
from random import randbytes

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from policies.vocabulary import Text
from registry.kernel.observation import start_observation
from server.http.access_log import AccessLog
from server.http.errors import ProtocolError, error_response
from server.observability.metrics import record_request
from server.observability.tracing import request_span
from server.settings import Settings

SECURITY_HEADERS = {
    # Granian would give its own name.
    "server": "biandan",
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
HSTS = "max-age=31536000; includeSubDomains"

ALIASES = {"/graphql/": "/graphql"}
"""Paths that are answered as another. A redirect would lead to the address in `Host`."""

_log = structlog.get_logger()


class RequestMiddleware:
    """The outermost layer: the client gets a response to every failure within."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._access_log = AccessLog()
        self._counts_requests = settings.metrics_port is not None
        security = SECURITY_HEADERS | (
            {"strict-transport-security": HSTS} if settings.is_production else {}
        )
        self._headers = [(name.encode(), value.encode()) for name, value in security.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request; anything else passes untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # It names a request and keeps no secret.
        request_id = randbytes(16).hex()  # noqa: S311
        started_at, status = time.perf_counter(), 0
        scope["request_id"] = request_id
        scope["path"] = ALIASES.get(scope["path"], scope["path"])
        observation = start_observation(request_id)
        headers = [*self._headers, (b"x-request-id", request_id.encode())]

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        try:
            with request_span(scope, observation):
                await self._answer(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 - the client gets an answer all the same
            _log.error("unhandled", exc_info=error)
            if not status:
                await error_response(HTTPException(500))(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started_at
            self._access_log.record(scope["path"], status, seconds, request_id)
            if self._counts_requests:
                record_request(observation, status, seconds)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if sum(name == b"host" for name, _ in scope["headers"]) > 1:
            # Which of them a proxy in front believed is unknown.
            error = ProtocolError(
                400,
                Text("The request has several Host headers.", "请求含有多个 Host 标头。"),
                headers={"connection": "close"},
            )
            await error_response(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)
