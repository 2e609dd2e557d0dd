"""A server in a process of its own: start it, wait for it, read its memory, end it."""

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
    """A server cannot take part; the message says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers.

    Attributes:
        port: its port on loopback.
        pid: its process number.
        start_s: seconds from its start to its first good answer.

    """

    port: int
    pid: int
    start_s: float

    @property
    def resident_mb(self) -> float:
        """Its resident memory now, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


@contextmanager
def serve_program(
    program: Sequence[str],
    env: Mapping[str, str],
    *,
    port: int,
    first: Requests,
    cwd: Path | None = None,
) -> Iterator[Server]:
    """The program running, after its first good answer.

    Raises:
        Unavailable: it ended, or did not answer within a minute.

    """
    with tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        with subprocess.Popen(  # noqa: S603
            program, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=errors, cwd=cwd
        ) as running:
            try:
                why = _wait_until_ready(running, port, first, began)
                if why:
                    errors.seek(0)
                    raise Unavailable(
                        f"{' '.join(program)} {why}; its errors: {errors.read()[-1000:]}"
                    )
                yield Server(port, running.pid, time.perf_counter() - began)
            finally:
                running.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    running.wait(STOP_SECONDS_MAX)
                running.kill()


def free_port() -> int:
    """A free port."""
    with socket.create_server((HOST, 0)) as free:
        return int(free.getsockname()[1])


def _wait_until_ready(
    running: "subprocess.Popen[bytes]", port: int, first: Requests, began: float
) -> str | None:
    """Wait for the first good answer; return why there is none."""
    why = "did not listen in time"
    while time.perf_counter() - began < START_SECONDS_MAX:
        if running.poll() is not None:
            return f"ended with {running.returncode}"
        # Until the process listens, a refused connection costs it nothing.
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            try:
                response_data(send_request(port, first))
            except ErrorResponse as error:
                why = f"answered with an error: {error}"
            else:
                return None
        time.sleep(_PAUSE)
    return why
