"""Runs the numbered SQL files of this folder, each once, in order, under a lock.

A file that was applied must not change; the table ``migration`` records its SHA-256.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from registry.db.migrations.grants import Grants, apply_grants

FOLDER = Path(__file__).parent
FILE_NAME = re.compile(r"\d{4}_[a-z_]+\.sql")
# Any number will do, as long as every node that migrates uses the same.
ADVISORY_LOCK_KEY = 0x6269616E

# The audit log was the table ``act`` in every schema before 1.0.
PREDATES_RELEASE = "SELECT to_regclass('public.act') IS NOT NULL AS predates"
PREDATES_RELEASE_MESSAGE = (
    "The schema of this database predates 1.0 and cannot be migrated: create an empty database."
    " `./dev demo --fresh` does so for the demonstration."
)


class MigrationError(Exception):
    """The database and the files disagree; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    name: str
    sql: str
    sha256: str


def load_migrations(folder: Path = FOLDER) -> list[Migration]:
    """The files of the folder in the order of their numbers."""
    paths = sorted(path for path in folder.glob("*.sql") if FILE_NAME.fullmatch(path.name))
    contents = [(path.stem, path.read_bytes()) for path in paths]
    return [
        Migration(name, content.decode(), hashlib.sha256(content).hexdigest())
        for name, content in contents
    ]


async def migrate(
    owner_url: str,
    application_role: str,
    grants: Grants,
    *,
    reader_role: str | None = None,
    folder: Path = FOLDER,
) -> list[str]:
    """Bring the database up to date and give the roles what they may do; the names newly applied.

    Raises:
        MigrationError: an applied file was edited or removed, a new one comes before it, or the
            schema predates 1.0.

    """
    connection = await asyncpg.connect(owner_url, server_settings={"application_name": "migrate"})
    try:
        if await connection.fetchval(PREDATES_RELEASE):
            raise MigrationError(PREDATES_RELEASE_MESSAGE)
        # Held by the session, so that two nodes that start together migrate one after the other.
        await connection.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK_KEY)
        pending = _pending_migrations(load_migrations(folder), await _applied_digests(connection))
        async with connection.transaction():
            for migration in pending:
                await _apply(connection, migration)
            await apply_grants(connection, grants, application_role, reader_role)
    finally:
        await connection.close()
    return [migration.name for migration in pending]


async def _applied_digests(connection: asyncpg.Connection) -> dict[str, str]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, sha256 text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    applied = await connection.fetch("SELECT name, sha256 FROM migration ORDER BY name")
    return {one["name"]: one["sha256"] for one in applied}


def _pending_migrations(files: list[Migration], applied: dict[str, str]) -> list[Migration]:
    by_name = {migration.name: migration for migration in files}
    for name, sha256 in applied.items():
        if name not in by_name:
            raise MigrationError(f"{name} was applied to this database and its file is gone.")
        if by_name[name].sha256 != sha256:
            raise MigrationError(f"{name} was edited after it was applied; add a new file.")
    pending = [migration for migration in files if migration.name not in applied]
    if pending and applied and pending[0].name < max(applied):
        raise MigrationError(f"{pending[0].name} comes before files that were already applied.")
    return pending


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        await connection.execute(migration.sql)
    except asyncpg.PostgresError as error:
        error.add_note(f"in {migration.name}.sql")
        raise
    await connection.execute(
        "INSERT INTO migration (name, sha256) VALUES ($1, $2)", migration.name, migration.sha256
    )
