"""What is measured beside the four queries: growth, a page far from the first, a cold start."""

import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from benchmarks.reading.comparison import BenchmarkCase, HttpCompetitor, Pace
from benchmarks.reading.http_requests import response_data, send_request
from benchmarks.reading.metrics import RATIO_CONNECTIONS, RunResults
from benchmarks.reading.ours import build_requests
from benchmarks.reading.pgbench import capture_scripts, run_pgbench
from benchmarks.reading.queries import (
    DEEP_PAGE_ROWS,
    OUR_DEEP_PAGE,
    WALK,
    Query,
    SchemaQuery,
    Values,
)
from benchmarks.reading.server_process import Server
from benchmarks.reading.world import Persona, World

DEEP_PAGE = 2_000
DEEP_ROUNDS, DEEP_TIMES = 12, 1_000
"""Short runs by turns, so that other programs leave some of them alone."""

STARTS = 3
_WALK_ROWS = 100
_PLAIN = "walk"


@dataclass(frozen=True, slots=True)
class DeepPageProbe:
    """Page 1 and a page far from it.

    Attributes:
        page: which one that is.
        database_ms: of both, in the database alone.
        http_ms: of both, as one client sees it.

    """

    page: int
    database_ms: tuple[float, float]
    http_ms: tuple[float, float]


def _query(name: str, document: str, variables: Values) -> Query:
    wording = SchemaQuery(document, lambda _: variables, lambda data: data)
    return Query(name, name, wording, wording)


def _find_deep_page(world: World, side: HttpCompetitor, sitter: Persona) -> tuple[int, str]:
    """The number of the page that is far away, and the cursor before it."""
    wanted, after, passed = (DEEP_PAGE - 1) * DEEP_PAGE_ROWS, "", 0
    while passed < wanted:
        first = min(_WALK_ROWS, wanted - passed)
        step = _query(_PLAIN, WALK, {"first": first, "after": after or None})
        said = send_request(side.server.port, build_requests(world, step, sitter))
        info = response_data(said)["transfers"]["pageInfo"]
        if not info["hasNextPage"]:
            break
        after, passed = info["endCursor"], passed + first
    return passed // DEEP_PAGE_ROWS + 1, after


async def probe_deep_page(world: World, side: HttpCompetitor, pace: Pace) -> DeepPageProbe:
    """Page 1 and page 2 000 of what the province sees; a small world's last page but one."""
    page, after = _find_deep_page(world, side, world.province)
    pages = [
        _query(name, OUR_DEEP_PAGE, {"after": cursor})
        for name, cursor in (("first", None), ("deep", after))
    ]
    scripts = await capture_scripts(world, pages, [world.province])
    database: tuple[list[float], list[float]] = ([], [])
    http: tuple[list[float], list[float]] = ([], [])
    for _ in range(DEEP_ROUNDS):
        for which, query in enumerate(pages):
            script = scripts[query.name, world.province.name]
            ran = await run_pgbench(world.application(), script, connections=1, times=DEEP_TIMES)
            database[which].append(ran.average_ms)
    for _ in range(pace.rounds):
        for which, query in enumerate(pages):
            run = await side.measure(BenchmarkCase(query, world.province, connections=1), pace)
            http[which].append(run.p50_ms if run else 0.0)
    return DeepPageProbe(page, _least_disturbed(database), _least_disturbed(http))


def _least_disturbed(pair: tuple[list[float], list[float]]) -> tuple[float, float]:
    """Of the two pages, the run that other programs disturbed least."""
    return min(pair[0]), min(pair[1])


async def measure_growth(
    small: HttpCompetitor,
    large: HttpCompetitor,
    queries: Sequence[Query],
    *,
    sitter: Persona,
    pace: Pace,
) -> dict[str, float]:
    """The rate at ten times the data, in shares of the rate before, by query."""
    runs = RunResults()
    sides = [replace(side, name=name) for side, name in ((small, "small"), (large, "large"))]
    cases = [BenchmarkCase(query, sitter, RATIO_CONNECTIONS) for query in queries]
    for _ in range(pace.rounds):
        for case in cases:
            for side in sides:
                runs.add(side.name, case, await side.measure(case, pace))
    rates = {
        name: [runs.median(name, case.key, lambda run: run.rate) or 0.0 for case in cases]
        for name in ("small", "large")
    }
    each = zip(queries, rates["small"], rates["large"], strict=True)
    return {query.name: after / before for query, before, after in each}


def measure_cold_start(started: Callable[[], AbstractContextManager[Server]]) -> float:
    """Seconds from the start of the process to its first answer; the median of a few."""
    taken = []
    for _ in range(STARTS):
        with started() as server:
            taken.append(server.start_s)
    return statistics.median(taken)
