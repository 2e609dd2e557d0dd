"""Loading: twice, interrupted, elsewhere, from wrong files; and the clock of a demonstration."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from registry.db.session import row
from seeds.clock import start_clock, stop_clock
from seeds.csv_reader import SheetRefused
from seeds.demo.loader import Loaded, LoadingRefused, load_founding_day
from seeds.demo.scenario_columns import ENDS, FOLDER, SHEETS
from seeds.demo.scenario_csv import read_acts
from tests.seeds.registry_snapshot import count, standing
from tests.support.builders import an_organisation
from tests.support.builders import stop_clock as set_clock
from tests.support.cluster import Database
from tests.support.demo_databases import Told


async def test_loading_twice_changes_nothing(founded: Database) -> None:
    before = await standing()

    again = await load_founding_day(founded.owner_url)

    assert again.performed == 0
    assert await standing() == before


async def test_loading_twice_leaves_a_clock_that_runs(founded: Database) -> None:
    owner = await asyncpg.connect(founded.owner_url)
    await start_clock(owner)
    before = await row("SELECT reads, since FROM registry_clock")

    await load_founding_day(founded.owner_url)

    assert await row("SELECT reads, since FROM registry_clock") == before
    await owner.close()


@pytest.mark.parametrize(("after", "seconds"), [(40, 0.0), (150, 0.004), (290, 0.009)])
async def test_an_interrupted_load_goes_on_where_it_ended(
    database: Database, founding: Told, after: int, seconds: float
) -> None:
    await _interrupted(database, after, seconds)
    acts = await count("act")

    resumed = await load_founding_day(database.owner_url)

    assert after <= acts < after + 10
    assert resumed.performed == founding.loaded.performed - acts
    assert await standing() == founding.standing


async def _interrupted(database: Database, after: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()

    def progress(done: int, _all: int) -> None:
        if done == after:
            loop.call_later(seconds, loading.cancel)

    loading: asyncio.Task[Loaded] = asyncio.create_task(
        load_founding_day(database.owner_url, progress=progress)
    )
    with pytest.raises(asyncio.CancelledError):
        await loading


async def test_a_registry_that_has_begun_is_left_alone(database: Database) -> None:
    await an_organisation()
    before = await standing()

    with pytest.raises(LoadingRefused):
        await load_founding_day(database.owner_url)

    assert await standing() == before


async def test_an_unfinished_load_does_not_go_on_in_another_time(
    database: Database, owner: asyncpg.Connection
) -> None:
    await _interrupted(database, 100, 0.0)
    await set_clock(owner, datetime(2022, 6, 8, tzinfo=UTC))

    with pytest.raises(LoadingRefused):
        await load_founding_day(database.owner_url)


async def test_a_clock_that_was_started_runs_on_and_can_be_stopped(founded: Database) -> None:
    owner = await asyncpg.connect(founded.owner_url)
    await start_clock(owner)
    await asyncio.sleep(0.01)
    running = await row("SELECT registry_now() AS now")

    await stop_clock(owner)

    stopped = await row("SELECT registry_now() AS now, reads, since FROM registry_clock")
    assert running is not None
    assert stopped is not None
    assert ENDS < running["now"] <= stopped["now"]
    assert (stopped["reads"], stopped["since"]) == (stopped["now"], None)
    await owner.close()


WRONG = {
    "another column": ("reserves.csv", "id,at,by", "id,on,by", "the columns are"),
    "a missing cell": ("reserves.csv", ",SO2,", ",", "cells instead of"),
    "not a moment": ("reserves.csv", "2022-05-17 09:00", "2022-05-17", "is not a minute"),
    "no such body": ("reserves.csv", ",province,SO2", ",nobody,SO2", "nobody is not there yet"),
    "nobody known": ("reserves.csv", "demo-province-initiator,p", "demo-x,p", "demo-x is not"),
    "named too early": ("closures.csv", "2022-05-20", "2022-05-15", "is not there yet"),
    "twice": ("reserves.csv", "reserve-nox", "reserve-so2", "stands twice"),
    "no such act": ("founders.csv", "province,demo", "county,demo", "has no row county"),
    "no such step": ("transfer_steps.csv", "settle_transfer", "finish", "does not match"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    file, right, wrong, said = WRONG[case]
    folder = shutil.copytree(FOLDER, tmp_path / "founding")
    text = (folder / file).read_text(encoding="utf-8")
    assert right in text
    (folder / file).write_text(text.replace(right, wrong, 1), encoding="utf-8")

    with pytest.raises(SheetRefused, match=said) as refusal:
        read_acts(folder, SHEETS)

    assert str(refusal.value).startswith(file)
