"""All contenders, running side by side on one world, once they gave the same answers."""

import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

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
from benchmarks.reading.metrics import RunResults
from benchmarks.reading.ours import build_requests, serve_registry
from benchmarks.reading.pgbench import capture_scripts
from benchmarks.reading.postgraphile import NAME as POSTGRAPHILE
from benchmarks.reading.postgraphile import build_requests as asked_there
from benchmarks.reading.postgraphile import ensure_installed, serve_postgraphile
from benchmarks.reading.probes import measure_cold_start, measure_growth
from benchmarks.reading.queries import TRIVIAL, Query
from benchmarks.reading.server_process import Unavailable
from benchmarks.reading.world import ENLARGED, Persona, World

CONNECTIONS = (1, 16, 64)


@dataclass(slots=True)
class BenchmarkMatrix:
    """Who takes part.

    Attributes:
        queries: what is asked; the first is the cheapest to ask for a first answer.
        personas: who asks.
        node: where PostGraphile is installed; None where it is not.
        statements: how many one request of ours sends, by query and sitter.
        left_out: who or what takes no part, and why.

    """

    world: World
    queries: Sequence[Query]
    personas: Sequence[Persona]
    ours: HttpCompetitor
    theirs: HttpCompetitor | None = None
    node: Path | None = None
    competitors: list[Competitor] = field(default_factory=list)
    statements: dict[tuple[str, str], int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def cases(self) -> list[BenchmarkCase]:
        """Everything that is measured of everybody."""
        return [
            BenchmarkCase(query, sitter, connections)
            for query in self.queries
            for sitter in self.personas
            for connections in CONNECTIONS
        ]

    async def run(self, pace: Pace) -> RunResults:
        """One run of each contender and case in each round; the contenders take turns."""
        runs = RunResults()
        for _ in range(pace.rounds):
            for case in self.cases():
                for contender in self.competitors:
                    runs.add(contender.name, case, await contender.measure(case, pace))
        return runs

    async def growth_shares(
        self, queries: Sequence[Query], pace: Pace
    ) -> dict[str, dict[str, float]]:
        """The rates at ten times the data in shares of those before: by contender and query."""
        shares = {}
        sitter, first = self.personas[0], self.queries[0]
        with serve_registry(
            self.world, build_requests(self.world, first, sitter), ENLARGED
        ) as server:
            ours = our_competitor(self.world, server)
            with self._postgraphile_growth() as theirs:
                if self.theirs and theirs:
                    compare(ours, theirs, queries, [sitter])
                    found = await measure_growth(
                        self.theirs, theirs, queries, sitter=sitter, pace=pace
                    )
                    shares[theirs.name] = found
                shares[ours.name] = await measure_growth(
                    self.ours, ours, queries, sitter=sitter, pace=pace
                )
        return shares

    @contextmanager
    def _postgraphile_growth(self) -> Iterator[HttpCompetitor | None]:
        if self.node is None:
            yield None
            return
        first = asked_there(self.queries[0], self.personas[0])
        with serve_postgraphile(self.world, self.node, first, ENLARGED) as server:
            yield postgraphile_competitor(self.world, server)

    def cold_starts(self) -> dict[str, float]:
        """Seconds to the first answer by identifier, by contender."""
        first, sitter = self.queries[0], self.personas[0]
        ours = build_requests(self.world, first, sitter)
        found = {self.ours.name: measure_cold_start(partial(serve_registry, self.world, ours))}
        if self.node is not None:
            theirs = asked_there(first, sitter)
            found[POSTGRAPHILE] = measure_cold_start(
                partial(serve_postgraphile, self.world, self.node, theirs)
            )
        return found


@asynccontextmanager
async def open_matrix(world: World, queries: Sequence[Query]) -> AsyncIterator[BenchmarkMatrix]:
    """The contenders running.

    Raises:
        Missing: the registry itself does not come up.
        Unequal: two contenders answer differently.
        Unanswered: one of them answers with an error.

    """
    sitters = (world.city, world.enterprise)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(
            serve_registry(world, build_requests(world, queries[0], sitters[0]))
        )
        found = BenchmarkMatrix(world, queries, sitters, our_competitor(world, server))
        found.competitors.append(found.ours)
        try:
            found.node = ensure_installed()
            first = asked_there(queries[0], sitters[0])
            server = stack.enter_context(serve_postgraphile(world, found.node, first))
        except Unavailable as missing:
            found.node = None
            found.left_out.append(f"{POSTGRAPHILE}: {missing}")
        else:
            found.theirs = postgraphile_competitor(world, server)
            compare(found.ours, found.theirs, queries, sitters)
            found.competitors.append(found.theirs)
        scripts = await capture_scripts(world, [q for q in queries if q is not TRIVIAL], sitters)
        found.competitors.append(PgbenchRun(world, scripts))
        found.statements = {whose: script.statements for whose, script in scripts.items()}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store_answers(folder, found.ours, queries, sitters)
        first = baseline_requests(world, queries[0], sitters[0])
        found.competitors.append(
            baseline_competitor(world, stack.enter_context(serve_baseline(folder, first)))
        )
        yield found
