"""Medians, ratios and tables of measurements."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence

from rich import box
from rich.table import Table

from benchmarks.reading import ours, pgbench, postgraphile
from benchmarks.reading.comparison import BenchmarkCase, Measurement

RATIO_CONNECTIONS = 16
MANY_CONNECTIONS = 64
AGAINST_PGBENCH = ("page", "feed")
"""Queries whose answers are large enough for the database to be most of the cost."""

Key = tuple[str, str, int]
Figure = Callable[[Measurement], float | None]


class RunResults:
    """All runs, by competitor and case."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, Key], list[Measurement]] = defaultdict(list)

    def add(self, name: str, case: BenchmarkCase, run: Measurement | None) -> None:
        """Keep a run; None if the competitor had no part in the case."""
        if run is not None:
            self._runs[name, case.key].append(run)

    def median(self, name: str, key: Key, of: Figure) -> float | None:
        """The median of a figure; None if there is none."""
        figures = [figure for run in self._runs[name, key] if (figure := of(run)) is not None]
        return statistics.median(figures) if figures else None

    def ratio(
        self, key: Key, other: str, of: Figure = lambda run: run.rate, name: str = ours.NAME
    ) -> float | None:
        """Our median divided by another's; None if one of them has none."""
        one, base = self.median(name, key, of), self.median(other, key, of)
        return one / base if one is not None and base else None


def goal_ratios(
    runs: RunResults, queries: Sequence[str], personas: Sequence[str]
) -> dict[str, dict[str, float]]:
    """The ratios that have goals, by gauge.

    The first persona is the city. An enterprise's answers are small: only its ratios to
    PostGraphile are gauged, all under one gauge.
    """
    gauges: dict[str, dict[str, float]] = defaultdict(dict)

    def note(gauge: str, label: str, ratio: float | None) -> None:
        if ratio is not None:
            gauges[gauge][label] = ratio

    city, *others = personas
    for query in queries:
        key = (query, city, RATIO_CONNECTIONS)
        note(f"postgraphile/{query}", city, runs.ratio(key, postgraphile.NAME))
        for persona in others:
            key = (query, persona, RATIO_CONNECTIONS)
            note(f"postgraphile/{persona}", query, runs.ratio(key, postgraphile.NAME))
    for query in AGAINST_PGBENCH:
        key = (query, city, RATIO_CONNECTIONS)
        note(f"pgbench/{query}", city, runs.ratio(key, pgbench.NAME))
        many = (query, city, MANY_CONNECTIONS)
        note(f"p99/{query}", city, runs.ratio(many, postgraphile.NAME, of=lambda run: run.p99_ms))
    return gauges


def table(
    runs: RunResults, names: Sequence[str], cases: Sequence[BenchmarkCase], persona: str
) -> Table:
    """Rates, latencies and processor time of one persona's cases."""
    loads = sorted({case.connections for case in cases})
    shown = Table(
        "query",
        "server",
        *(f"c{connections}: answers/s, p50 / p99 ms" for connections in loads),
        f"c{RATIO_CONNECTIONS}: ours is",
        "processor ms",
        title=f"As {persona}: medians",
        box=box.MARKDOWN,
    )
    for query in dict.fromkeys(case.query.name for case in cases):
        for name in names:
            key = (query, persona, RATIO_CONNECTIONS)
            cells = [_cell(runs, name, (query, persona, connections)) for connections in loads]
            if not any(cells):
                continue
            ratio = runs.ratio(key, name) if name != ours.NAME else None
            processor = runs.median(name, key, lambda run: run.processor_ms)
            shown.add_row(
                query,
                name,
                *cells,
                "" if ratio is None else f"{ratio:.2f}",
                "" if processor is None else f"{processor:.3f}",
            )
    return shown


def _cell(runs: RunResults, name: str, key: Key) -> str:
    rate = runs.median(name, key, lambda run: run.rate)
    if rate is None:
        return ""
    times = [
        runs.median(name, key, lambda run: run.p50_ms),
        runs.median(name, key, lambda run: run.p99_ms),
    ]
    latencies = " / ".join(f"{one:.3g}" for one in times if one is not None)
    return f"{rate:,.0f} ({latencies})"
