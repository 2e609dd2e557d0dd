"""The benchmarks measure what the program does today: small here, so that they keep step."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from benchmarks.policies import measure_decisions
from benchmarks.settlement_load import BY_POOL, FILL, settle_one
from registry.db.session import execute, fetch_one
from registry.ledger.invariants import verify_ledger
from tests.support.builders import install_rules
from tests.support.cluster import Database

A_CITY = 3


@pytest.mark.parametrize("rows", [60, 1_000])
def test_decisions_are_measured_over_every_verb_of_a_transfer(rows: int) -> None:
    found = measure_decisions(rows, 200, 2_000)

    assert 0 < found.yes < found.asked
    assert found.rows == pytest.approx(rows, rel=0.1)


@pytest.fixture
async def enterprises(database: Database, owner: asyncpg.Connection) -> AsyncIterator[int]:
    """How many there are in what is settled."""
    await install_rules(owner)
    await owner.execute(FILL.read_text())
    number = A_CITY * await owner.fetchval("SELECT count(*) FROM division WHERE level = 'city'")
    await owner.execute("SELECT bench.fill($1)", number)
    yield number
    assert [finding for finding in await verify_ledger() if not finding.is_satisfied] == []


async def test_the_cases_that_are_measured_settle(
    enterprises: int, owner: asyncpg.Connection
) -> None:
    for hot in (False, True):
        case: UUID = await owner.fetchval("SELECT bench.cases(1, $1, $2)", enterprises, hot)

        await settle_one(case)

        assert await fetch_one("SELECT state FROM transfer WHERE id = $1", case) == {
            "state": "settled"
        }


async def test_the_postings_that_are_measured_are_one_settlement_each(enterprises: int) -> None:
    await execute(BY_POOL, 1, enterprises)

    assert await fetch_one(
        "SELECT count(*) AS lines FROM posting JOIN entry ON entry.id = entry_id"
        " WHERE kind = 'settlement'"
    ) == {"lines": 2}
