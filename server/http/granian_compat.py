"""The one module that uses private parts of granian; `pyproject.toml` pins the version for it."""

import os
import socket
from typing import Any

from granian._granian import SocketHolder
from granian.server.embed import Server
from starlette.types import ASGIApp

# Granian's stub lacks the constructor.
_create_holder: Any = SocketHolder


class ListeningServer(Server):
    """Granian on a socket that listens already.

    Granian itself binds an address with SO_REUSEPORT. A second process on the same port would then
    go unnoticed and get half of the connections.
    """

    _shd: Any

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        *,
        backlog: int,
        **options: Any,  # noqa: ANN401 - granian's own
    ) -> None:
        super().__init__(app, backlog=backlog, **options)
        self._listener = listener

    def _init_shared_socket(self) -> None:
        # Granian closes the descriptor that it gets, so it gets a copy.
        self._shd = _create_holder(os.dup(self._listener.fileno()), False, self.backlog)  # noqa: FBT003
