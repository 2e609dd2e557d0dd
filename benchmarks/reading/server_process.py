"""A server as a process of its own: started, waited for, watched and ended."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reading.client import HOST
from benchmarks.reading.http_requests import ErrorResponse, Requests, response_data, send_request

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
_PAUSE = 0.005


class Unavailable(Exception):
    """A contender cannot take part; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers.

    Attributes:
        port: on loopback.
        pid: its number.
        start_s: from its start to its first good answer.

    """

    port: int
    pid: int
    start_s: float

    @property
    def resident_mb(self) -> float:
        """Its resident memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


@contextmanager
def serve_program(
    program: Sequence[str], env: Mapping[str, str], *, port: int, first: Requests
) -> Iterator[Server]:
    """The program running, from its first good answer on.

    Raises:
        Unavailable: it ended, or did not answer in time.

    """
    with tempfile.TemporaryFile("w+") as said:
        began = time.perf_counter()
        with subprocess.Popen(  # noqa: S603
            program, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=said
        ) as running:
            try:
                why = _wait_until_ready(running, port, first, began)
                if why:
                    said.seek(0)
                    raise Unavailable(f"{' '.join(program)} {why}; it said: {said.read()[-1000:]}")
                yield Server(port, running.pid, time.perf_counter() - began)
            finally:
                running.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    running.wait(STOP_SECONDS_MAX)
                running.kill()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server((HOST, 0)) as free:
        return int(free.getsockname()[1])


def _wait_until_ready(
    running: "subprocess.Popen[bytes]", port: int, first: Requests, began: float
) -> str | None:
    """Wait for the first good answer; why there is none."""
    why = "was not there in time"
    while time.perf_counter() - began < START_SECONDS_MAX:
        if running.poll() is not None:
            return f"ended with {running.returncode}"
        # Nobody listens yet: a refused connection costs the starting process nothing.
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            try:
                response_data(send_request(port, first))
            except ErrorResponse as error:
                why = f"did not answer well: {error}"
            else:
                return None
        time.sleep(_PAUSE)
    return why
