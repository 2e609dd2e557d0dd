"""Binds the port, then serves HTTP/1.1 by granian, embedded in the event loop of this process."""

import asyncio
import errno
import gc
import logging
import resource
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import uvloop
from granian.asgi import LifespanProtocol
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.types import ASGIApp

from server.http.granian_compat import ListeningServer
from server.settings import ConfigurationError, Settings

BACKLOG = 2_048
MAX_CONNECTIONS = 2_048
"""Maximum number of open connections; further ones wait in the backlog."""

OPEN_FILES_MAX = 4_096
"""Open files that the process asks for: connections, the database, and room to spare."""

MAX_HEAD_BYTES = 64 * 1024
HEAD_TIMEOUT_SECONDS = 30
"""Time for the head of a request to arrive, and for a connection to be idle."""

WRITE_STALL_TIMEOUT_SECONDS = 30
"""Close the connection if the client reads nothing for this time."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOGGING = {"handlers": {}, "loggers": {"_granian": {"propagate": True}}}

_log = structlog.get_logger()


def bind(settings: Settings, *, remedy: str = "set BIANDAN_PORT to") -> socket.socket:
    """The listening socket; ``remedy`` is how the command takes another port.

    Raises:
        ConfigurationError: the port is taken, or the address is not of this machine.

    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit both. Without the first an answer of two packets takes 40 ms more; without
    # the second a client that reads nothing keeps its connection for ever.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = int(WRITE_STALL_TIMEOUT_SECONDS * 1000)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(_bind_error_message(settings, error, remedy)) from None
    return listener


def address_of(listener: socket.socket) -> str:
    """The address of the server, as a client names it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: ASGIApp, settings: Settings, listener: socket.socket) -> bool:
    """Serve until a signal, then finish the requests that run; whether it could start at all.

    Raises:
        ConfigurationError: a setting does not let the application start.

    """
    _raise_open_files_limit()
    # All objects loaded by now stay: no garbage collection has to look at them again.
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(app, settings, listener))


async def _serve(app: ASGIApp, settings: Settings, listener: socket.socket) -> bool:
    stop, kill = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        # A second signal does not wait for the requests that run.
        (kill if stop.is_set() else stop).set()

    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    try:
        async with open_server(app, settings, listener, kill=kill) as serving:
            _log.info("listening", address=address_of(listener))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return stopped.done()
    except StartupError as error:
        if isinstance(error.__cause__, ConfigurationError):
            raise error.__cause__ from None
        _log.error("startup_failed", exc_info=error.__cause__)
        return False


class StartupError(Exception):
    """The application could not start; the cause says why."""


@asynccontextmanager
async def open_server(
    app: ASGIApp,
    settings: Settings,
    listener: socket.socket,
    *,
    kill: asyncio.Event | None = None,
) -> AsyncIterator["asyncio.Task[None]"]:
    """The application, served; afterwards the requests that run are finished.

    Args:
        app: with a lifespan.
        settings: of this process.
        listener: a listening socket, closed afterwards.
        kill: set to end the requests that run.

    Raises:
        StartupError: its lifespan did not start.

    """
    # Granian would log a failed start with its values; ours is logged without.
    logging.getLogger("_granian").setLevel(logging.CRITICAL)
    lifespan = LifespanProtocol(app)
    await lifespan.startup()
    if lifespan.interrupt:
        raise StartupError from lifespan.exc
    before = asyncio.all_tasks()
    server = _create_server(app, settings, listener)
    serving = asyncio.create_task(server.serve())
    try:
        yield serving
    finally:
        server.stop()
        # Else the kernel would go on to accept connections that nothing answers.
        listener.close()
        await _drain(serving, before, kill or asyncio.Event(), settings.drain_seconds_max)
        await lifespan.shutdown()


async def _drain(
    serving: "asyncio.Task[None]",
    before: "set[asyncio.Task[object]]",
    kill: asyncio.Event,
    seconds: float,
) -> None:
    """Wait for the requests that run; end those that run too long."""
    killed = asyncio.create_task(kill.wait())
    await asyncio.wait({serving, killed}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    left = {killed} if serving.done() else asyncio.all_tasks() - before - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _create_server(app: ASGIApp, settings: Settings, listener: socket.socket) -> ListeningServer:
    if settings.trusted_proxies:
        app = wrap_asgi_with_proxy_headers(app, settings.trusted_proxies)
    return ListeningServer(
        app,
        listener,
        interface=Interfaces.ASGINL,  # The lifespan must end even where the drain does not.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(HEAD_TIMEOUT_SECONDS * 1000), max_buffer_size=MAX_HEAD_BYTES
        ),
        websockets=False,
        backlog=BACKLOG,
        backpressure=MAX_CONNECTIONS,
        log_level=LogLevels.error,
        log_dictconfig=_LOGGING,
    )


def _raise_open_files_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES_MAX if hard == resource.RLIM_INFINITY else min(OPEN_FILES_MAX, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _bind_error_message(settings: Settings, error: OSError, remedy: str) -> str:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use by another program; {remedy} a free port."
    if error.errno == errno.EACCES:
        return f"This user may not listen on {where}; {remedy} a port above 1023."
    return f"{where} cannot be listened on: {error.strerror or error}."
