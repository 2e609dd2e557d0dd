"""Loading: twice, interrupted, elsewhere, from wrong files; and the clock of a demonstration."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from registry.db.session import fetch_one
from seeds.clock import start_clock, stop_clock
from seeds.csv_reader import CsvError
from seeds.demo.loader import LoadError, LoadReport, load_founding_day
from seeds.demo.scenario_columns import ENDS_AT, FOLDER, TABLES
from seeds.demo.scenario_csv import read_steps
from tests.seeds.registry_snapshot import count_rows, take_snapshot
from tests.support.builders import create_organisation
from tests.support.builders import stop_clock as set_clock
from tests.support.cluster import Database
from tests.support.demo_databases import LoadedDemo


async def test_loading_twice_changes_nothing(founding_database: Database) -> None:
    before = await take_snapshot()

    again = await load_founding_day(founding_database.owner_url)

    assert again.executed == 0
    assert await take_snapshot() == before


async def test_loading_twice_leaves_a_clock_that_runs(founding_database: Database) -> None:
    owner = await asyncpg.connect(founding_database.owner_url)
    await start_clock(owner)
    before = await fetch_one("SELECT base_time, running_since FROM registry_clock")

    await load_founding_day(founding_database.owner_url)

    assert await fetch_one("SELECT base_time, running_since FROM registry_clock") == before
    await owner.close()


@pytest.mark.parametrize(("after", "seconds"), [(40, 0.0), (150, 0.004), (290, 0.009)])
async def test_an_interrupted_load_goes_on_where_it_ended(
    database: Database, founding_demo: LoadedDemo, after: int, seconds: float
) -> None:
    await _interrupt_load(database, after, seconds)
    acts = await count_rows("audit_entry")

    resumed = await load_founding_day(database.owner_url)

    assert after <= acts < after + 10
    assert resumed.executed == founding_demo.report.executed - acts
    assert await take_snapshot() == founding_demo.snapshot


async def _interrupt_load(database: Database, after: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()

    def progress(done: int, _all: int) -> None:
        if done == after:
            loop.call_later(seconds, loading.cancel)

    loading: asyncio.Task[LoadReport] = asyncio.create_task(
        load_founding_day(database.owner_url, progress=progress)
    )
    with pytest.raises(asyncio.CancelledError):
        await loading


async def test_a_registry_that_has_begun_is_left_alone(database: Database) -> None:
    await create_organisation()
    before = await take_snapshot()

    with pytest.raises(LoadError):
        await load_founding_day(database.owner_url)

    assert await take_snapshot() == before


async def test_an_unfinished_load_does_not_go_on_in_another_time(
    database: Database, owner: asyncpg.Connection
) -> None:
    await _interrupt_load(database, 100, 0.0)
    await set_clock(owner, datetime(2022, 6, 8, tzinfo=UTC))

    with pytest.raises(LoadError):
        await load_founding_day(database.owner_url)


async def test_a_clock_that_was_started_runs_on_and_can_be_stopped(
    founding_database: Database,
) -> None:
    owner = await asyncpg.connect(founding_database.owner_url)
    await start_clock(owner)
    await asyncio.sleep(0.01)
    running = await fetch_one("SELECT registry_now() AS now")

    await stop_clock(owner)

    stopped = await fetch_one(
        "SELECT registry_now() AS now, base_time, running_since FROM registry_clock"
    )
    assert running is not None
    assert stopped is not None
    assert ENDS_AT < running["now"] <= stopped["now"]
    assert (stopped["base_time"], stopped["running_since"]) == (stopped["now"], None)
    await owner.close()


WRONG = {
    "another column": ("reserves.csv", "id,at,by", "id,on,by", "the columns are"),
    "a missing cell": ("reserves.csv", ",SO2,", ",", "cells instead of"),
    "not a moment": ("reserves.csv", "2022-05-17 09:00", "2022-05-17", "is not a minute"),
    "no such body": ("reserves.csv", ",province,SO2", ",nobody,SO2", "nobody does not exist yet"),
    "nobody known": ("reserves.csv", "demo-province-initiator,p", "demo-x,p", "demo-x does not"),
    "named too early": ("closures.csv", "2022-05-20", "2022-05-15", "does not exist yet"),
    "twice": ("reserves.csv", "reserve-nox", "reserve-so2", "occurs twice"),
    "no such act": ("first_officers.csv", "province,demo", "county,demo", "has no row county"),
    "no such step": ("transfer_steps.csv", "settle_transfer", "finish", "does not match"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    file, right, wrong, said = WRONG[case]
    folder = shutil.copytree(FOLDER, tmp_path / "founding")
    text = (folder / file).read_text(encoding="utf-8")
    assert right in text
    (folder / file).write_text(text.replace(right, wrong, 1), encoding="utf-8")

    with pytest.raises(CsvError, match=said) as refusal:
        read_steps(folder, TABLES)

    assert str(refusal.value).startswith(file)
