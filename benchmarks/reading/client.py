"""The load: a process of its own that keeps so many connections busy for so long.

    python -m benchmarks.reading.client < JOB

Each connection sends its next request when the answer to the last one is there. Sockets are polled
by hand, so that a request costs the client a few microseconds, the same for whoever answers. It
imports nothing of the registry, so that it starts at once.
"""

import contextlib
import json
import re
import resource
import select
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

HOST = "127.0.0.1"
CHUNK_BYTES = 1 << 18
RUN_TIMEOUT_SECONDS = 30.0
"""After so long even a run in which not every connection has its answer is over."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_ENDS = b"\r\n\r\n"
_OK_STATUS = b"HTTP/1.1 200 "
_ERRORS_KEY = b'"errors"'


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What came of it.

    Attributes:
        answers: that arrived whole while it was measured.
        answers_before: while it was not.
        seconds: for which it was measured.
        bytes_each: of a body, on average.
        p50_ms: half of the answers took no longer.
        p99_ms: all but one in a hundred.
        client_s: processor time of the client itself.

    """

    answers: int
    answers_before: int
    seconds: float
    bytes_each: float
    p50_ms: float
    p99_ms: float
    client_s: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


@dataclass(slots=True)
class _LoadGenerator:
    """What is of a connection is kept by its file descriptor."""

    requests: Sequence[bytes]
    sockets: dict[int, socket.socket] = field(default_factory=dict)
    started_at: dict[int, int] = field(default_factory=dict)
    bytes_left: dict[int, int] = field(default_factory=dict)
    head: dict[int, bytes] = field(default_factory=dict)
    body: dict[int, int] = field(default_factory=dict)
    sequence: "count[int]" = field(default_factory=count)
    latencies: list[int] = field(default_factory=list)
    body_bytes: int = 0
    buffer: memoryview = field(default_factory=lambda: memoryview(bytearray(CHUNK_BYTES)))

    def send(self, fd: int) -> None:
        request = self.requests[next(self.sequence) % len(self.requests)]
        self.bytes_left[fd], self.head[fd] = 0, b""
        self.started_at[fd] = time.perf_counter_ns()
        self.sockets[fd].sendall(request)

    def receive(self, fd: int) -> bool:
        """Take what there is; whether the answer is whole."""
        # Into memory that is there: to allocate so much each time costs more than all the rest.
        chunk = bytes(self.buffer[: self.sockets[fd].recv_into(self.buffer)])
        if not chunk or _ERRORS_KEY in chunk:
            raise RuntimeError(f"no good answer: {chunk[:1000]!r}")
        left = self.bytes_left[fd]
        if left:
            return self._note_missing(fd, left - len(chunk))
        chunk = self.head[fd] + chunk
        ends = chunk.find(_HEAD_ENDS)
        if ends < 0:
            self.head[fd] = chunk
            return False
        length = _LENGTH.search(chunk, 0, ends + 2)
        if length is None or not chunk.startswith(_OK_STATUS):
            raise RuntimeError(f"no good answer: {chunk[:1000]!r}")
        body = self.body[fd] = int(length[1])
        return self._note_missing(fd, ends + len(_HEAD_ENDS) + body - len(chunk))

    def _note_missing(self, fd: int, left: int) -> bool:
        """Note what an answer lacks, and count it when that is nothing."""
        self.bytes_left[fd] = left
        if left == 0:
            self.body_bytes += self.body[fd]
        return left == 0


def run_load(
    port: int, requests: Sequence[bytes], *, connections: int, warm_s: float, seconds: float
) -> LoadResult:
    """Ask for ``warm_s`` unmeasured, then for ``seconds`` and at least an answer a connection."""
    load = _LoadGenerator(requests)
    with select.epoll() as polled, contextlib.ExitStack() as stack:
        for _ in range(connections):
            connected = stack.enter_context(socket.create_connection((HOST, port), timeout=30))
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            load.sockets[connected.fileno()] = connected
            polled.register(connected.fileno(), select.EPOLLIN)
        for fd in load.sockets:
            load.send(fd)
        _run(load, polled, until=time.perf_counter_ns() + int(warm_s * 1e9))
        warmed = len(load.latencies)
        load.latencies.clear()
        load.body_bytes = 0
        before, spent = time.perf_counter_ns(), _cpu_seconds()
        _run(load, polled, until=before + int(seconds * 1e9))
        while (
            len(load.latencies) < connections
            and time.perf_counter_ns() < before + RUN_TIMEOUT_SECONDS * 1e9
        ):
            _run(load, polled, until=time.perf_counter_ns() + int(1e8))
        lasted, spent = (time.perf_counter_ns() - before) / 1e9, _cpu_seconds() - spent
    took = sorted(load.latencies)
    if not took:
        raise RuntimeError(f"not one answer in {lasted:.0f} s")
    return LoadResult(
        answers=len(took),
        answers_before=warmed,
        seconds=lasted,
        bytes_each=load.body_bytes / len(took),
        p50_ms=took[len(took) // 2] / 1e6,
        p99_ms=took[len(took) * 99 // 100] / 1e6,
        client_s=spent,
    )


def _run(load: _LoadGenerator, polled: select.epoll, *, until: int) -> None:
    now, poll, receive, send = time.perf_counter_ns, polled.poll, load.receive, load.send
    began, took = load.started_at, load.latencies
    while (left := until - now()) > 0:
        for fd, _ in poll(left / 1e9):
            if receive(fd):
                took.append(now() - began[fd])
                send(fd)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(job: dict[str, Any]) -> None:
    """Print what came of a job."""
    requests = [request.encode("ascii") for request in job.pop("requests")]
    json.dump(asdict(run_load(requests=requests, **job)), sys.stdout)


if __name__ == "__main__":
    main(json.load(sys.stdin))
