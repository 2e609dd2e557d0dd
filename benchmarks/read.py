"""How fast the registry is read, beside PostGraphile, pgbench and a bare ASGI application.

    python -m benchmarks.read [--quick] [--check]

In one run on a larger world: an object by its identifier, a page of enterprises with all they
hold, the newest transfers, and a trivial query; as an officer of a city and as an enterprise; by
1, 16 and 64 connections, full documents in every request. The registry asks for sign-in and keeps
its rules and limits; PostGraphile is told role and claims, verifies nothing, and shows the same
rows by row security. Answers are compared before anything is timed. Read the ratios: the rates are
those of the machine, whose cores database, servers and load generator share.

The first run makes the data and installs PostGraphile, which is not part of the eight minutes of
``--quick``. The last lines are the summary. With ``--check`` it ends with 1 where a floor is
missed or somebody was left out.
"""

import argparse
import asyncio
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.reading import ours, pgbench, postgraphile
from benchmarks.reading.comparison import AnswersDiffer, Pace
from benchmarks.reading.goals import Gauges, summary
from benchmarks.reading.http_requests import ErrorResponse
from benchmarks.reading.matrix import BenchmarkMatrix, open_matrix
from benchmarks.reading.metrics import RATIO_CONNECTIONS, RunResults, goal_ratios, table
from benchmarks.reading.probes import DeepPageProbe, probe_deep_page
from benchmarks.reading.queries import FEED, NAMES, TRIVIAL, Query, by_id_query, page_query
from benchmarks.reading.server_process import Unavailable
from benchmarks.reading.world import ENTERPRISES, World, open_world

QUICK = Pace(seconds=1.2, warm_s=0.3, rounds=2)
WHOLE = Pace(seconds=4.0, warm_s=1.0, rounds=3)
WIDTH = 180
"""Of the tables, wherever they are shown."""


async def main(selected: argparse.Namespace, pace: Pace, console: Console) -> bool:
    """Whether every floor was kept and nobody left out."""
    began = time.perf_counter()
    async with open_world(selected.enterprises, console.print) as found:
        console.print(", ".join(f"{kind} {count:,}" for kind, count in found.sizes.items()))
        wanted = [query for query in queries(found) if query.name in {"by_id", *selected.only}]
        async with open_matrix(found, wanted) as field:
            console.print(await _environment_line(field))
            if field.theirs:
                console.print("both servers give the same answers")
            runs = await field.run(pace)
            _show(field, runs, console)
            gauges, left_out = await _measure_goals(field, runs, pace, console)
    lines, fine = summary(gauges, left_out)
    console.print(f"{time.perf_counter() - began:.0f} s in all")
    for line in lines:
        console.print(line)
    return fine


def queries(found: World) -> list[Query]:
    """The four of them, the cheapest to begin with first."""
    return [by_id_query(found.ids), page_query(found.city.division), FEED, TRIVIAL]


async def _environment_line(field: BenchmarkMatrix) -> str:
    """What it runs on: other programs on the machine show in the load average."""
    superuser = await field.world.as_superuser()
    try:
        database = await superuser.fetchval("SHOW server_version")
    finally:
        await superuser.close()
    node = "no PostGraphile"
    if field.node:
        node = f"{postgraphile.NODE}, PostGraphile {postgraphile.installed_version(field.node)}"
    return (
        f"Python {platform.python_version()}, PostgreSQL {database}, {node},"
        f" {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}"
    )


async def _measure_goals(
    field: BenchmarkMatrix, runs: RunResults, pace: Pace, console: Console
) -> tuple[Gauges, list[str]]:
    """Everything that has a goal, measured and shown; and what is left out."""
    memory = {side.name: side.server.resident_mb for side in (field.ours, field.theirs) if side}
    names = [query.name for query in field.queries]
    gauges = goal_ratios(runs, names, [sitter.name for sitter in field.personas])
    growing = [FEED] if FEED in field.queries else []
    if "page" in names:
        growing.append(page_query(field.personas[0].division, with_total=False))
    shares = await field.growth_shares(growing, pace)
    far = await probe_deep_page(field.world, field.ours, pace)
    starts = field.cold_starts()
    console.print(_resource_lines(memory, starts, shares), _deep_page_lines(far))
    gauges |= {
        "statements": {"": max(field.statements.values())},
        "memory": {"": memory[ours.NAME]},
        "start": {"": starts[ours.NAME]},
        "deep/database": {"": far.database_ms[1] / far.database_ms[0]},
        **{f"growth/{name}": {"": share} for name, share in shares[ours.NAME].items()},
    }
    return gauges, field.left_out


def _show(field: BenchmarkMatrix, runs: RunResults, console: Console) -> None:
    names = [contender.name for contender in field.competitors]
    for sitter in field.personas:
        console.print(table(runs, names, field.cases(), sitter.name))
    sent = ", ".join(f"{' as '.join(key)} {number}" for key, number in field.statements.items())
    console.print(f"statements in a request of ours, each replayed by {pgbench.NAME}: {sent}")
    key = (field.queries[0].name, field.personas[0].name, RATIO_CONNECTIONS)
    client = runs.median(ours.NAME, key, lambda run: run.client_ms) or 0.0
    console.print(f"the load generator's own processor time: {client * 1000:.0f} µs a request")


def _resource_lines(
    memory: dict[str, float], starts: dict[str, float], shares: dict[str, dict[str, float]]
) -> Table:
    shown = Table("", *memory, title="Beside the rates", box=box.MARKDOWN)
    shown.add_row("resident after load, MB", *(f"{memory[name]:.0f}" for name in memory))
    shown.add_row("cold start, s", *(f"{starts[name]:.2f}" for name in memory))
    for query in shares[ours.NAME]:
        told = (f"{shares[name][query]:.2f}" if name in shares else "" for name in memory)
        shown.add_row(f"{query} at ten times the data, share of the rate", *told)
    return shown


def _deep_page_lines(far: DeepPageProbe) -> Table:
    shown = Table(
        "transfers as the province",
        "page 1, ms",
        f"page {far.page}, ms",
        "ratio",
        title="A page far from the first",
        box=box.MARKDOWN,
    )
    for where, (first, last) in (("database", far.database_ms), ("over HTTP", far.http_ms)):
        shown.add_row(where, f"{first:.3f}", f"{last:.3f}", f"{last / first:.2f}")
    return shown


def _parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="under eight minutes")
    parser.add_argument("--check", action="store_true", help="1 unless every floor is kept")
    parser.add_argument("--enterprises", type=int, default=ENTERPRISES, help="of the world")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="and by_id")
    parser.add_argument("--seconds", type=float, help="of a run")
    parser.add_argument("--rounds", type=int, help="of all runs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    options = _parse_arguments()
    paced = QUICK if options.quick else WHOLE
    paced = replace(
        paced,
        seconds=options.seconds or paced.seconds,
        rounds=options.rounds or paced.rounds,
    )
    try:
        kept = asyncio.run(main(options, paced, Console(width=WIDTH, soft_wrap=True)))
    except (Unavailable, AnswersDiffer, ErrorResponse) as refusal:
        sys.exit(f"Nothing can be compared: {refusal}")
    sys.exit(0 if kept or not options.check else 1)
