"""Measures every figure of docs/performance.md, one benchmark after the other.

    python -m benchmarks [--quick] [--against DIR]

``--quick`` takes ten to fifteen minutes once the worlds exist. ``--against`` adds the comparison
with another checkout. A benchmark that fails does not stop the others. The last lines are the
verdicts; the command ends with 1 unless every benchmark ended with 0.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

_CHECK = "--check"
BENCHMARKS: dict[str, tuple[str, ...]] = {
    "deciding": ("benchmarks.policies",),
    "authentication": ("benchmarks.authentication",),
    "writing": ("benchmarks.settlement",),
    "reading": ("benchmarks.read", _CHECK),
}
"""Module and arguments of each benchmark, in the order of docs/performance.md."""


def commands(*, quick: bool, against: Path | None) -> dict[str, list[str]]:
    """The commands by name."""
    chosen = dict(BENCHMARKS)
    if against:
        chosen["two checkouts"] = ("benchmarks.read", _CHECK, "--against", str(against.resolve()))
    options = ["--quick"] if quick else []
    return {
        name: [sys.executable, "-m", *arguments, *options] for name, arguments in chosen.items()
    }


def run_all(programs: Iterable[tuple[str, list[str]]]) -> dict[str, int]:
    """Run the commands in turn; their exit statuses by name."""
    statuses = {}
    for name, program in programs:
        sys.stdout.write(f"\n== {name}: python {' '.join(program[1:])}\n")
        sys.stdout.flush()
        began = time.perf_counter()
        statuses[name] = subprocess.run(program, check=False).returncode  # noqa: S603 - our modules
        sys.stdout.write(f"-- {name}: {time.perf_counter() - began:.0f} s\n")
    return statuses


def main() -> int:
    """Run all benchmarks and print the verdicts."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="short runs")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout")
    options = parser.parse_args()
    sys.stdout.write(f"load average {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores\n")
    statuses = run_all(commands(quick=options.quick, against=options.against).items())
    sys.stdout.write("\n")
    for name, status in statuses.items():
        verdict = "every floor kept" if status == 0 else f"ended with {status}"
        sys.stdout.write(f"{name}: {verdict}\n")
    return 0 if not any(statuses.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
