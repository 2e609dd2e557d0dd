"""Writes seeds/reference/*.csv into the reference tables: all or nothing, and repeatable."""

import json
from pathlib import Path

import asyncpg

from seeds.reference.tables import (
    FOLDER,
    REFERENCE_TABLES,
    ReferenceDataError,
    ReferenceRow,
    ReferenceTable,
    read_tables,
)


async def load_reference(connection: asyncpg.Connection, folder: Path = FOLDER) -> dict[str, int]:
    """Bring the reference tables up to date with the files, all or nothing.

    Rows are added or corrected, never removed; a second run changes nothing.

    Args:
        connection: as the owner of the tables, after ``migrate``.
        folder: where the files are.

    Returns:
        For each file, the number of rows added or corrected.

    Raises:
        ReferenceDataError: a file is invalid, or the database refuses a row.

    """
    rows = read_tables(folder)
    async with connection.transaction():
        return {
            table.file: await _write(connection, table, rows[table.file])
            for table in REFERENCE_TABLES
        }


async def _write(
    connection: asyncpg.Connection, table: ReferenceTable, rows: list[ReferenceRow]
) -> int:
    columns = await _columns(connection, table.table)
    try:
        status = await connection.execute(
            _upsert(table, columns), json.dumps([row.row for row in rows])
        )
        # Checks deferred constraints now: at the commit the file is no longer known.
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
        raise ReferenceDataError(f"{table.file}: {error} {error.detail or ''}".rstrip()) from error
    return int(status.rpartition(" ")[2])


async def _columns(connection: asyncpg.Connection, table: str) -> list[str]:
    columns = await connection.fetch(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = $1::text::regclass AND attnum > 0"
        " AND NOT attisdropped AND attgenerated = ''"
        " ORDER BY attnum",
        table,
    )
    return [column["attname"] for column in columns]


def _upsert(table: ReferenceTable, columns: list[str]) -> str:
    listed = ", ".join(columns)
    stored = ", ".join(f"{table.table}.{column}" for column in columns)
    offered = ", ".join(f"excluded.{column}" for column in columns)
    # All names come from REFERENCE_TABLES and the catalog.
    return (
        f"INSERT INTO {table.table} ({listed})"  # noqa: S608
        f" SELECT {listed} FROM jsonb_populate_recordset(NULL::{table.table}, $1::text::jsonb)"
        f" ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET ({listed}) = ROW ({offered})"
        f" WHERE ({stored}) IS DISTINCT FROM ({offered})"
    )
