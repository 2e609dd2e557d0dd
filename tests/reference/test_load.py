import shutil
from pathlib import Path

import asyncpg
import pytest

from registry.db.session import execute
from seeds.reference.loader import load_reference
from seeds.reference.tables import FOLDER, REFERENCE_TABLES, ReferenceDataError, read_tables
from tests.support.cluster import Database

TABLES = tuple(dict.fromkeys(sheet.table for sheet in REFERENCE_TABLES))


async def empty_tables(owner: asyncpg.Connection) -> None:
    for table in reversed(TABLES):
        await owner.execute(f"DELETE FROM {table}")


async def read_all_tables(owner: asyncpg.Connection) -> dict[str, list[asyncpg.Record]]:
    return {
        table: await owner.fetch(f"SELECT t.*, xmin FROM {table} t ORDER BY 1") for table in TABLES
    }


async def test_every_row_of_every_file_is_loaded(owner: asyncpg.Connection) -> None:
    await empty_tables(owner)

    changed = await load_reference(owner)

    assert changed == {file: len(lines) for file, lines in read_tables().items()}
    assert sum(changed.values()) == sum(
        [await owner.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES]
    )


async def test_loading_twice_changes_nothing(owner: asyncpg.Connection) -> None:
    await load_reference(owner)
    before = await read_all_tables(owner)

    changed = await load_reference(owner)

    assert set(changed.values()) == {0}
    assert await read_all_tables(owner) == before


async def test_a_corrected_cell_corrects_its_row_alone(
    owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await load_reference(owner)
    folder = Path(shutil.copytree(FOLDER, tmp_path / "reference"))
    path = folder / "river_systems.csv"
    path.write_text(path.read_text("utf-8").replace("Daqing", "Daqinghe"), "utf-8")

    changed = await load_reference(owner, folder)

    assert {file: count for file, count in changed.items() if count} == {"river_systems.csv": 1}


async def test_a_figure_that_runs_into_a_row_no_longer_in_the_file_is_refused(
    owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await load_reference(owner)
    folder = Path(shutil.copytree(FOLDER, tmp_path / "reference"))
    path = folder / "base_prices.csv"
    text = path.read_text("utf-8").replace("SO2,2018-01-01", "SO2,2018-02-01")
    path.write_text(text.replace("SO2,2016-01-01,2017-12-31", "SO2,2016-01-01,2018-01-31"), "utf-8")

    # The row that began on 1 January 2018 is still there: rows are never removed.
    with pytest.raises(ReferenceDataError, match=r"base_prices\.csv: .*parameter_no_overlap"):
        await load_reference(owner, folder)


async def test_what_the_database_refuses_leaves_nothing_behind(
    owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await load_reference(owner)
    before = await read_all_tables(owner)
    folder = Path(shutil.copytree(FOLDER, tmp_path / "reference"))
    cities, parameters = folder / "cities.csv", folder / "parameters.csv"
    cities.write_text(cities.read_text("utf-8").replace("Langfang", "Lang Fang"), "utf-8")
    parameters.write_text(
        parameters.read_text("utf-8").replace(",5,years,", ",five,years,"), "utf-8"
    )

    with pytest.raises(ReferenceDataError, match=r"parameters\.csv: .*parameter_value"):
        await load_reference(owner, folder)

    assert await read_all_tables(owner) == before


INVALID = {
    "division_parent": "UPDATE division SET city = '130100' WHERE code = '130000'",
    "division_city": "UPDATE division SET city = '999999' WHERE code = '130102'",
    "river_system_basin": "UPDATE river_system SET basin = 'yellow' WHERE code = 'liao'",
    "pollutant_enabled": "UPDATE pollutant SET enabled_from = NULL WHERE code = 'SO2'",
    "industry_source_category": "UPDATE industry SET source_category = 'x' WHERE code = '3110'",
    "holiday_make_up_weekend": "UPDATE holiday SET kind = 'make_up' WHERE day = '2022-06-03'",
    "parameter_area": "UPDATE parameter SET area = '999999' WHERE name = 'acceptance_days'",
    "parameter_pollutant": "UPDATE parameter SET pollutant = 'X' WHERE name = 'acceptance_days'",
    "parameter_unknown": "UPDATE parameter SET value = NULL WHERE name = 'validity_years'",
    "parameter_value": "UPDATE parameter SET value = '-5' WHERE name = 'validity_years'",
    "parameter_period": "UPDATE parameter SET effective_until = '2001-01-01'"
    " WHERE name = 'validity_years'",
    "parameter_no_overlap": "UPDATE parameter SET effective_until = '2026-01-01'"
    " WHERE name = 'cross_region_regime' AND effective_from = '2016-01-01'",
}


async def test_impossible_rows_are_refused_by_the_database(owner: asyncpg.Connection) -> None:
    refused = {}
    for statement in INVALID.values():
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as error:
            await owner.execute(statement)
        refused[error.value.constraint_name] = statement

    assert refused == INVALID


async def test_the_application_reads_reference_data_and_cannot_write_it(
    database: Database,
) -> None:
    for table in TABLES:
        for write in (f"DELETE FROM {table}", f"UPDATE {table} SET demo = true"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await execute(write)
        assert await execute(f"SELECT * FROM {table}") > 0
