"""The cost of HTTP alone: a bare ASGI application on granian that answers with given bytes.

    python -m benchmarks.reading.baseline_server PORT FOLDER

The path of a request names a file of the folder.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server as GranianServer
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.reading.client import HOST
from benchmarks.reading.http_requests import Requests
from benchmarks.reading.server_process import Server, free_port, serve_program

NAME = "bare ASGI"


@contextmanager
def serve_baseline(folder: Path, first: Requests) -> Iterator[Server]:
    """The application running; it answers with the files of the folder.

    Raises:
        Unavailable: it does not start.

    """
    port = free_port()
    program = [sys.executable, "-m", "benchmarks.reading.baseline_server", str(port), str(folder)]
    with serve_program(program, {}, port=port, first=first) as server:
        yield server


def create_application(folder: Path) -> ASGIApp:
    """An application that ignores the request's body."""
    bodies = {f"/{file.name}": file.read_bytes() for file in folder.iterdir()}
    heads = {
        path: [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        for path, body in bodies.items()
    }

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        path = scope["path"]
        await send({"type": "http.response.start", "status": 200, "headers": heads[path]})
        await send({"type": "http.response.body", "body": bodies[path]})

    return answer


async def main(port: int, folder: Path) -> None:
    """Serve until the process ends."""
    await GranianServer(
        create_application(folder),
        HOST,
        port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), Path(sys.argv[2])))
