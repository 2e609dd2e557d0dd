"""The competitors, one measurement of each, and the check that all give the same answers."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.cpu_time import cpu_seconds
from benchmarks.reading import baseline_server, ours, pgbench, postgraphile
from benchmarks.reading.client import LoadResult
from benchmarks.reading.http_requests import (
    RequestBuilder,
    Requests,
    response_data,
    send_request,
)
from benchmarks.reading.pgbench import Script, run_pgbench
from benchmarks.reading.queries import Query, SchemaQuery
from benchmarks.reading.server_process import Server
from benchmarks.reading.world import Persona, World

CHECKED_ANSWERS = 20
"""Answers compared for each query and persona."""


class AnswersDiffer(Exception):
    """Two competitors answer differently, so that their cost cannot be compared."""


@dataclass(frozen=True, slots=True)
class BenchmarkCase:
    """A query, the persona who asks, and the number of connections."""

    query: Query
    persona: Persona
    connections: int

    @property
    def key(self) -> tuple[str, str, int]:
        """The case as a key of results."""
        return self.query.name, self.persona.name, self.connections


@dataclass(frozen=True, slots=True)
class Pace:
    """Measured seconds of a run, seconds of warming up, and number of rounds."""

    seconds: float
    warm_s: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """Result of a run.

    Attributes:
        rate: answers a second.
        p50_ms: median latency; the mean for pgbench.
        p99_ms: 99th percentile of the latency; None for pgbench.
        processor_ms: processor time of server and database for one answer.
        bytes_each: mean size of a body.
        client_ms: processor time of the load generator for one answer.

    """

    rate: float
    p50_ms: float
    p99_ms: float | None
    processor_ms: float
    bytes_each: float = 0.0
    client_ms: float = 0.0


class Competitor(Protocol):
    """A program that answers the queries."""

    @property
    def name(self) -> str:
        """Name shown in the tables."""

    async def measure(self, case: BenchmarkCase, pace: Pace) -> Measurement | None:
        """One run; None if it has no part in the case."""


@dataclass(frozen=True, slots=True)
class HttpCompetitor:
    """A server that is asked over HTTP.

    Attributes:
        postmaster: process of its database server.
        requests: builds the requests of a query and a persona.

    """

    name: str
    server: Server
    postmaster: int
    requests: Callable[[Query, Persona], Requests]

    async def measure(self, case: BenchmarkCase, pace: Pace) -> Measurement | None:
        """One run of the load generator."""
        requests = self.requests(case.query, case.persona)
        processes = (self.server.pid, self.postmaster)
        before = sum(map(cpu_seconds, processes))
        loaded = await self._run_load(case, requests, pace)
        spent = sum(map(cpu_seconds, processes)) - before
        return Measurement(
            rate=loaded.rate,
            p50_ms=loaded.p50_ms,
            p99_ms=loaded.p99_ms,
            processor_ms=spent / (loaded.answers + loaded.answers_before) * 1000,
            bytes_each=loaded.bytes_each,
            client_ms=loaded.client_s / loaded.answers * 1000,
        )

    async def _run_load(self, case: BenchmarkCase, requests: Requests, pace: Pace) -> LoadResult:
        job = {
            "port": self.server.port,
            "requests": requests.raw(),
            "connections": case.connections,
            "warm_s": pace.warm_s,
            "seconds": pace.seconds,
        }
        program = [sys.executable, "-m", "benchmarks.reading.client"]
        pipe = asyncio.subprocess.PIPE
        running = await asyncio.create_subprocess_exec(
            *program, stdin=pipe, stdout=pipe, stderr=pipe
        )
        output, errors = await running.communicate(json.dumps(job).encode())
        if running.returncode:
            what = f"{self.name}, {case.query.title}, {case.persona.name}, c{case.connections}"
            raise RuntimeError(f"{what}: {errors.decode()[-1500:]}")
        return LoadResult(**json.loads(output))

    def answer(self, query: Query, persona: Persona, number: int = 0) -> bytes:
        """One complete answer.

        Raises:
            ErrorResponse: it is an error.

        """
        return send_request(self.server.port, self.requests(query, persona), number)


@dataclass(frozen=True, slots=True)
class PgbenchRun:
    """The database alone, sent our statements by pgbench."""

    world: World
    scripts: dict[tuple[str, str], Script]
    connections: int
    name: str = pgbench.NAME

    async def measure(self, case: BenchmarkCase, pace: Pace) -> Measurement | None:
        """One run of pgbench, at the one number of connections that ratios are taken at."""
        script = self.scripts.get((case.query.name, case.persona.name))
        if script is None or case.connections != self.connections:
            return None
        before = cpu_seconds(self.world.postmaster)
        result = await run_pgbench(
            self.world.application(), script, connections=case.connections, seconds=pace.seconds
        )
        spent = cpu_seconds(self.world.postmaster) - before
        return Measurement(result.rate, result.average_ms, None, spent / result.transactions * 1000)


def our_competitor(world: World, server: Server) -> HttpCompetitor:
    """The registry."""
    builder = RequestBuilder(ours.our_api(world), server.port)
    return HttpCompetitor(ours.NAME, server, world.postmaster, builder)


def postgraphile_competitor(world: World, server: Server) -> HttpCompetitor:
    """PostGraphile."""
    builder = RequestBuilder(postgraphile.API, server.port)
    return HttpCompetitor(postgraphile.NAME, server, world.postmaster, builder)


def baseline_competitor(world: World, server: Server, side: HttpCompetitor) -> HttpCompetitor:
    """The bare application; it gets the requests of another competitor."""

    def requests(query: Query, persona: Persona) -> Requests:
        return baseline_requests(side.requests(query, persona), query, persona)

    return HttpCompetitor(baseline_server.NAME, server, world.postmaster, requests)


def baseline_requests(requests: Requests, query: Query, persona: Persona) -> Requests:
    """The requests, sent to the path that answers with our bytes."""
    return Requests(f"/{_file(query, persona)}", requests.headers, requests.bodies)


def store_answers(
    folder: Path, side: HttpCompetitor, queries: Sequence[Query], personas: Sequence[Persona]
) -> None:
    """Write our answers to the files that the bare application sends."""
    for query in queries:
        for persona in personas:
            (folder / _file(query, persona)).write_bytes(side.answer(query, persona))


def _file(query: Query, persona: Persona) -> str:
    return f"{query.name}-{persona.name}"


Wording = Callable[[Query], SchemaQuery]


def compare(
    one: HttpCompetitor,
    other: HttpCompetitor,
    queries: Sequence[Query],
    personas: Sequence[Persona],
    *,
    wording: Wording = lambda query: query.postgraphile,
    ignored: frozenset[str] = frozenset(),
) -> None:
    """Check that two competitors give the same answers.

    Args:
        one: the first.
        other: the second.
        queries: each is asked by both.
        personas: each asks.
        wording: the queries in the other's API.
        ignored: keys whose values may differ.

    Raises:
        AnswersDiffer: the message names the first difference.
        ErrorResponse: one of them answers with an error.

    """
    for query in queries:
        for persona in personas:
            number_of_sets = len(one.requests(query, persona).bodies)
            for number in _spread(number_of_sets):
                first = query.ours.normalise(response_data(one.answer(query, persona, number)))
                second = wording(query).normalise(
                    response_data(other.answer(query, persona, number))
                )
                where = _difference(first, second, query.name, ignored)
                if where:
                    raise AnswersDiffer(f"{where} ({persona.name}: {one.name}, {other.name})")


def _spread(number: int) -> range:
    """At most ``CHECKED_ANSWERS`` numbers below ``number``, evenly spread."""
    return range(0, number, max(1, -(-number // CHECKED_ANSWERS)))


def _difference(one: Any, other: Any, place: str, ignored: frozenset[str]) -> str | None:  # noqa: ANN401 - JSON
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        parts = ((one[key], other[key], f"{place}.{key}") for key in one.keys() - ignored)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = zip(one, other, strict=True)
        parts = ((a, b, f"{place}[{number}]") for number, (a, b) in enumerate(pairs))
    else:
        return None if one == other else f"{place}: {str(one)[:200]} is not {str(other)[:200]}"
    differences = (_difference(*part, ignored) for part in parts)
    return next((where for where in differences if where), None)
