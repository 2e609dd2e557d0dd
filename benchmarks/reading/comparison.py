"""Who takes part, what is measured of him, and that all give the same answers before it is."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.cpu_time import spent_by
from benchmarks.reading import baseline_server, ours, pgbench, postgraphile
from benchmarks.reading.client import Loaded
from benchmarks.reading.http_requests import Requests, answer, data_of
from benchmarks.reading.pgbench import Scripts, replayed
from benchmarks.reading.queries import Query
from benchmarks.reading.server_process import Server
from benchmarks.reading.world import Sitter, World

CHECKED = 20
"""So many of a query's asks are compared."""


class Unequal(Exception):
    """Two contenders answer differently: what they need for it cannot be compared."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked, by whom, and by how many at once."""

    query: Query
    sitter: Sitter
    connections: int

    @property
    def key(self) -> tuple[str, str, int]:
        """The case in words."""
        return self.query.name, self.sitter.name, self.connections


@dataclass(frozen=True, slots=True)
class Pace:
    """For how long each run is measured, and how long it warms up."""

    seconds: float
    warm_s: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Measured:
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


class Contender(Protocol):
    """Somebody who answers."""

    @property
    def name(self) -> str:
        """As the tables say it."""

    async def measured(self, case: Case, pace: Pace) -> Measured | None:
        """One run; None where he has no part in the case."""


@dataclass(frozen=True, slots=True)
class Answering:
    """A contender that is asked over HTTP."""

    name: str
    server: Server
    world: World
    asked: Callable[[Query, Sitter], Requests]

    async def measured(self, case: Case, pace: Pace) -> Measured | None:
        """One run of the load generator."""
        processes = (self.server.process, self.world.postmaster)
        before = sum(map(spent_by, processes))
        loaded = await self._loaded(case, pace)
        spent = sum(map(spent_by, processes)) - before
        return Measured(
            rate=loaded.rate,
            p50_ms=loaded.p50_ms,
            p99_ms=loaded.p99_ms,
            processor_ms=spent / (loaded.answers + loaded.answers_before) * 1000,
            bytes_each=loaded.bytes_each,
            client_ms=loaded.client_s / loaded.answers * 1000,
        )

    async def _loaded(self, case: Case, pace: Pace) -> Loaded:
        job = {
            "port": self.server.port,
            "requests": self.asked(case.query, case.sitter).raw(),
            "connections": case.connections,
            "warm_s": pace.warm_s,
            "seconds": pace.seconds,
        }
        program = [sys.executable, "-m", "benchmarks.reading.client"]
        pipe = asyncio.subprocess.PIPE
        ran = await asyncio.create_subprocess_exec(*program, stdin=pipe, stdout=pipe, stderr=pipe)
        said, complained = await ran.communicate(json.dumps(job).encode())
        if ran.returncode:
            what = f"{self.name}, {case.query.title}, {case.sitter.name}, c{case.connections}"
            raise RuntimeError(f"{what}: {complained.decode()[-1500:]}")
        return Loaded(**json.loads(said))

    def answer(self, query: Query, sitter: Sitter, number: int = 0) -> bytes:
        """One answer, whole.

        Raises:
            Unanswered: it is an error.

        """
        return answer(self.server.port, self.asked(query, sitter), number)


@dataclass(frozen=True, slots=True)
class Replaying:
    """The database alone: our statements, by query and sitter."""

    world: World
    scripts: Scripts
    name: str = pgbench.NAME

    async def measured(self, case: Case, pace: Pace) -> Measured | None:
        """One run of pgbench, of a query that needs the database at all."""
        script = self.scripts.get((case.query.name, case.sitter.name))
        if script is None:
            return None
        before = spent_by(self.world.postmaster)
        ran = await replayed(
            self.world.application(),
            script,
            [str(asked["id"]) for asked in case.query.asks if "id" in asked],
            connections=case.connections,
            seconds=pace.seconds,
        )
        spent = spent_by(self.world.postmaster) - before
        return Measured(ran.rate, ran.average_ms, None, spent / ran.answers * 1000)


def our_side(world: World, server: Server) -> Answering:
    """The registry as a contender."""
    return Answering(ours.NAME, server, world, lambda q, sitter: ours.asked(world, q, sitter))


def their_side(world: World, server: Server) -> Answering:
    """PostGraphile as a contender."""
    return Answering(postgraphile.NAME, server, world, postgraphile.asked)


def constant_side(world: World, server: Server) -> Answering:
    """The bare application as a contender: it gets the very requests that the registry gets."""
    return Answering(
        baseline_server.NAME, server, world, lambda q, sitter: constant_asked(world, q, sitter)
    )


def constant_asked(world: World, query: Query, sitter: Sitter) -> Requests:
    """Our request, to the path whose answer has our bytes."""
    same = ours.asked(world, query, sitter)
    return Requests(f"/{_file(query, sitter)}", same.headers, same.bodies)


def kept(
    folder: Path, side: Answering, queries: Sequence[Query], sitters: Sequence[Sitter]
) -> None:
    """Write our answers where the bare application finds them."""
    for query in queries:
        for sitter in sitters:
            (folder / _file(query, sitter)).write_bytes(side.answer(query, sitter))


def _file(query: Query, sitter: Sitter) -> str:
    return f"{query.name}-{sitter.name}"


def compare(
    one: Answering, other: Answering, queries: Sequence[Query], sitters: Sequence[Sitter]
) -> None:
    """See that both say the same.

    Raises:
        Unequal: they do not; with the first place where they differ.
        Unanswered: one of them cannot say it.

    """
    for query in queries:
        for sitter in sitters:
            for number in range(min(CHECKED, len(query.asks))):
                first = data_of(one.answer(query, sitter, number))
                second = data_of(other.answer(query, sitter, number))
                where = _difference(
                    query.ours.plain(first), query.postgraphile.plain(second), query.name
                )
                if where:
                    raise Unequal(f"{where} ({sitter.name}: {one.name}, {other.name})")


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
