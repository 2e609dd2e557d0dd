"""The load generator: a process that keeps a number of connections busy for a time.

    python -m benchmarks.reading.client < JOB

Each connection sends its next request when its last answer has arrived. No body is sent twice:
each contains a number of its own. The client polls sockets itself, so that a request costs it
some microseconds, the same for every server. It imports nothing of the registry and starts at once.
"""

import contextlib
import json
import re
import resource
import select
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

HOST = "127.0.0.1"
NUMBER = "0" * 16
"""Placeholder of the request's number in a body. It keeps its length."""

CHUNK_BYTES = 1 << 18
RUN_TIMEOUT_SECONDS = 30.0
"""Hard limit for one run."""

_NUMBER = NUMBER.encode()
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_ENDS = b"\r\n\r\n"
_OK_STATUS = b"HTTP/1.1 200 "
_ERRORS_KEY = b'"errors"'


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Result of a run.

    Attributes:
        answers: complete answers in the measured time.
        answers_before: complete answers in the time before it.
        seconds: measured time.
        bytes_each: mean size of a body.
        p50_ms: median latency.
        p99_ms: 99th percentile of the latency.
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


def numbered_requests(requests: Sequence[bytes], first_number: int) -> Iterator[bytes]:
    """The requests in turn, endlessly; each with the next number instead of the placeholder.

    Raises:
        ValueError: a request has not exactly one placeholder.

    """
    templates = []
    for request in requests:
        before, after = request.split(_NUMBER)
        templates.append((before, after))
    for number in count():
        before, after = templates[number % len(templates)]
        yield b"%b%016d%b" % (before, first_number + number, after)


@dataclass(slots=True)
class _LoadGenerator:
    """The state of every connection, by its file descriptor."""

    requests: Iterator[bytes]
    sockets: dict[int, socket.socket] = field(default_factory=dict)
    started_at: dict[int, int] = field(default_factory=dict)
    bytes_left: dict[int, int] = field(default_factory=dict)
    head: dict[int, bytes] = field(default_factory=dict)
    body: dict[int, int] = field(default_factory=dict)
    latencies: list[int] = field(default_factory=list)
    body_bytes: int = 0
    buffer: memoryview = field(default_factory=lambda: memoryview(bytearray(CHUNK_BYTES)))

    def send(self, fd: int) -> None:
        request = next(self.requests)
        self.bytes_left[fd], self.head[fd] = 0, b""
        self.started_at[fd] = time.perf_counter_ns()
        self.sockets[fd].sendall(request)

    def receive(self, fd: int) -> bool:
        """Read the bytes that have arrived; return whether the answer is complete."""
        # One buffer for all reads: a new one for each read would cost more than the rest.
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
        """Record the bytes that are missing; count the answer when none is."""
        self.bytes_left[fd] = left
        if left == 0:
            self.body_bytes += self.body[fd]
        return left == 0


def run_load(
    port: int, requests: Sequence[bytes], *, connections: int, warm_s: float, seconds: float
) -> LoadResult:
    """Send requests for ``warm_s`` unmeasured, then measure for ``seconds``.

    The measured time is extended until there is an answer for each connection.
    """
    # Runs begin at least a microsecond a request apart, so that their numbers never overlap.
    load = _LoadGenerator(numbered_requests(requests, time.time_ns() // 1000))
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
    latencies = sorted(load.latencies)
    if not latencies:
        raise RuntimeError(f"not one answer in {lasted:.0f} s")
    return LoadResult(
        answers=len(latencies),
        answers_before=warmed,
        seconds=lasted,
        bytes_each=load.body_bytes / len(latencies),
        p50_ms=latencies[len(latencies) // 2] / 1e6,
        p99_ms=latencies[len(latencies) * 99 // 100] / 1e6,
        client_s=spent,
    )


def _run(load: _LoadGenerator, polled: select.epoll, *, until: int) -> None:
    now, poll, receive, send = time.perf_counter_ns, polled.poll, load.receive, load.send
    started_at, latencies = load.started_at, load.latencies
    while (left := until - now()) > 0:
        for fd, _ in poll(left / 1e9):
            if receive(fd):
                latencies.append(now() - started_at[fd])
                send(fd)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(job: dict[str, Any]) -> None:
    """Run a job and print its result."""
    requests = [request.encode("ascii") for request in job.pop("requests")]
    json.dump(asdict(run_load(requests=requests, **job)), sys.stdout)


if __name__ == "__main__":
    main(json.load(sys.stdin))
