"""Where the time of one settlement goes: its statements, and the packages of the process."""

import cProfile
import pstats
import re
import statistics
import time
from collections import defaultdict
from pathlib import Path

import asyncpg
from tortoise.connection import get_connections

from benchmarks.settlement_load import SETTLE, Load, Population
from registry.concepts import open_registry
from registry.db.session import close_database

SAMPLES = 300
SINGLE_CLIENT = Load(1, is_single_seller=False)
_PACKAGE = re.compile(r".*/(?:site-packages|python3\.\d+)/([a-z_]+)")
_HERE = Path(__file__).parent.parent


async def statements(population: Population) -> tuple[list[tuple[str, float]], float]:
    """The statements of a settlement in order with their median ms, and the median of the whole."""
    ready = await population.ensure_ready(SETTLE.state, SINGLE_CLIENT, 2 * SAMPLES)
    # One connection, so that its logger gets every statement.
    await close_database()
    await open_registry(population.application_url, maxsize=1)
    logged: list[tuple[str, float]] = []

    def log(query: asyncpg.connection.LoggedQuery) -> None:
        logged.append((" ".join(query.query.split())[:90], query.elapsed * 1000))

    runs, totals = [], []
    async with get_connections().get("default").acquire_connection() as connection:
        bare = connection._con  # noqa: SLF001 - a logger of the proxy ends with the proxy
    bare.add_query_logger(log)
    for _ in range(SAMPLES):
        logged.clear()
        began = time.perf_counter()
        await SETTLE.perform(ready.pop())
        totals.append((time.perf_counter() - began) * 1000)
        runs.append(list(logged))
    texts = [text for text, _ in runs[-1]]
    medians = [statistics.median(run[place][1] for run in runs) for place in range(len(texts))]
    return list(zip(texts, medians, strict=True)), statistics.median(totals)


async def profile(population: Population) -> list[tuple[str, float]]:
    """The share of each package in the processor time of this process, the largest first."""
    ready = await population.ensure_ready(SETTLE.state, SINGLE_CLIENT, SAMPLES)
    watching = cProfile.Profile(time.process_time)
    watching.enable()
    for _ in range(SAMPLES):
        await SETTLE.perform(ready.pop())
    watching.disable()
    spent: defaultdict[str, float] = defaultdict(float)
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(watching).stats.items():  # type: ignore[attr-defined]
        spent[_package(file, name)] += own
    whole = sum(spent.values())
    shares = sorted(((where, own / whole) for where, own in spent.items()), key=lambda s: -s[1])
    return [share for share in shares if share[1] >= 0.01]  # noqa: PLR2004 - one in a hundred


def _package(file: str, name: str) -> str:
    if file.startswith(str(_HERE)) and "site-packages" not in file:
        return f"ours: {Path(file).relative_to(_HERE).parts[0]}"
    if file == "~":
        return "waiting" if "select" in name or "poll" in name else "built-in functions"
    found = _PACKAGE.match(file)
    return found[1] if found else "standard library"
