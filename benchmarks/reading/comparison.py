"""Who takes part, what is measured of him, and that all give the same answers before it is."""

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
from benchmarks.reading.http_requests import Requests, response_data, send_request
from benchmarks.reading.pgbench import Scripts, run_pgbench
from benchmarks.reading.queries import Query
from benchmarks.reading.server_process import Server
from benchmarks.reading.world import Persona, World

CHECKED_ANSWERS = 20
"""So many of a query's asks are compared."""


class AnswersDiffer(Exception):
    """Two contenders answer differently: what they need for it cannot be compared."""


@dataclass(frozen=True, slots=True)
class BenchmarkCase:
    """What is asked, by whom, and by how many at once."""

    query: Query
    persona: Persona
    connections: int

    @property
    def key(self) -> tuple[str, str, int]:
        """The case in words."""
        return self.query.name, self.persona.name, self.connections


@dataclass(frozen=True, slots=True)
class Pace:
    """For how long each run is measured, and how long it warms up."""

    seconds: float
    warm_s: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a run came to.

    Attributes:
        rate: answers a second.
        p50_ms: half of the answers took no longer; of pgbench, the average.
        p99_ms: all but one in a hundred; of pgbench, nothing.
        processor_ms: of server and database together, for one answer.
        bytes_each: of a body.
        client_ms: processor time of the load generator, for one answer.

    """

    rate: float
    p50_ms: float
    p99_ms: float | None
    processor_ms: float
    bytes_each: float = 0.0
    client_ms: float = 0.0


class Competitor(Protocol):
    """Somebody who answers."""

    @property
    def name(self) -> str:
        """As the tables say it."""

    async def measure(self, case: BenchmarkCase, pace: Pace) -> Measurement | None:
        """One run; None where he has no part in the case."""


@dataclass(frozen=True, slots=True)
class HttpCompetitor:
    """A contender that is asked over HTTP."""

    name: str
    server: Server
    world: World
    build_requests: Callable[[Query, Persona], Requests]

    async def measure(self, case: BenchmarkCase, pace: Pace) -> Measurement | None:
        """One run of the load generator."""
        processes = (self.server.pid, self.world.postmaster)
        before = sum(map(cpu_seconds, processes))
        loaded = await self._run_load(case, pace)
        spent = sum(map(cpu_seconds, processes)) - before
        return Measurement(
            rate=loaded.rate,
            p50_ms=loaded.p50_ms,
            p99_ms=loaded.p99_ms,
            processor_ms=spent / (loaded.answers + loaded.answers_before) * 1000,
            bytes_each=loaded.bytes_each,
            client_ms=loaded.client_s / loaded.answers * 1000,
        )

    async def _run_load(self, case: BenchmarkCase, pace: Pace) -> LoadResult:
        job = {
            "port": self.server.port,
            "requests": self.build_requests(case.query, case.persona).raw(),
            "connections": case.connections,
            "warm_s": pace.warm_s,
            "seconds": pace.seconds,
        }
        program = [sys.executable, "-m", "benchmarks.reading.client"]
        pipe = asyncio.subprocess.PIPE
        ran = await asyncio.create_subprocess_exec(*program, stdin=pipe, stdout=pipe, stderr=pipe)
        said, complained = await ran.communicate(json.dumps(job).encode())
        if ran.returncode:
            what = f"{self.name}, {case.query.title}, {case.persona.name}, c{case.connections}"
            raise RuntimeError(f"{what}: {complained.decode()[-1500:]}")
        return LoadResult(**json.loads(said))

    def answer(self, query: Query, sitter: Persona, number: int = 0) -> bytes:
        """One answer, whole.

        Raises:
            Unanswered: it is an error.

        """
        return send_request(self.server.port, self.build_requests(query, sitter), number)


@dataclass(frozen=True, slots=True)
class PgbenchRun:
    """The database alone: our statements, by query and sitter."""

    world: World
    scripts: Scripts
    name: str = pgbench.NAME

    async def measure(self, case: BenchmarkCase, pace: Pace) -> Measurement | None:
        """One run of pgbench, of a query that needs the database at all."""
        script = self.scripts.get((case.query.name, case.persona.name))
        if script is None:
            return None
        before = cpu_seconds(self.world.postmaster)
        ran = await run_pgbench(
            self.world.application(),
            script,
            [str(asked["id"]) for asked in case.query.variable_sets if "id" in asked],
            connections=case.connections,
            seconds=pace.seconds,
        )
        spent = cpu_seconds(self.world.postmaster) - before
        return Measurement(ran.rate, ran.average_ms, None, spent / ran.answers * 1000)


def our_competitor(world: World, server: Server) -> HttpCompetitor:
    """The registry as a contender."""
    return HttpCompetitor(
        ours.NAME, server, world, lambda q, sitter: ours.build_requests(world, q, sitter)
    )


def postgraphile_competitor(world: World, server: Server) -> HttpCompetitor:
    """PostGraphile as a contender."""
    return HttpCompetitor(postgraphile.NAME, server, world, postgraphile.build_requests)


def baseline_competitor(world: World, server: Server) -> HttpCompetitor:
    """The bare application as a contender: it gets the very requests that the registry gets."""
    return HttpCompetitor(
        baseline_server.NAME, server, world, lambda q, sitter: baseline_requests(world, q, sitter)
    )


def baseline_requests(world: World, query: Query, sitter: Persona) -> Requests:
    """Our request, to the path whose answer has our bytes."""
    same = ours.build_requests(world, query, sitter)
    return Requests(f"/{_file(query, sitter)}", same.headers, same.bodies)


def store_answers(
    folder: Path, side: HttpCompetitor, queries: Sequence[Query], personas: Sequence[Persona]
) -> None:
    """Write our answers where the bare application finds them."""
    for query in queries:
        for sitter in personas:
            (folder / _file(query, sitter)).write_bytes(side.answer(query, sitter))


def _file(query: Query, sitter: Persona) -> str:
    return f"{query.name}-{sitter.name}"


def compare(
    one: HttpCompetitor,
    other: HttpCompetitor,
    queries: Sequence[Query],
    personas: Sequence[Persona],
) -> None:
    """See that both say the same.

    Raises:
        AnswersDiffer: they do not; with the first place where they differ.
        Unanswered: one of them cannot say it.

    """
    for query in queries:
        for sitter in personas:
            for number in range(min(CHECKED_ANSWERS, len(query.variable_sets))):
                first = response_data(one.answer(query, sitter, number))
                second = response_data(other.answer(query, sitter, number))
                where = _difference(
                    query.ours.normalise(first), query.postgraphile.normalise(second), query.name
                )
                if where:
                    raise AnswersDiffer(f"{where} ({sitter.name}: {one.name}, {other.name})")


def _difference(one: Any, other: Any, place: str) -> str | None:  # noqa: ANN401 - JSON
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        parts = ((one[key], other[key], f"{place}.{key}") for key in one)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = zip(one, other, strict=True)
        parts = ((a, b, f"{place}[{number}]") for number, (a, b) in enumerate(pairs))
    else:
        return None if one == other else f"{place}: {str(one)[:200]} is not {str(other)[:200]}"
    found = (_difference(*part) for part in parts)
    return next((where for where in found if where), None)
