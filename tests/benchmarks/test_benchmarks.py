"""The benchmarks run against the program of today, on few data."""

import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

from benchmarks.__main__ import BENCHMARKS, commands, run_all
from benchmarks.policies import measure_decisions
from benchmarks.settlement_load import (
    APPROVE,
    BY_POOL,
    FILL,
    QUALIFY,
    SETTLE,
    MeasuredOperation,
    ReadyTransfer,
)
from registry.concepts import verify_registry
from registry.db.session import execute, fetch_one
from registry.transfers.rules import State
from tests.support.builders import install_rules
from tests.support.cluster import Database

A_CITY = 3


@pytest.mark.parametrize("rows", [60, 1_000])
def test_decisions_are_measured_over_every_verb_of_a_transfer(rows: int) -> None:
    measured = measure_decisions(rows, 200, 2_000)

    assert 0 < measured.yes < measured.asked
    assert measured.rows == pytest.approx(rows, rel=0.1)


def test_one_command_runs_every_benchmark() -> None:
    own, both = (commands(quick=True, against=other) for other in (None, Path()))

    assert list(own) == list(BENCHMARKS)
    assert list(both) == [*BENCHMARKS, "two checkouts"]
    assert all(find_spec(program[2]) for program in both.values())
    assert all(program[-1] == "--quick" for program in both.values())


def test_a_failing_benchmark_does_not_stop_the_others() -> None:
    failing, fine = ([sys.executable, "-c", f"raise SystemExit({code})"] for code in (3, 0))

    assert run_all([("failing", failing), ("fine", fine)]) == {"failing": 3, "fine": 0}


@pytest.fixture
async def enterprises(database: Database, owner: asyncpg.Connection) -> AsyncIterator[int]:
    """The number of enterprises that trade."""
    await install_rules(owner)
    await owner.execute(FILL.read_text())
    number = A_CITY * await owner.fetchval("SELECT count(*) FROM division WHERE level = 'city'")
    await owner.execute("SELECT bench.fill($1)", number)
    yield number
    assert [finding for finding in await verify_registry() if not finding.is_satisfied] == []


@pytest.mark.parametrize("hot", [False, True], ids=["random", "hot"])
@pytest.mark.parametrize(
    ("measured", "after"),
    [(SETTLE, State.SETTLED), (QUALIFY, State.ELIGIBLE), (APPROVE, State.APPROVED)],
    ids=["settle", "qualify", "approve"],
)
async def test_the_measured_operations_succeed(
    enterprises: int,
    owner: asyncpg.Connection,
    measured: MeasuredOperation,
    after: State,
    *,
    hot: bool,
) -> None:
    row = await owner.fetchrow(
        "SELECT * FROM bench.make_transfers(1, $1, $2, $3)", enterprises, measured.state, hot
    )
    assert row is not None
    transfer = ReadyTransfer(row["transfer_id"], row["seller_city"])

    await measured.perform(transfer)

    assert await fetch_one("SELECT state FROM transfer WHERE id = $1", transfer.id) == {
        "state": after
    }


async def test_the_postings_that_are_measured_are_one_settlement_each(enterprises: int) -> None:
    await execute(BY_POOL, 1, enterprises)

    assert await fetch_one(
        "SELECT count(*) AS lines FROM posting JOIN entry ON entry.id = entry_id"
        " WHERE kind = 'settlement'"
    ) == {"lines": 2}
