"""Writes seeds/reference/*.csv into the reference tables: all or nothing, and repeatable."""

import json
from pathlib import Path

import asyncpg

from seeds.reference.tables import FOLDER, SHEETS, Line, ReferenceRefused, Sheet, read_sheets


async def load_reference(connection: asyncpg.Connection, folder: Path = FOLDER) -> dict[str, int]:
    """Bring the reference tables to what the files say, all or nothing.

    Rows are added or corrected, never removed; a second run changes nothing.

    Args:
        connection: as the owner of the tables, after ``migrate``.
        folder: where the files are.

    Returns:
        For each file, how many rows were added or corrected.

    Raises:
        ReferenceRefused: a file is not as it must be, or the database refuses what it says.

    """
    read = read_sheets(folder)
    async with connection.transaction():
        return {sheet.file: await _write(connection, sheet, read[sheet.file]) for sheet in SHEETS}


async def _write(connection: asyncpg.Connection, sheet: Sheet, lines: list[Line]) -> int:
    columns = await _columns(connection, sheet.table)
    try:
        status = await connection.execute(
            _upsert(sheet, columns), json.dumps([line.row for line in lines])
        )
        # What is deferred to the commit is judged while the file is still known.
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
        raise ReferenceRefused(f"{sheet.file}: {error} {error.detail or ''}".rstrip()) from error
    return int(status.rpartition(" ")[2])


async def _columns(connection: asyncpg.Connection, table: str) -> list[str]:
    found = await connection.fetch(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = $1::text::regclass AND attnum > 0"
        " AND NOT attisdropped AND attgenerated = ''"
        " ORDER BY attnum",
        table,
    )
    return [column["attname"] for column in found]


def _upsert(sheet: Sheet, columns: list[str]) -> str:
    listed = ", ".join(columns)
    stored = ", ".join(f"{sheet.table}.{column}" for column in columns)
    offered = ", ".join(f"excluded.{column}" for column in columns)
    # All names come from SHEETS and the catalogue.
    return (
        f"INSERT INTO {sheet.table} ({listed})"  # noqa: S608
        f" SELECT {listed} FROM jsonb_populate_recordset(NULL::{sheet.table}, $1::text::jsonb)"
        f" ON CONFLICT ({', '.join(sheet.key)}) DO UPDATE SET ({listed}) = ROW ({offered})"
        f" WHERE ({stored}) IS DISTINCT FROM ({offered})"
    )
