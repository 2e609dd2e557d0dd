"""Runs pgbench, the load generator that comes with PostgreSQL."""

import asyncio
import math
import os
import re
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from server.postgres import embedded

WARM_SECONDS = 1
"""Seconds not counted: each connection prepares its statements."""

# The program of the installation whose server is used.
_PROGRAM = embedded._site_packages() / embedded.WHEEL / f"pginstall{embedded.VERSION}/bin/pgbench"  # noqa: SLF001
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_TRANSACTIONS = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)
_PROGRESS = re.compile(r"^progress: [0-9.]+ s, ([0-9.]+) tps", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PgbenchResult:
    """Result of a run.

    Attributes:
        transactions: number of transactions, those of the first second among them.
        rate: transactions a second, without the first second.
        average_ms: mean latency.

    """

    transactions: int
    rate: float
    average_ms: float


@dataclass(frozen=True, slots=True)
class PgbenchJob:
    """One run of pgbench with prepared statements.

    Attributes:
        url: the database.
        files: scripts; each transaction runs one of them, at random.
        settings: settings of every connection.
        variables: variables of the scripts.
        connections: number of connections.

    """

    url: str
    files: Sequence[Path]
    settings: Mapping[str, str]
    connections: int
    variables: Mapping[str, str]

    async def run(self, *, seconds: float = 1.0, times: int = 0) -> PgbenchResult:
        """Run for a number of seconds, or ``times`` times on each connection.

        Raises:
            RuntimeError: pgbench failed; the message has its errors.

        """
        last = WARM_SECONDS + max(1, math.ceil(seconds))
        length = (f"--transactions={times}",) if times else (f"--time={last}", "--progress=1")
        options = " ".join(f"-c {name}={value}" for name, value in self.settings.items())
        running = await asyncio.create_subprocess_exec(
            *self._program(),
            *length,
            self.url,
            env={**os.environ, "PGOPTIONS": options},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        output, errors = (text.decode() for text in await running.communicate())
        if running.returncode:
            raise RuntimeError(f"pgbench failed: {errors[-1000:]}")
        transactions, rate, latency = (
            pattern.findall(output)[0] for pattern in (_TRANSACTIONS, _RATE, _LATENCY)
        )
        return PgbenchResult(int(transactions), warm_rate(errors) or float(rate), float(latency))

    def _program(self) -> list[str]:
        return [
            str(_PROGRAM),
            *("--no-vacuum", "--protocol=prepared"),
            *(f"--client={self.connections}", f"--jobs={min(2, self.connections)}"),
            *(f"--define={name}={value}" for name, value in self.variables.items()),
            *(f"--file={file}" for file in self.files),
        ]


def warm_rate(progress: str) -> float | None:
    """The mean rate of a run after its first second; None for a run without progress lines."""
    rates = [float(rate) for rate in _PROGRESS.findall(progress)]
    return statistics.fmean(rates[WARM_SECONDS:]) if len(rates) > WARM_SECONDS else None
