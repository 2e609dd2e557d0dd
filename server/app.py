"""The web application: the GraphQL endpoint, health checks, and the layers in front of them."""

import asyncio
import html
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import asyncpg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from tortoise.exceptions import BaseORMException

from registry.access.viewer_cache import ViewerCache
from registry.db.session import fetch_one, read_only_transaction
from registry.kernel.errors import Refused
from registry.kernel.statistics import STATISTICS
from server.graphql.handler import GraphQLHandler
from server.http.body import BodyReader
from server.http.errors import error_response
from server.http.load_shedding import LoadSheddingMiddleware
from server.http.request_middleware import RequestMiddleware
from server.observability.metrics import QUEUE_LENGTH
from server.settings import Settings

GRAPHQL_PATH = "/graphql"
READINESS_TIMEOUT_SECONDS = 2
DISK_FULL_SECONDS = 10
"""How long a process is not ready after a write found no room; later writes tell again."""

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]
KeySetProvider = Callable[[], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Components:
    """The parts that the application is composed of."""

    settings: Settings
    handler: GraphQLHandler
    # Opens what must be open while it serves, and closes it afterwards.
    open_runtime: Callable[[], AbstractAsyncContextManager[None]]
    # Whose age readiness depends on; None where no poller keeps it current.
    viewer_cache: ViewerCache | None = None
    # The public keys of the demonstration's own tokens; None in production.
    demo_public_keys: KeySetProvider | None = None


def create_app(components: Components) -> ASGIApp:
    """The application, ready to be served."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with components.open_runtime():
            app.state.viewer_cache = components.viewer_cache
            app.state.ready = True
            yield
            # A balancer that checks now sends no more; requests under way are answered.
            app.state.ready = False

    settings = components.settings
    routes = [
        Route("/healthz", _liveness),
        Route("/readyz", _readiness),
        Route("/", _landing_page(settings)),
    ]
    if components.demo_public_keys is not None and not settings.is_production:
        routes.append(Route("/.well-known/jwks.json", _jwks_endpoint(components.demo_public_keys)))
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={HTTPException: _http_error_response},
    )
    # A redirect would lead to the address that the client wrote into `Host`.
    app.router.redirect_slashes = False
    return _wrap_middleware(app, components)


def _wrap_middleware(app: ASGIApp, components: Components) -> ASGIApp:
    """The layers that a request passes, the outermost last."""
    settings, handler, pages = components.settings, components.handler, app

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        # Past Starlette's stack, which a planned query would pay for and does not need.
        is_graphql = scope["type"] == "http" and scope["path"] == GRAPHQL_PATH
        await (handler if is_graphql else pages)(scope, receive, send)

    load_shedding = LoadSheddingMiddleware(
        route,
        BodyReader(settings.body_bytes_max),
        max_concurrent=settings.max_concurrent_requests,
        max_queued=settings.max_queued_requests,
        timeout_seconds=settings.operation_seconds_max,
    )
    QUEUE_LENGTH.set_function(lambda: load_shedding.queue_length)
    return RequestMiddleware(load_shedding, settings)


async def _liveness(_: Request) -> Response:
    """The process runs; nothing else is asked."""
    return PlainTextResponse("ok\n")


async def _readiness(request: Request) -> Response:
    """The database answers, the caches are current, and this process does not stop soon."""
    state = request.app.state
    if not getattr(state, "ready", False):
        return PlainTextResponse("stopping\n", 503)
    if state.viewer_cache is not None and not state.viewer_cache.is_fresh:
        return PlainTextResponse("access not polled\n", 503)
    if time.monotonic() - STATISTICS.disk_full_at < DISK_FULL_SECONDS:
        return PlainTextResponse("disk full\n", 503)
    try:
        # A stopped database server answers nothing and would keep requests waiting.
        async with asyncio.timeout(READINESS_TIMEOUT_SECONDS), read_only_transaction():
            await fetch_one("SELECT 1 AS ready")
    except (OSError, Refused, asyncpg.PostgresError, asyncpg.InterfaceError, BaseORMException):
        return PlainTextResponse("no database\n", 503)
    return PlainTextResponse("ready\n")


def _jwks_endpoint(key_set: KeySetProvider) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return JSONResponse(key_set(), media_type="application/jwk-set+json")

    return answer


async def _http_error_response(_: Request, error: Exception) -> Response:
    """An HTTP error in the shape of a GraphQL response."""
    return error_response(error if isinstance(error, HTTPException) else HTTPException(500))


def _landing_page(settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    kind = "" if settings.is_production else "<p><strong>Demonstration 演示系统</strong></p>"
    text = _LANDING_PAGE_HTML.format(kind=kind, issuer=html.escape(settings.issuer))

    async def answer(_: Request) -> Response:
        return HTMLResponse(text, headers={"referrer-policy": "no-referrer"})

    return answer


_LANDING_PAGE_HTML = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Biandan 扁担</title>
<style>body{{font-family:sans-serif;max-width:42em;margin:3em auto;line-height:1.5}}</style>
<h1>Biandan 扁担</h1>{kind}
<p>The registry of a province's emission rights: who holds which right, who agreed what with
whom, and under which rule every change was allowed. 省级排污权登记系统。</p>
<p>Send GraphQL by POST to <code>/graphql</code>; access tokens come from <code>{issuer}</code>.
A request without a token is answered as the public.</p>
<p><a href="/healthz">/healthz</a> the process runs;
<a href="/readyz">/readyz</a> it can answer.</p>
</html>
"""
