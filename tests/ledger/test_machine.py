"""Random commands against PostgreSQL: the model foretells each, every invariant holds after it."""

from collections import Counter

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from registry.kernel.errors import Code
from tests.ledger.machine_commands import LedgerMachine
from tests.ledger.machine_fixture import LedgerDatabase, open_ledger_database
from tests.support.cluster import Server

PARTS, COMMANDS = 100, 10_000
# One seed in two leaves something out, and which one does differs with the modules loaded, whose
# constants Hypothesis draws. But three seeds in four see each command and each refusal.
SEEDS_MAX = 12
REFUSALS = {
    Code.MALFORMED,
    Code.KEY_REUSED,
    Code.NOT_FOUND,
    Code.FORBIDDEN,
    Code.CONDITIONS_UNMET,
    Code.INSUFFICIENT,
    Code.FROZEN,
    Code.NOT_IN_FORCE,
    Code.DUPLICATE,
}
DONE = {
    "open_holding",
    "open_reserve",
    "block",
    "release",
    "refund",
    "payment",
    "record_payout",
    "settlement",
    "conversion",
    "expiry",
    "propose_reversal",
    "approve_reversal",
    "reject_reversal",
    "impose_freeze",
    "lift_freeze",
}


def run(
    database: LedgerDatabase, *, seed: int, examples: int, steps: int, stride: int = 1
) -> Counter[str]:
    """Let the machine run; how often which command ended how, and how often each of both."""
    seen: Counter[str] = Counter()
    body = {"database": database, "outcomes": seen, "stride": stride}
    run_state_machine_as_test(
        hypothesis.seed(seed)(type("SeededMachine", (LedgerMachine,), body)),
        settings=hypothesis.settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
    return seen


def outcomes_missing(seen: Counter[str]) -> set[str]:
    """Commands that were never done and refusals that were never met."""
    ends = {end.rpartition(" ")[2] for end in seen}
    return {f"{name} done" for name in DONE if not seen[f"{name} done"]} | (REFUSALS - ends)


@pytest.mark.timeout(600)  # To shrink what fails.
def test_the_ledger_does_what_the_model_foretells(server: Server, template: str) -> None:
    seen: Counter[str] = Counter()
    with open_ledger_database(server, template) as ground:
        for seed in range(SEEDS_MAX):
            seen += run(ground, seed=seed, examples=30, steps=35, stride=2)
            if not outcomes_missing(seen):
                break

    assert outcomes_missing(seen) == set()


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_million_random_commands(server: Server, template: str, part: int) -> None:
    """In parts, each of its own seed and in a database of its own."""
    sent = 0
    with open_ledger_database(server, template) as ground:
        while sent < COMMANDS:
            seed = part * COMMANDS + sent
            sent += run(ground, seed=seed, examples=20, steps=100, stride=10).total()
