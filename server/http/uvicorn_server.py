"""Takes the port first and serves then, so that a busy port is one sentence and nothing more."""

import errno
import gc
import signal
import socket

import uvicorn
from starlette.types import ASGIApp

from server.http.protocol import BackpressureProtocol
from server.settings import ConfigurationError, Settings

BACKLOG = 2048


def bind(settings: Settings) -> socket.socket:
    """The listening socket.

    Raises:
        Unfit: the port is taken, or the address is not of this machine.

    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Only where the protocol is named does asyncio send an answer's body before its head is
    # acknowledged, which takes 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigurationError(_bind_error_message(settings, error)) from None
    return listening


def uvicorn_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How the server is to serve: quietly, and believing no proxy but those that are named."""
    return uvicorn.Config(
        app,
        http=BackpressureProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=settings.drain_seconds_max,
    )


def serve(app: ASGIApp, settings: Settings, listener: socket.socket) -> bool:
    """Answer until a signal, finish what is under way; whether it ever could serve."""
    server = uvicorn.Server(uvicorn_config(app, settings))
    for number in (signal.SIGINT, signal.SIGTERM):
        # It may come before Uvicorn listens to it, and Uvicorn raises it again when it is done:
        # whoever called must still close what he opened.
        signal.signal(number, server.handle_exit)
    # What is loaded by now stays: no collection has to look at it again.
    gc.freeze()
    server.run(sockets=[listener])
    return server.started


def _bind_error_message(settings: Settings, error: OSError) -> str:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use by another program; set BIANDAN_PORT to a free port."
    if error.errno == errno.EACCES:
        return f"This user may not listen on {where}; set BIANDAN_PORT to a port above 1023."
    return f"{where} cannot be listened on: {error.strerror or error}."
