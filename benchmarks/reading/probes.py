"""Measurements beside the queries: growth of the data, a page far from the first, a cold start."""

import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from benchmarks.reading import our_queries
from benchmarks.reading.comparison import BenchmarkCase, HttpCompetitor, Pace
from benchmarks.reading.http_requests import response_data, send_request
from benchmarks.reading.metrics import RATIO_CONNECTIONS, RunResults
from benchmarks.reading.pgbench import capture_scripts, run_pgbench
from benchmarks.reading.queries import Query, SchemaQuery, Values
from benchmarks.reading.server_process import Server
from benchmarks.reading.world import Persona, World

DEEP_PAGE = 2_000
DEEP_ROUNDS, DEEP_TIMES = 12, 1_000
"""Many short runs in turn, so that some of them are undisturbed by other programs."""

STARTS = 3
_WALK_ROWS = 100


@dataclass(frozen=True, slots=True)
class DeepPageProbe:
    """Page 1 and a page far from it.

    Attributes:
        page: number of the far page.
        database_ms: time of both in the database.
        http_ms: time of both as one client sees it.

    """

    page: int
    database_ms: tuple[float, float]
    http_ms: tuple[float, float]


def _query(name: str, document: str, values: Values) -> Query:
    wording = SchemaQuery(document, lambda data: data)
    return Query(name, name, wording, wording, wording, (values,))


def _find_deep_page(side: HttpCompetitor, persona: Persona) -> tuple[int, str]:
    """The number of the far page, and the cursor before it."""
    wanted, after, passed = (DEEP_PAGE - 1) * our_queries.DEEP_PAGE_ROWS, "", 0
    while passed < wanted:
        first = min(_WALK_ROWS, wanted - passed)
        step = _query(f"walk {passed}", our_queries.WALK, {"first": first, "after": after or None})
        answer = send_request(side.server.port, side.requests(step, persona))
        info = response_data(answer)["transfers"]["pageInfo"]
        if not info["hasNextPage"]:
            break
        after, passed = info["endCursor"], passed + first
    return passed // our_queries.DEEP_PAGE_ROWS + 1, after


async def probe_deep_page(world: World, side: HttpCompetitor, pace: Pace) -> DeepPageProbe:
    """Page 1 and page 2 000 as the province sees them; in a small world, its last page but one."""
    page, after = _find_deep_page(side, world.province)
    pages = [
        _query(name, our_queries.DEEP_PAGE, {"after": cursor})
        for name, cursor in (("first", None), ("deep", after))
    ]
    scripts = await capture_scripts(world, pages, [world.province], side.requests)
    database: tuple[list[float], list[float]] = ([], [])
    http: tuple[list[float], list[float]] = ([], [])
    for _ in range(DEEP_ROUNDS):
        for which, query in enumerate(pages):
            script = scripts[query.name, world.province.name]
            run = await run_pgbench(world.application(), script, connections=1, times=DEEP_TIMES)
            database[which].append(run.average_ms)
    for _ in range(pace.rounds):
        for which, query in enumerate(pages):
            measured = await side.measure(BenchmarkCase(query, world.province, connections=1), pace)
            http[which].append(measured.p50_ms if measured else 0.0)
    return DeepPageProbe(page, _least_disturbed(database), _least_disturbed(http))


def _least_disturbed(pair: tuple[list[float], list[float]]) -> tuple[float, float]:
    """The shortest run of each page."""
    return min(pair[0]), min(pair[1])


async def measure_growth(
    small: HttpCompetitor,
    large: HttpCompetitor,
    queries: Sequence[Query],
    *,
    persona: Persona,
    pace: Pace,
) -> dict[str, float]:
    """The rate at ten times the data, divided by the rate before, by query."""
    runs = RunResults()
    sides = [replace(side, name=name) for side, name in ((small, "small"), (large, "large"))]
    cases = [BenchmarkCase(query, persona, RATIO_CONNECTIONS) for query in queries]
    for _ in range(pace.rounds):
        for case in cases:
            for side in sides:
                runs.add(side.name, case, await side.measure(case, pace))
    shares = {case.query.name: runs.ratio(case.key, "small", name="large") for case in cases}
    return {name: share for name, share in shares.items() if share is not None}


def measure_cold_start(started: Callable[[], AbstractContextManager[Server]]) -> float:
    """Seconds from the start of the process to its first answer; the median of three starts."""
    taken = []
    for _ in range(STARTS):
        with started() as server:
            taken.append(server.start_s)
    return statistics.median(taken)
