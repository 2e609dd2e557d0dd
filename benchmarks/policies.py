"""The cost of a decision with its facts, for growing numbers of viewers and rules.

    python -m benchmarks.policies [--quick]

It needs no database: viewers and transfers are made up, rule books of other sizes are made from the
shipped one. Every decision is one that some facts can allow, so that no empty cell improves the
figures. The command ends with 1 if the median is over its limit or Casbin is called again.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from casbin import Enforcer
from rich.console import Console
from rich.table import Table

from benchmarks.synthetic_rulebooks import (
    KIND,
    SHIPPED_BOOK,
    make_transfers,
    make_viewers,
    rulebook_of_size,
)
from policies.engine import Edition
from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.authorizer import Authorizer
from registry.access.principals import Viewer
from registry.transfers.facts import TRANSFER
from registry.transfers.records import Transfer

MEDIAN_MAX_US = 5.0
PEOPLE = (10, 1_000, 10_000, 100_000)
ROWS = (60, len(SHIPPED_BOOK.rules), 1_000, 10_000)
CASES = 20_000
"""Number of transfers, the same for any number of viewers."""

Question = tuple[Viewer, str, Transfer]


@dataclass(frozen=True, slots=True)
class CallTiming:
    """Microseconds a call.

    Median and 99th percentile are by the clock. The mean is processor time of calls in a row, to
    which other programs add nothing.
    """

    median: float
    p99: float
    mean: float

    def __str__(self) -> str:
        return f"{self.median:.2f} / {self.p99:.2f} / {self.mean:.2f}"


@dataclass(frozen=True, slots=True)
class DecisionMeasurement:
    """Result for one size of rule book and one number of viewers."""

    rows: int
    people: int
    build_ms: float
    decision: CallTiming
    casbin: int
    yes: int
    asked: int


def time_calls(call: Callable[..., object], arguments: Iterable[tuple[Any, ...]]) -> CallTiming:
    """The cost of a call, without the cost of reading the clock."""
    given, tick = list(arguments), time.perf_counter_ns
    idle = statistics.median(-tick() + tick() for _ in range(10_000))
    single = []
    for each in given:
        began = tick()
        call(*each)
        single.append(tick() - began - idle)
    began = time.process_time_ns()
    for each in given:
        call(*each)
    mean = (time.process_time_ns() - began) / len(given)
    single.sort()
    return CallTiming(
        statistics.median(single) / 1000, single[len(single) * 99 // 100] / 1000, mean / 1000
    )


@contextmanager
def count_casbin_calls() -> Iterator[list[int]]:
    """The number of calls of Casbin in the context, in a list of one."""
    real, calls = Enforcer.enforce_ex, [0]

    def asked(self: Enforcer, *request: object) -> object:
        calls[0] += 1
        return real(self, *request)

    Enforcer.enforce_ex = asked
    try:
        yield calls
    finally:
        Enforcer.enforce_ex = real


def random_questions(book: RuleBook, number: int, asked: int, rng: random.Random) -> list[Question]:
    """Random decisions of viewers on transfers, each one that some facts can allow."""
    viewers = make_viewers(number, rng)
    records = make_transfers(CASES, viewers, rng)
    verbs = [verb.name for verb in VOCABULARY.kinds[KIND].verbs]
    verbs_by_role = {
        role: [verb for verb in verbs if book.rules_for_role(role, KIND, verb)]
        for role in VOCABULARY.roles
    }
    able = [viewer for viewer in viewers if verbs_by_role[viewer.role]]
    drawn = (rng.choice(able) for _ in range(asked))
    return [(who, rng.choice(verbs_by_role[who.role]), rng.choice(records)) for who in drawn]


def measure_decisions(rows: int, number: int, asked: int) -> DecisionMeasurement:
    """Decisions under a rule book of ``rows`` rows among ``number`` viewers, all caches full."""
    rng = random.Random(f"{rows} {number}")  # noqa: S311 - the same questions in every run
    book, authorizer = rulebook_of_size(rows), Authorizer()
    questions = random_questions(book, number, asked, rng)
    began = time.process_time()
    authorizer.activate(Edition(book, 1))
    build_ms = (time.process_time() - began) * 1000

    def decide(viewer: Viewer, verb: str, record: Transfer) -> object:
        return authorizer.authorize(viewer, TRANSFER, verb, record)

    yes = sum(bool(decide(*question)) for question in questions)
    with count_casbin_calls() as calls:
        found = time_calls(decide, questions)
    return DecisionMeasurement(
        len(book.rules), number, build_ms, found, calls[0], yes, 2 * len(questions)
    )


def measure_decision_table(asked: int, console: Console) -> list[DecisionMeasurement]:
    """The table of decisions: first the viewers grow, then the rule book."""
    sizes = [(len(SHIPPED_BOOK.rules), number) for number in PEOPLE]
    sizes += [(rows, PEOPLE[-1]) for rows in ROWS if rows != len(SHIPPED_BOOK.rules)]
    found = [measure_decisions(rows, number, asked) for rows, number in sizes]
    table = Table(
        "rows",
        "people",
        "edition, CPU ms",
        "decision with its facts, µs: median / p99 / mean of CPU",
        "Casbin asked",
        "allowed",
        title=f"{asked:,} decisions on transfers, twice",
    )
    for each in found:
        table.add_row(
            f"{each.rows:,}",
            f"{each.people:,}",
            f"{each.build_ms:.0f}",
            str(each.decision),
            f"{each.casbin} of {each.asked:,}",
            f"{200 * each.yes / each.asked:.0f} %",
        )
    console.print(table)
    return found


def measure_filter_table(asked: int, console: Console) -> None:
    """The table of row filters and of the verbs that an object offers."""
    rng = random.Random(0)  # noqa: S311 - the same in every run
    questions = random_questions(SHIPPED_BOOK, 1_000, asked, rng)
    authorizer = Authorizer()
    began = time.process_time()
    authorizer.activate(Edition(SHIPPED_BOOK, 1))
    entries = authorizer.edition.build_tables()
    filled_ms = (time.process_time() - began) * 1000
    table = Table(
        "under the shipped book", "µs: median / p99 / mean of CPU", title="Built on decisions"
    )

    def first(role: str, verb: str) -> object:
        viewer = next(who for who, _, _ in questions if who.role == role)
        return authorizer.row_filter(viewer, TRANSFER, verb)

    cold = time_calls(
        lambda role, verb: _with_cold_filters(authorizer, first, role, verb),
        [("city", "approve")] * 50,
    )
    table.add_row("row filter «city approve», first time in an edition", str(cold))
    rows = [(who, TRANSFER, verb) for who, verb, _ in questions]
    table.add_row("row filter, any verb, thereafter", str(time_calls(authorizer.row_filter, rows)))
    whole = [(who, TRANSFER, record) for who, _, record in questions[: asked // 10]]
    table.add_row(
        "availableActions of one transfer", str(time_calls(authorizer.available_verbs, whole))
    )
    console.print(table)
    console.print(
        f"all {entries:,} entries of the shipped book asked of Casbin: {filled_ms:.0f} ms"
    )


def _with_cold_filters(
    authorizer: Authorizer, call: Callable[[str, str], object], role: str, verb: str
) -> object:
    """Call with no filter in the cache; decisions are in it."""
    authorizer.edition._residual_conditions.clear()  # noqa: SLF001 - nothing public empties this cache
    return call(role, verb)


def main() -> int:
    """Measure and print; 1 if a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the questions")
    asked = 10_000 if parser.parse_args().quick else 60_000
    console = Console()
    found = measure_decision_table(asked, console)
    measure_filter_table(asked, console)
    slow = [each for each in found if each.decision.median > MEDIAN_MAX_US]
    over_called = [each for each in found if each.casbin]
    return 1 if slow or over_called else 0


if __name__ == "__main__":
    sys.exit(main())
