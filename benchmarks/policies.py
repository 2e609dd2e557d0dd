"""Cost of a decision with its facts, by numbers of people and rules.

    python -m benchmarks.policies [--quick]

Without a database: people and cases are made up, rule books of other sizes are made of the shipped
one. Every question is put by `Gate.decide` to a cell in which something is ever allowed, so that no
empty cell flatters the figures. Ends with 1 where the median is over its limit or Casbin is asked
more often than to look over its own shoulder.
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

from benchmarks.books import KIND, SHIPPED_BOOK, make_transfers, make_viewers, rulebook_of_size
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
"""Always as many, so that nothing but the people grows."""

Question = tuple[Viewer, str, Transfer]


@dataclass(frozen=True, slots=True)
class CallTiming:
    """Microseconds a call.

    The half and the slowest hundredth are by the clock. The mean is of the processor's time for
    calls in a row, to which other programs add nothing.
    """

    median: float
    p99: float
    mean: float

    def __str__(self) -> str:
        return f"{self.median:.2f} / {self.p99:.2f} / {self.mean:.2f}"


@dataclass(frozen=True, slots=True)
class DecisionMeasurement:
    """The result for one size of the world."""

    rows: int
    people: int
    build_ms: float
    decision: CallTiming
    casbin: int
    yes: int
    asked: int


def time_calls(act: Callable[..., object], arguments: Iterable[tuple[Any, ...]]) -> CallTiming:
    """Cost of a call without the cost of reading the clock."""
    given, tick = list(arguments), time.perf_counter_ns
    idle = statistics.median(-tick() + tick() for _ in range(10_000))
    single = []
    for each in given:
        began = tick()
        act(*each)
        single.append(tick() - began - idle)
    began = time.process_time_ns()
    for each in given:
        act(*each)
    mean = (time.process_time_ns() - began) / len(given)
    single.sort()
    return CallTiming(
        statistics.median(single) / 1000, single[len(single) * 99 // 100] / 1000, mean / 1000
    )


@contextmanager
def count_casbin_calls() -> Iterator[list[int]]:
    """How often Casbin is asked meanwhile."""
    real, calls = Enforcer.enforce_ex, [0]

    def asked(self: Enforcer, *request: object) -> object:
        calls[0] += 1
        return real(self, *request)

    Enforcer.enforce_ex = asked
    try:
        yield calls
    finally:
        Enforcer.enforce_ex = real


def random_questions(
    book: RuleBook, number: int, asked: int, chance: random.Random
) -> list[Question]:
    """Random questions about transfers by ``people``, each to a cell that can allow."""
    viewers = make_viewers(number, chance)
    records = make_transfers(CASES, viewers, chance)
    verbs = [verb.name for verb in VOCABULARY.kinds[KIND].verbs]
    lively = {
        role: [verb for verb in verbs if book.rules_for_role(role, KIND, verb)]
        for role in VOCABULARY.roles
    }
    able = [viewer for viewer in viewers if lively[viewer.role]]
    drawn = (chance.choice(able) for _ in range(asked))
    return [(who, chance.choice(lively[who.role]), chance.choice(records)) for who in drawn]


def measure_decisions(rows: int, number: int, asked: int) -> DecisionMeasurement:
    """Decisions under a book of ``rows`` rows among ``people``, with warm tables."""
    chance = random.Random(f"{rows} {number}")  # noqa: S311 - the same questions in every run
    book, gate = rulebook_of_size(rows), Authorizer()
    put = random_questions(book, number, asked, chance)
    began = time.process_time()
    gate.activate(Edition(book, 1))
    build_ms = (time.process_time() - began) * 1000

    def decide(viewer: Viewer, verb: str, record: Transfer) -> object:
        return gate.authorize(viewer, TRANSFER, verb, record)

    yes = sum(bool(decide(*question)) for question in put)
    with count_casbin_calls() as calls:
        found = time_calls(decide, put)
    return DecisionMeasurement(
        len(book.rules), number, build_ms, found, calls[0], yes, 2 * len(put)
    )


def measure_decision_table(asked: int, console: Console) -> list[DecisionMeasurement]:
    """The table of decisions: people grow under the shipped book, then the book among many."""
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
    """The table of what is built on decisions: row filters, and the verbs an object offers."""
    chance = random.Random(0)  # noqa: S311 - likewise
    put = random_questions(SHIPPED_BOOK, 1_000, asked, chance)
    gate = Authorizer()
    began = time.process_time()
    gate.activate(Edition(SHIPPED_BOOK, 1))
    entries = gate.edition.build_tables()
    filled_ms = (time.process_time() - began) * 1000
    table = Table(
        "under the shipped book", "µs: median / p99 / mean of CPU", title="Built on decisions"
    )

    def first(role: str, verb: str) -> object:
        viewer = next(who for who, _, _ in put if who.role == role)
        return gate.row_filter(viewer, TRANSFER, verb)

    cold = time_calls(
        lambda role, verb: _with_cold_filters(gate, first, role, verb), [("city", "approve")] * 50
    )
    table.add_row("row filter «city approve», first time in an edition", str(cold))
    rows = [(who, TRANSFER, verb) for who, verb, _ in put]
    table.add_row("row filter, any verb, thereafter", str(time_calls(gate.row_filter, rows)))
    whole = [(who, TRANSFER, record) for who, _, record in put[: asked // 10]]
    table.add_row("availableActions of one transfer", str(time_calls(gate.available_verbs, whole)))
    console.print(table)
    console.print(
        f"all {entries:,} entries of the shipped book asked of Casbin: {filled_ms:.0f} ms"
    )


def _with_cold_filters(
    gate: Authorizer, act: Callable[[str, str], object], role: str, verb: str
) -> object:
    """As in an edition with filled tables and no computed filters."""
    gate.edition._residual_conditions.clear()  # noqa: SLF001 - the one way to forget
    return act(role, verb)


def main() -> int:
    """Measure, print, and say whether the limits are kept."""
    said = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    said.add_argument("--quick", action="store_true", help="a tenth of the questions")
    asked = 10_000 if said.parse_args().quick else 60_000
    console = Console()
    found = measure_decision_table(asked, console)
    measure_filter_table(asked, console)
    slow = [each for each in found if each.decision.median > MEDIAN_MAX_US]
    curious = [each for each in found if each.casbin > each.asked // 10_000]
    return 1 if slow or curious else 0


if __name__ == "__main__":
    sys.exit(main())
