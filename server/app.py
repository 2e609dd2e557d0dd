"""The web application: composes settings, sign-in, schema and database, and nothing else."""

import asyncio
import html
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from random import randbytes

import asyncpg
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tortoise.exceptions import BaseORMException

from registry.access.viewer_cache import Standings
from registry.db.session import reading, row
from registry.kernel.errors import Refused
from registry.reading.reader_pool import Readers
from schema.build import GovernedSchema
from server.auth.authenticator import SignIn
from server.graphql.fast_path import Lane
from server.graphql.request_preparation import Entrance
from server.graphql.view import View
from server.http.errors import error_body
from server.http.load_shedding import Crowd
from server.http.logs import RequestLines
from server.settings import Settings

SECURITY = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
READY_SECONDS_MAX = 2
HSTS = "max-age=31536000; includeSubDomains"

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]
Keys = Callable[[], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is composed of.

    Attributes:
        opened: opens what must be open while it serves, and closes it afterwards.
        entrance: admits and charges what comes in, whichever way.
        demonstration_keys: the public keys of the demonstration's own tokens; None in production.
        standings: who acts and what stands against him, remembered; None where nobody asks them.
        readers: execute plans; None where there is no fast way in.

    """

    settings: Settings
    schema: GovernedSchema
    sign_in: SignIn
    opened: Callable[[], AbstractAsyncContextManager[None]]
    entrance: Entrance
    demonstration_keys: Keys | None = None
    standings: Standings | None = None
    readers: Readers | None = None


def create_app(parts: Parts) -> ASGIApp:
    """The application, ready to be served."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with parts.opened():
            app.state.standings = parts.standings
            app.state.ready = True
            yield
            # A balancer that asks now sends no more; those under way are answered.
            app.state.ready = False

    settings = parts.settings
    routes = [
        Route("/graphql", View(parts.schema, settings, parts.sign_in, parts.entrance)),
        Route("/healthz", _alive),
        Route("/readyz", _ready),
        Route("/", _page(settings)),
    ]
    if parts.demonstration_keys is not None and not settings.production:
        routes.append(Route("/.well-known/jwks.json", _keys(parts.demonstration_keys)))
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={HTTPException: _said},
        middleware=[Middleware(Numbered)],
    )
    return _in_front_of(app, parts)


def _in_front_of(app: ASGIApp, parts: Parts) -> ASGIApp:
    """What a request passes before it is routed."""
    settings = parts.settings
    if parts.standings is not None and parts.readers is not None:
        app = Lane(
            app,
            schema=parts.schema,
            sign_in=parts.sign_in,
            standings=parts.standings,
            entrance=parts.entrance,
            readers=parts.readers,
        )
    crowd = Crowd(
        app,
        running=settings.requests_running_max,
        waiting=settings.requests_waiting_max,
        body_bytes_max=settings.body_bytes_max,
    )
    return Surroundings(crowd, settings)


class Surroundings:
    """Gives a request its number, its answer security headers, and the log one line for both."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._lines = RequestLines(settings.log_format)
        security = SECURITY | ({"strict-transport-security": HSTS} if settings.production else {})
        self._headers = [(name.encode(), value.encode()) for name, value in security.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an HTTP request on; anything else passes untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            # It may have been the life of the process.
            self._lines.write()
            return
        # It names a request and keeps no secret.
        number = randbytes(16).hex()  # noqa: S311 - as the line above says
        began, status = time.perf_counter(), 500
        scope["request_id"] = number

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = (b"x-request-id", number.encode())
                message["headers"] = [*message["headers"], *self._headers, named]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            self._lines.say(scope["path"], status, time.perf_counter() - began, number)


class Numbered:
    """Puts the number of a request into every line that is logged on its way."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        with structlog.contextvars.bound_contextvars(request=scope.get("request_id", "")):
            await self._app(scope, receive, send)


async def _alive(_: Request) -> Response:
    """The process runs; nothing else is asked."""
    return PlainTextResponse("ok\n")


async def _ready(request: Request) -> Response:
    """The database answers, what is remembered is current, and this process does not stop soon."""
    state = request.app.state
    if not getattr(state, "ready", False):
        return PlainTextResponse("stopping\n", 503)
    if state.standings is not None and not state.standings.fresh:
        return PlainTextResponse("access not polled\n", 503)
    try:
        # A server that stands still answers nothing, and would keep what is asked of it waiting.
        async with asyncio.timeout(READY_SECONDS_MAX), reading():
            await row("SELECT 1 AS ready")
    except (OSError, Refused, asyncpg.PostgresError, asyncpg.InterfaceError, BaseORMException):
        return PlainTextResponse("no database\n", 503)
    return PlainTextResponse("ready\n")


def _keys(published: Keys) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return JSONResponse(published(), media_type="application/jwk-set+json")

    return answer


async def _said(_: Request, error: Exception) -> Response:
    """An HTTP error, in the shape of a GraphQL answer."""
    found = error if isinstance(error, HTTPException) else HTTPException(500)
    return JSONResponse(
        error_body(found.status_code, found.detail), found.status_code, headers=found.headers
    )


def _page(settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    kind = "" if settings.production else "<p><strong>Demonstration 演示系统</strong></p>"
    text = _PAGE.format(kind=kind, issuer=html.escape(settings.issuer))

    async def answer(_: Request) -> Response:
        return HTMLResponse(text, headers={"referrer-policy": "no-referrer"})

    return answer


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Biandan 扁担</title>
<style>body{{font-family:sans-serif;max-width:42em;margin:3em auto;line-height:1.5}}</style>
<h1>Biandan 扁担</h1>{kind}
<p>The registry of a province's emission rights: who holds which right, who agreed what with
whom, and under which rule every change was allowed. 省级排污权登记系统。</p>
<p>Send GraphQL by POST to <code>/graphql</code>; access tokens come from <code>{issuer}</code>.
Whoever is not signed in is answered as the public.</p>
<p><a href="/healthz">/healthz</a> the process runs;
<a href="/readyz">/readyz</a> it can answer.</p>
</html>
"""
