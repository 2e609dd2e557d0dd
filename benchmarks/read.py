"""How fast the registry is read, beside PostGraphile, pgbench and a bare ASGI application.

    python -m benchmarks.read [--quick] [--check]
    python -m benchmarks.read --against DIR [--quick] [--check]

One run on a synthetic world measures an object by its identifier, a page of enterprises with their
permits and holdings, and the newest transfers. An officer of a city and an enterprise ask, over 1,
16 and 64 connections, with whole documents. Every request has other values, and no body is sent
twice. The registry signs people in and keeps its rules and limits. PostGraphile gets role and
claims in headers, verifies nothing, and shows the same rows by row security. The answers are
compared before the runs. Read the ratios: database, servers and load generator share the machine.

With ``--against``, this checkout is measured beside the checkout in DIR, at 16 connections, median
of three runs. ``./dev run true`` must have set that checkout up. Each has a world of its own.

The first run makes the data and installs PostGraphile, in minutes of its own. The last lines are
the summary. With ``--check`` the command ends with 1 if a floor is missed or a part left out.
"""

import argparse
import asyncio
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.goals import Gauges, read_goals, summary
from benchmarks.reading import ours, pgbench, postgraphile
from benchmarks.reading.comparison import AnswersDiffer, Pace
from benchmarks.reading.http_requests import ErrorResponse
from benchmarks.reading.matrix import CONNECTIONS, BenchmarkMatrix, open_matrix
from benchmarks.reading.metrics import (
    MANY_CONNECTIONS,
    RATIO_CONNECTIONS,
    RunResults,
    goal_ratios,
    table,
)
from benchmarks.reading.probes import DeepPageProbe, probe_deep_page
from benchmarks.reading.queries import FEED, NAMES, Query, by_id_query, page_query
from benchmarks.reading.server_process import Unavailable
from benchmarks.reading.side_by_side import rate_goals, run_side_by_side
from benchmarks.reading.world import ENTERPRISES, World, open_world

GOALS = Path(__file__).parent / "reading" / "goals.csv"
QUICK = Pace(seconds=1.0, warm_s=0.3, rounds=3)
WHOLE = Pace(seconds=4.0, warm_s=1.0, rounds=3)
WIDTH = 180
"""Width of the tables."""


async def main(options: argparse.Namespace, pace: Pace, console: Console) -> bool:
    """Measure and print; whether every floor was kept and every part measured."""
    began = time.perf_counter()
    if options.against:
        lines, kept = await _compare_checkouts(options, pace, console)
    else:
        lines, kept = await _compare_servers(options, pace, console)
    console.print(f"{time.perf_counter() - began:.0f} s in all")
    for line in lines:
        console.print(line)
    return kept


async def _compare_checkouts(
    options: argparse.Namespace, pace: Pace, console: Console
) -> tuple[list[str], bool]:
    shown, gauges = await run_side_by_side(
        options.against.resolve(), options.enterprises, pace, console.print
    )
    console.print(f"{_machine_line()}", shown)
    return summary(gauges, [], rate_goals())


async def _compare_servers(
    options: argparse.Namespace, pace: Pace, console: Console
) -> tuple[list[str], bool]:
    async with open_world(options.enterprises, console.print) as world:
        console.print(", ".join(f"{kind} {count:,}" for kind, count in world.sizes.items()))
        chosen = [query for query in queries(world) if query.name in {"by_id", *options.only}]
        connections = (RATIO_CONNECTIONS, MANY_CONNECTIONS) if options.quick else CONNECTIONS
        async with open_matrix(world, chosen, connections) as matrix:
            console.print(await _environment_line(matrix))
            if matrix.theirs:
                console.print("both servers give the same answers")
            runs = await matrix.run(pace)
            _show(matrix, runs, console)
            gauges = await _measure_goals(matrix, runs, pace, console)
            return summary(gauges, matrix.left_out, read_goals(GOALS))


def queries(world: World) -> list[Query]:
    """The three queries, the cheapest first."""
    return [by_id_query(world.ids), page_query(world.city.division), FEED]


