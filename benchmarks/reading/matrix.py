"""All competitors, running side by side on one world, once they gave the same answers."""

import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.reading import postgraphile
from benchmarks.reading.baseline_server import serve_baseline
from benchmarks.reading.comparison import (
    BenchmarkCase,
    Competitor,
    HttpCompetitor,
    Pace,
    PgbenchRun,
    baseline_competitor,
    baseline_requests,
    compare,
    our_competitor,
    postgraphile_competitor,
    store_answers,
)
from benchmarks.reading.metrics import RATIO_CONNECTIONS, RunResults
from benchmarks.reading.ours import our_api, serve_registry
from benchmarks.reading.pgbench import capture_scripts
from benchmarks.reading.probes import measure_cold_start, measure_growth
from benchmarks.reading.queries import Query
from benchmarks.reading.server_process import Unavailable
from benchmarks.reading.world import ENLARGED, Persona, World

CONNECTIONS = (1, 16, 64)


@dataclass(slots=True)
class BenchmarkMatrix:
    """The competitors and the cases.

    Attributes:
        queries: queries of the cases; the first is the cheapest for a first answer.
        personas: users of the cases.
        connections: numbers of connections of the cases.
        node: directory of PostGraphile; None if it cannot be installed.
        statements: statements in one request of ours, by query and persona.
        left_out: competitors that take no part, with the reason.

    """

    world: World
    queries: Sequence[Query]
    personas: Sequence[Persona]
    connections: Sequence[int]
    ours: HttpCompetitor
    theirs: HttpCompetitor | None = None
    node: Path | None = None
    competitors: list[Competitor] = field(default_factory=list)
    statements: dict[tuple[str, str], int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def cases(self) -> list[BenchmarkCase]:
        """The cases that each competitor is measured in."""
        return [
            BenchmarkCase(query, persona, connections)
            for query in self.queries
            for persona in self.personas
            for connections in self.connections
        ]

    async def run(self, pace: Pace) -> RunResults:
        """One run of each competitor and case in each round; the competitors take turns."""
        runs = RunResults()
        for _ in range(pace.rounds):
            for case in self.cases():
                for competitor in self.competitors:
                    runs.add(competitor.name, case, await competitor.measure(case, pace))
        return runs

    async def growth_shares(
        self, queries: Sequence[Query], pace: Pace
    ) -> dict[str, dict[str, float]]:
        """The rates at ten times the data, divided by those before, by competitor and query."""
        shares = {}
        persona = self.personas[0]
        first = our_api(self.world).requests(self.queries[0], persona)
        with serve_registry(self.world, first, ENLARGED) as server:
            ours = our_competitor(self.world, server)
            with self._postgraphile_growth() as theirs:
                if self.theirs and theirs:
                    compare(ours, theirs, queries, [persona])
                    shares[theirs.name] = await measure_growth(
                        self.theirs, theirs, queries, persona=persona, pace=pace
                    )
                shares[ours.name] = await measure_growth(
                    self.ours, ours, queries, persona=persona, pace=pace
                )
        return shares

    @contextmanager
    def _postgraphile_growth(self) -> Iterator[HttpCompetitor | None]:
        if self.node is None:
            yield None
            return
        first = postgraphile.API.requests(self.queries[0], self.personas[0])
        with postgraphile.serve_postgraphile(self.world, self.node, first, ENLARGED) as server:
            yield postgraphile_competitor(self.world, server)

    def cold_starts(self) -> dict[str, float]:
        """Seconds to the first answer by identifier, by competitor."""
        query, persona = self.queries[0], self.personas[0]
        ours = our_api(self.world).requests(query, persona)
        starts = {self.ours.name: measure_cold_start(partial(serve_registry, self.world, ours))}
        if self.node is not None:
            theirs = postgraphile.API.requests(query, persona)
            starts[postgraphile.NAME] = measure_cold_start(
                partial(postgraphile.serve_postgraphile, self.world, self.node, theirs)
            )
        return starts


@asynccontextmanager
async def open_matrix(
    world: World, queries: Sequence[Query], connections: Sequence[int] = CONNECTIONS
) -> AsyncIterator[BenchmarkMatrix]:
    """The competitors running.

    Raises:
        Unavailable: the registry itself does not start.
        AnswersDiffer: two competitors answer differently.
        ErrorResponse: one of them answers with an error.

    """
    personas = (world.city, world.enterprise)
    async with AsyncExitStack() as stack:
        first = our_api(world).requests(queries[0], personas[0])
        server = stack.enter_context(serve_registry(world, first))
        matrix = BenchmarkMatrix(
            world, queries, personas, connections, our_competitor(world, server)
        )
        matrix.competitors.append(matrix.ours)
        _add_postgraphile(matrix, stack)
        scripts = await capture_scripts(world, queries, personas, matrix.ours.requests)
        matrix.competitors.append(PgbenchRun(world, scripts, RATIO_CONNECTIONS))
        matrix.statements = {case: script.statements for case, script in scripts.items()}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store_answers(folder, matrix.ours, queries, personas)
        first = baseline_requests(first, queries[0], personas[0])
        server = stack.enter_context(serve_baseline(folder, first))
        matrix.competitors.append(baseline_competitor(world, server, matrix.ours))
        yield matrix


def _add_postgraphile(matrix: BenchmarkMatrix, stack: AsyncExitStack) -> None:
    """Start PostGraphile and compare its answers; record why it takes no part."""
    world, queries, personas = matrix.world, matrix.queries, matrix.personas
    try:
        node = postgraphile.ensure_installed()
        first = postgraphile.API.requests(queries[0], personas[0])
        server = stack.enter_context(postgraphile.serve_postgraphile(world, node, first))
    except Unavailable as error:
        matrix.left_out.append(f"{postgraphile.NAME}: {error}")
        return
    matrix.node, matrix.theirs = node, postgraphile_competitor(world, server)
    compare(matrix.ours, matrix.theirs, queries, personas)
    matrix.competitors.append(matrix.theirs)
