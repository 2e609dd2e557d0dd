"""All contenders, running side by side on one world, once they gave the same answers."""

import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.reading.baseline_server import constant
from benchmarks.reading.comparison import (
    Answering,
    Case,
    Contender,
    Pace,
    Replaying,
    compare,
    constant_asked,
    constant_side,
    kept,
    our_side,
    their_side,
)
from benchmarks.reading.metrics import Runs
from benchmarks.reading.ours import asked, registry
from benchmarks.reading.pgbench import scripts_of
from benchmarks.reading.postgraphile import NAME as POSTGRAPHILE
from benchmarks.reading.postgraphile import asked as asked_there
from benchmarks.reading.postgraphile import installed, postgraphile
from benchmarks.reading.probes import cold_start, growth
from benchmarks.reading.queries import TRIVIAL, Query
from benchmarks.reading.server_process import Missing
from benchmarks.reading.world import GROWN, Sitter, World

CONNECTIONS = (1, 16, 64)


@dataclass(slots=True)
class Field:
    """Who takes part.

    Attributes:
        queries: what is asked; the first is the cheapest to ask for a first answer.
        sitters: who asks.
        node: where PostGraphile is installed; None where it is not.
        statements: how many one request of ours sends, by query and sitter.
        left_out: who or what takes no part, and why.

    """

    world: World
    queries: Sequence[Query]
    sitters: Sequence[Sitter]
    ours: Answering
    theirs: Answering | None = None
    node: Path | None = None
    contenders: list[Contender] = field(default_factory=list)
    statements: dict[tuple[str, str], int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def cases(self) -> list[Case]:
        """Everything that is measured of everybody."""
        return [
            Case(query, sitter, connections)
            for query in self.queries
            for sitter in self.sitters
            for connections in CONNECTIONS
        ]

    async def run(self, pace: Pace) -> Runs:
        """One run of each contender and case in each round; the contenders take turns."""
        runs = Runs()
        for _ in range(pace.rounds):
            for case in self.cases():
                for contender in self.contenders:
                    runs.add(contender.name, case, await contender.measured(case, pace))
        return runs

    async def grown(self, queries: Sequence[Query], pace: Pace) -> dict[str, dict[str, float]]:
        """The rates at ten times the data in shares of those before: by contender and query."""
        shares = {}
        sitter, first = self.sitters[0], self.queries[0]
        with registry(self.world, asked(self.world, first, sitter), GROWN) as server:
            ours = our_side(self.world, server)
            with self._their_grown() as theirs:
                if self.theirs and theirs:
                    compare(ours, theirs, queries, [sitter])
                    found = await growth(self.theirs, theirs, queries, sitter=sitter, pace=pace)
                    shares[theirs.name] = found
                shares[ours.name] = await growth(self.ours, ours, queries, sitter=sitter, pace=pace)
        return shares

    @contextmanager
    def _their_grown(self) -> Iterator[Answering | None]:
        if self.node is None:
            yield None
            return
        first = asked_there(self.queries[0], self.sitters[0])
        with postgraphile(self.world, self.node, first, GROWN) as server:
            yield their_side(self.world, server)

    def cold_starts(self) -> dict[str, float]:
        """Seconds to the first answer by identifier, by contender."""
        first, sitter = self.queries[0], self.sitters[0]
        ours = asked(self.world, first, sitter)
        found = {self.ours.name: cold_start(partial(registry, self.world, ours))}
        if self.node is not None:
            theirs = asked_there(first, sitter)
            found[POSTGRAPHILE] = cold_start(partial(postgraphile, self.world, self.node, theirs))
        return found


@asynccontextmanager
async def fielded(world: World, queries: Sequence[Query]) -> AsyncIterator[Field]:
    """The contenders running.

    Raises:
        Missing: the registry itself does not come up.
        Unequal: two contenders answer differently.
        Unanswered: one of them answers with an error.

    """
    sitters = (world.city, world.enterprise)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(registry(world, asked(world, queries[0], sitters[0])))
        found = Field(world, queries, sitters, our_side(world, server))
        found.contenders.append(found.ours)
        try:
            found.node = installed()
            first = asked_there(queries[0], sitters[0])
            server = stack.enter_context(postgraphile(world, found.node, first))
        except Missing as missing:
            found.node = None
            found.left_out.append(f"{POSTGRAPHILE}: {missing}")
        else:
            found.theirs = their_side(world, server)
            compare(found.ours, found.theirs, queries, sitters)
            found.contenders.append(found.theirs)
        scripts = await scripts_of(world, [q for q in queries if q is not TRIVIAL], sitters)
        found.contenders.append(Replaying(world, scripts))
        found.statements = {whose: script.statements for whose, script in scripts.items()}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kept(folder, found.ours, queries, sitters)
        first = constant_asked(world, queries[0], sitters[0])
        found.contenders.append(constant_side(world, stack.enter_context(constant(folder, first))))
        yield found
