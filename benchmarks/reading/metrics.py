"""From runs to medians, ratios and tables."""

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
"""Answers that are large enough for the database to be what they cost."""

Key = tuple[str, str, int]


class RunResults:
    """All runs, by contender and case."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, Key], list[Measurement]] = defaultdict(list)

    def add(self, name: str, case: BenchmarkCase, run: Measurement | None) -> None:
        """Keep a run; None where the contender had no part."""
        if run is not None:
            self._runs[name, case.key].append(run)

    def median(
        self, name: str, key: Key, of: Callable[[Measurement], float | None]
    ) -> float | None:
        """The median of a figure; None where there is none."""
        found = [figure for run in self._runs[name, key] if (figure := of(run)) is not None]
        return statistics.median(found) if found else None

    def ratio(
        self, key: Key, other: str, of: Callable[[Measurement], float | None] = lambda run: run.rate
    ) -> float | None:
        """Our median in shares of another's; None where one of them has none."""
        one, base = self.median(ours.NAME, key, of), self.median(other, key, of)
        return one / base if one is not None and base else None


def goal_ratios(
    runs: RunResults, queries: Sequence[str], personas: Sequence[str]
) -> dict[str, dict[str, float]]:
    """The ratios that have goals.

    PostGraphile is met as each sitter; an enterprise's answers are too small for what pgbench and
    the crowd are to show.
    """
    found: dict[str, dict[str, float]] = defaultdict(dict)

    def note(gauge: str, whose: str, ratio: float | None) -> None:
        if ratio is not None:
            found[gauge][whose] = ratio

    for query in queries:
        for sitter in personas:
            key = (query, sitter, RATIO_CONNECTIONS)
            note(f"postgraphile/{query}", sitter, runs.ratio(key, postgraphile.NAME))
    for query in AGAINST_PGBENCH:
        key = (query, personas[0], RATIO_CONNECTIONS)
        note(f"pgbench/{query}", personas[0], runs.ratio(key, pgbench.NAME))
        crowd = (query, personas[0], MANY_CONNECTIONS)
        p99 = runs.ratio(crowd, postgraphile.NAME, lambda run: run.p99_ms)
        note(f"p99/{query}", personas[0], p99)
    return found


def table(
    runs: RunResults, names: Sequence[str], cases: Sequence[BenchmarkCase], persona: str
) -> Table:
    """Rates, times and processor time of one sitter's cases."""
    loads = sorted({case.connections for case in cases})
    shown = Table(
        "query",
        "contender",
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
    times = [runs.median(name, key, lambda run: run.p50_ms)]
    times.append(runs.median(name, key, lambda run: run.p99_ms))
    said = " / ".join(f"{one:.3g}" for one in times if one is not None)
    return f"{rate:,.0f} ({said})"
