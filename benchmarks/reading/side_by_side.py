"""Two checkouts on one machine, measured in turn with the same requests."""

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.table import Table

from benchmarks.goals import Gauges, Goal
from benchmarks.reading import ours
from benchmarks.reading.comparison import (
    BenchmarkCase,
    HttpCompetitor,
    Pace,
    compare,
    our_competitor,
)
from benchmarks.reading.metrics import RATIO_CONNECTIONS, RunResults
from benchmarks.reading.other_checkout import NAME, Checkout, serve_checkout
from benchmarks.reading.queries import FEED, FEED_OF_CODES, Query, by_id_query, page_query
from benchmarks.reading.world import ProgressCallback, World, open_world

ROUNDS_MIN = 3
"""The median of at least three runs decides."""

FLOOR, FLOOR_UNDER_GRANIAN = 0.85, 0.70
"""Least share of the other checkout's rate; a server kept by others may cost more."""

CHECK_DIGITS = frozenset({"number", "creditCode"})
"""Values with a credit code in them: since commit 191ef11 it has all of its check digits."""

UNGAUGED = FEED.name
"""The other checkout's feed has no names of cities, so that ours does more work."""


def rate_goals() -> list[Goal]:
    """The least shares of the other checkout's rate, as the city."""
    floor = FLOOR_UNDER_GRANIAN if importlib.util.find_spec("granian") else FLOOR
    return [
        Goal(f"other/{name}", f"{title}, of the other checkout's rate", True, floor, 1.0)  # noqa: FBT003
        for name, title in (("by_id", "by id"), ("page", "page"), ("feed_codes", "feed"))
    ]


async def run_side_by_side(
    directory: Path, enterprises: int, pace: Pace, progress: ProgressCallback
) -> tuple[Table, Gauges]:
    """Measure both checkouts in turn; the table of medians, and the ratios that are gauged.

    Raises:
        Unavailable: one of them does not start.
        AnswersDiffer: the worlds are the same and the answers are not.

    """
    pace, checkout = replace(pace, rounds=max(pace.rounds, ROUNDS_MIN)), Checkout(directory)
    async with open_world(enterprises, progress, enlarged=False) as world:
        first = ours.our_api(world).requests(by_id_query(world.ids), world.city)
        with (
            ours.serve_registry(world, first) as server,
            serve_checkout(checkout, enterprises, world.city) as (other, ids),
        ):
            own = our_competitor(world, server)
            queries = [by_id_query(world.ids[: len(ids)]), page_query(world.city.division)]
            queries += [FEED_OF_CODES, FEED]
            if world.ids[: len(ids)] == ids:
                compared = [query for query in queries if query.name != UNGAUGED]
                personas = (world.city, world.enterprise)
                compare(
                    own, other, compared, personas, wording=checkout.wording, ignored=CHECK_DIGITS
                )
                progress("both checkouts give the same answers")
            else:
                progress("the worlds differ: answers are not compared")
                queries[0] = by_id_query(ids)
            runs = await _run((own, other), _cases(queries, world), pace)
            memory = {side.name: side.server.resident_mb for side in (own, other)}
    return _table(runs, queries, world, memory), _gauges(runs, queries, world)


def _cases(queries: Sequence[Query], world: World) -> list[BenchmarkCase]:
    personas = (world.city, world.enterprise)
    return [
        BenchmarkCase(query, persona, RATIO_CONNECTIONS)
        for query in queries
        for persona in personas
    ]


async def _run(
    sides: Sequence[HttpCompetitor], cases: Sequence[BenchmarkCase], pace: Pace
) -> RunResults:
    runs = RunResults()
    for turn in range(pace.rounds):
        # Neither side always runs first.
        ordered = sides if turn % 2 else sides[::-1]
        for case in cases:
            for side in ordered:
                runs.add(side.name, case, await side.measure(case, pace))
    return runs


def _gauges(runs: RunResults, queries: Sequence[Query], world: World) -> Gauges:
    ratios = {
        query.name: runs.ratio((query.name, world.city.name, RATIO_CONNECTIONS), NAME)
        for query in queries
        if query.name != UNGAUGED
    }
    return {
        f"other/{name}": {world.city.name: ratio}
        for name, ratio in ratios.items()
        if ratio is not None
    }


def _table(
    runs: RunResults, queries: Sequence[Query], world: World, memory: dict[str, float]
) -> Table:
    shown = Table(
        "as",
        "query",
        *(f"{name}: answers/s (processor ms)" for name in (ours.NAME, NAME)),
        "ratio",
        title=f"Two checkouts at {RATIO_CONNECTIONS} connections: medians",
        box=box.MARKDOWN,
    )
    for persona in (world.city, world.enterprise):
        for query in queries:
            key = (query.name, persona.name, RATIO_CONNECTIONS)
            ratio = runs.ratio(key, NAME) or 0.0
            cells = (_cell(runs, name, key) for name in (ours.NAME, NAME))
            shown.add_row(persona.name, query.title, *cells, f"{ratio:.2f}")
    shown.add_row("", "resident after load, MB", *(f"{mb:.0f}" for mb in memory.values()), "")
    return shown


def _cell(runs: RunResults, name: str, key: tuple[str, str, int]) -> str:
    rate = runs.median(name, key, lambda run: run.rate) or 0.0
    processor = runs.median(name, key, lambda run: run.processor_ms) or 0.0
    return f"{rate:,.0f} ({processor:.3f})"