async def _environment_line(matrix: BenchmarkMatrix) -> str:
    """Versions and machine; other programs show in the load average."""
    superuser = await matrix.world.as_superuser()
    try:
        database = await superuser.fetchval("SHOW server_version")
    finally:
        await superuser.close()
    node = "no PostGraphile"
    if matrix.node:
        node = f"{postgraphile.NODE}, PostGraphile {postgraphile.installed_version(matrix.node)}"
    return f"PostgreSQL {database}, {node}, {_machine_line()}"


def _machine_line() -> str:
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores,"
        f" load average {os.getloadavg()[0]:.1f}"
    )


async def _measure_goals(
    matrix: BenchmarkMatrix, runs: RunResults, pace: Pace, console: Console
) -> Gauges:
    """All figures that have goals, measured and shown."""
    memory = {side.name: side.server.resident_mb for side in (matrix.ours, matrix.theirs) if side}
    names = [query.name for query in matrix.queries]
    gauges = goal_ratios(runs, names, [persona.name for persona in matrix.personas])
    growing = [FEED] if FEED in matrix.queries else []
    if "page" in names:
        growing.append(page_query(matrix.personas[0].division, with_total=False))
    shares = await matrix.growth_shares(growing, pace)
    deep = await probe_deep_page(matrix.world, matrix.ours, pace)
    starts = matrix.cold_starts()
    console.print(_resource_table(memory, starts, shares), _deep_page_table(deep))
    return gauges | {
        "statements": {"": max(matrix.statements.values())},
        "memory": {"": memory[ours.NAME]},
        "start": {"": starts[ours.NAME]},
        "deep/database": {"": deep.database_ms[1] / deep.database_ms[0]},
        **{f"growth/{name}": {"": share} for name, share in shares[ours.NAME].items()},
    }


def _show(matrix: BenchmarkMatrix, runs: RunResults, console: Console) -> None:
    names = [competitor.name for competitor in matrix.competitors]
    for persona in matrix.personas:
        console.print(table(runs, names, matrix.cases(), persona.name))
    sent = ", ".join(f"{' as '.join(key)} {number}" for key, number in matrix.statements.items())
    console.print(f"statements in a request of ours, each replayed by {pgbench.NAME}: {sent}")
    key = (matrix.queries[0].name, matrix.personas[0].name, RATIO_CONNECTIONS)
    client = runs.median(ours.NAME, key, lambda run: run.client_ms) or 0.0
    console.print(f"the load generator's own processor time: {client * 1000:.0f} µs a request")


def _resource_table(
    memory: dict[str, float], starts: dict[str, float], shares: dict[str, dict[str, float]]
) -> Table:
    shown = Table("", *memory, title="Beside the rates", box=box.MARKDOWN)
    shown.add_row("resident after load, MB", *(f"{memory[name]:.0f}" for name in memory))
    shown.add_row("cold start, s", *(f"{starts[name]:.2f}" for name in memory))
    for query in shares[ours.NAME]:
        cells = (f"{shares[name][query]:.2f}" if name in shares else "" for name in memory)
        shown.add_row(f"{query} at ten times the data, share of the rate", *cells)
    return shown


def _deep_page_table(deep: DeepPageProbe) -> Table:
    shown = Table(
        "transfers as the province",
        "page 1, ms",
        f"page {deep.page}, ms",
        "ratio",
        title="A page far from the first",
        box=box.MARKDOWN,
    )
    for where, (first, last) in (("database", deep.database_ms), ("over HTTP", deep.http_ms)):
        shown.add_row(where, f"{first:.3f}", f"{last:.3f}", f"{last / first:.2f}")
    return shown


def _parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="short runs, 16 and 64 connections")
    parser.add_argument("--check", action="store_true", help="1 unless every floor is kept")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout")
    parser.add_argument("--enterprises", type=int, default=ENTERPRISES, help="of the world")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="and by_id")
    parser.add_argument("--seconds", type=float, help="of a run")
    parser.add_argument("--rounds", type=int, help="number of runs of each case")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    selected = _parse_arguments()
    paced = QUICK if selected.quick else WHOLE
    paced = replace(
        paced,
        seconds=selected.seconds or paced.seconds,
        rounds=selected.rounds or paced.rounds,
    )
    try:
        is_kept = asyncio.run(main(selected, paced, Console(width=WIDTH, soft_wrap=True)))
    except (Unavailable, AnswersDiffer, ErrorResponse) as error:
        sys.exit(f"Nothing can be compared: {error}")
    sys.exit(0 if is_kept or not selected.check else 1)
