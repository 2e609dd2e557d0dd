"""How fast transfers are settled, qualified and approved, beside pgbench calling ``post_entry``.

    python -m benchmarks.settlement [--quick]

Settlement is measured in four ways: pgbench calls ``post_entry``; the registry's pool calls it; the
whole operation runs through the command frame; GraphQL runs it over HTTP. Qualifying and approving
are measured as whole operations. There are 1 and 16 clients, at random accounts and at one hot
account. pgbench plans as the registry's own connections do, and the first second of no run is
counted. Processor time is that of client and server, then of the database, for one operation.
Afterwards the ledger must verify.

Read the ratios, which come from one run. The command ends with 1 if a floor is missed or the ledger
does not verify.
"""

import argparse
import logging
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from pathlib import Path

import uvloop
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.cpu_profile import profile, statements
from benchmarks.goals import Gauges, Goal, summary
from benchmarks.settlement_load import (
    METHODS,
    OTHER_OPERATIONS,
    Load,
    Measurement,
    Method,
    Population,
    cluster,
    populate,
)
from registry.concepts import verify_registry
from server.http.logging_config import configure_logging
from server.settings import LogFormat

GOALS = (
    Goal("post_entry", "post_entry, of pgbench's rate", higher_is_better=True, floor=0.6, goal=0.7),
    Goal("settle", "settle, of pgbench's rate", higher_is_better=True, floor=0.28, goal=0.40),
    Goal(
        "processor",
        "processor time of a settlement without the database's, ms",
        higher_is_better=False,
        floor=1.8,
        goal=1.5,
    ),
)
"""All at random accounts and 16 clients."""

RANDOM_LOADS = tuple(Load(clients, is_single_seller=False) for clients in (1, 16))
LOADS = (*RANDOM_LOADS, *(Load(clients, is_single_seller=True) for clients in (1, 16)))
GOAL_LOAD = RANDOM_LOADS[-1]

Runs = Mapping[tuple[str, Load], list[Measurement]]


async def run_rounds(population: Population, *, seconds: float, rounds: int) -> Runs:
    """One measurement of each method and load in each round; the methods take turns."""
    runs: dict[tuple[str, Load], list[Measurement]] = defaultdict(list)
    for _ in range(rounds):
        for load in LOADS:
            for name, method in _methods(load).items():
                runs[name, load].append(await method(population, load, seconds))
    return runs


def _methods(load: Load) -> dict[str, Method]:
    return METHODS | OTHER_OPERATIONS if load in RANDOM_LOADS else METHODS


def tables(runs: Runs) -> list[Table]:
    """Rates of settlement with their shares of pgbench's, and those of the other operations."""
    settlement = Table(
        "settlements/s (of pgbench's; own + database ms)",
        *map(str, LOADS),
        box=box.MARKDOWN,
    )
    for name in METHODS:
        settlement.add_row(name, *(_cell(runs, name, load) for load in LOADS))
    others = Table("operations/s (own + database ms)", *map(str, RANDOM_LOADS), box=box.MARKDOWN)
    for name in ("settle", *OTHER_OPERATIONS):
        cells = (
            f"{_rate(runs, name, load):,.0f} ({_processor(runs, name, load)})"
            for load in RANDOM_LOADS
        )
        others.add_row(name, *cells)
    return [settlement, others]


def _cell(runs: Runs, name: str, load: Load) -> str:
    rate = _rate(runs, name, load)
    share = rate / _rate(runs, "pgbench", load)
    return f"{rate:,.0f} ({share:.2f}; {_processor(runs, name, load)})"


def gauges(runs: Runs) -> Gauges:
    """The figures that have goals."""
    base = _rate(runs, "pgbench", GOAL_LOAD)
    shares = {name: {"": _rate(runs, name, GOAL_LOAD) / base} for name in ("post_entry", "settle")}
    return {**shares, "processor": {"": _median(runs, "settle", GOAL_LOAD, "own_ms")}}


def _rate(runs: Runs, name: str, load: Load) -> float:
    return _median(runs, name, load, "rate")


def _processor(runs: Runs, name: str, load: Load) -> str:
    own, database = (_median(runs, name, load, which) for which in ("own_ms", "database_ms"))
    return f"{own:.2f} + {database:.2f}"


def _median(runs: Runs, name: str, load: Load, which: str) -> float:
    return statistics.median([float(getattr(run, which)) for run in runs[name, load]])


async def print_cpu_profile(population: Population, console: Console) -> None:
    """Print where the time of one settlement goes."""
    made, total = await statements(population)
    table = Table("statement", "ms", title=f"{len(made)} statements, {total:.2f} ms an operation")
    for text, milliseconds in made:
        table.add_row(text, f"{milliseconds:.3f}")
    console.print(table)
    shares = Table("package", "share", title="The process itself, by package")
    for package, share in await profile(population):
        shares.add_row(package, f"{share:.0%}")
    console.print(shares)


async def main(*, seconds: float, rounds: int) -> bool:
    """Measure and print; whether every floor was kept and the ledger verifies."""
    console = Console(width=160, soft_wrap=True)
    with cluster() as running:
        async with populate(running) as population:
            runs = await run_rounds(population, seconds=seconds, rounds=rounds)
            console.print(*tables(runs))
            await print_cpu_profile(population, console)
            # The benchmark's own functions are not part of a registry.
            await population.owner.execute("DROP SCHEMA bench CASCADE")
            failed = [result.check for result in await verify_registry() if not result.is_satisfied]
    lines, kept = summary(gauges(runs), [], GOALS)
    for line in (*lines, _ledger_line(failed)):
        console.print(line)
    return kept and not failed


def _ledger_line(failed: Sequence[str]) -> str:
    if failed:
        return f"the ledger does not verify: {', '.join(failed)}"
    return "the ledger verifies, to the unit"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="short runs, two rounds")
    quick = parser.parse_args().quick
    # Log lines are written as in operation, and thrown away.
    with Path(os.devnull).open("w", encoding="utf-8") as sink:
        with redirect_stderr(sink):
            configure_logging(LogFormat.JSON, level=logging.INFO)
        is_kept = uvloop.run(main(seconds=1.5 if quick else 5.0, rounds=2 if quick else 3))
    sys.exit(0 if is_kept else 1)
