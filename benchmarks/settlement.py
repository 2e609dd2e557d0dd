"""How fast settlements are written, beside pgbench running the same call of ``post_entry``.

    python -m benchmarks.settlement [--quick]

In a database of its own on a Unix socket: ``post_entry`` through the program's pool, the whole
operation ``settle_transfer`` through ``command``, the same as GraphQL over HTTP on loopback; 1 and
16 clients, random accounts and one hot account. Afterwards the ledger must verify. Read the
ratios, which come from one run: the rates are those of the machine. Ends with 1 where a floor is
not kept or the ledger does not verify.
"""

import argparse
import logging
import os
import statistics
import sys
from collections import defaultdict
from contextlib import redirect_stderr
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.cpu_profile import profile, statements
from benchmarks.settlement_load import METHODS, Load, Measurement, Population, cluster, populate
from registry.ledger.invariants import verify_ledger
from server.http.logs import configure_logging
from server.settings import LogFormat

FLOORS = {"post_entry": 0.6, "operation": 0.25}
"""Least share of pgbench's rate, at random accounts and 16 clients."""

LOADS = tuple(Load(clients, hot) for hot in (False, True) for clients in (1, 16))
FLOOR_LOAD = Load(16, is_single_seller=False)

Runs = dict[tuple[str, Load], list[Measurement]]


async def run_rounds(population: Population, *, seconds: float, rounds: int) -> Runs:
    """One measurement of each way and load in each round; the ways take turns."""
    found: Runs = defaultdict(list)
    for _ in range(rounds):
        for load in LOADS:
            for name, way in METHODS.items():
                found[name, load].append(await way(population, load, seconds))
    return found


def print_results(found: Runs, console: Console) -> dict[str, float]:
    """Print the medians; the ratios to pgbench at the load of the floors."""
    rates = {key: statistics.median(run.rate for run in each) for key, each in found.items()}
    spent = {
        key: statistics.median(run.processor_ms for run in each) for key, each in found.items()
    }
    table = Table("settlements / s", *map(str, LOADS), title="Medians, and the share of pgbench")
    processor = Table("processor ms", *map(str, LOADS), title="One settlement, database and all")
    for name in METHODS:
        shares = [(rates[name, load], rates[name, load] / rates["pgbench", load]) for load in LOADS]
        table.add_row(name, *(f"{rate:,.0f} ({share:.2f})" for rate, share in shares))
        processor.add_row(name, *(f"{spent[name, load]:.2f}" for load in LOADS))
    console.print(table, processor)
    return {name: rates[name, FLOOR_LOAD] / rates["pgbench", FLOOR_LOAD] for name in FLOORS}


async def print_cpu_profile(population: Population, console: Console) -> None:
    """Print where the time of one operation goes."""
    made, total = await statements(population)
    table = Table("statement", "ms", title=f"{len(made)} statements, {total:.2f} ms an operation")
    for text, milliseconds in made:
        table.add_row(text, f"{milliseconds:.3f}")
    console.print(table)
    shares = Table("where", "share", title="The process itself, by package")
    for where, share in await profile(population):
        shares.add_row(where, f"{share:.0%}")
    console.print(shares)


async def main(*, seconds: float, rounds: int) -> bool:
    """Whether all floors were kept and the ledger verifies."""
    console = Console()
    with cluster() as running:
        async with populate(running) as population:
            ratios = print_results(
                await run_rounds(population, seconds=seconds, rounds=rounds), console
            )
            await print_cpu_profile(population, console)
            unsound = [
                finding.check for finding in await verify_ledger() if not finding.is_satisfied
            ]
    short = [
        f"{name} {ratios[name]:.2f} < {floor}"
        for name, floor in FLOORS.items()
        if ratios[name] < floor
    ]
    console.print(f"below the floor: {', '.join(short) or 'nothing'}")
    console.print(f"the ledger does not verify: {', '.join(unsound) or 'it does, to the unit'}")
    return not short and not unsound


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under two minutes")
    quick = parser.parse_args().quick
    # Log lines are written as in operation, and read by nobody.
    with Path(os.devnull).open("w", encoding="utf-8") as nobody:
        with redirect_stderr(nobody):
            configure_logging(LogFormat.JSON, level=logging.INFO)
        kept = uvloop.run(main(seconds=1.5 if quick else 5.0, rounds=2 if quick else 3))
    sys.exit(0 if kept else 1)
