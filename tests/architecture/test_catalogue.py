"""The database catalogue after the migrations: each constraint, trigger and unique index."""

import asyncpg

from registry.db.schema_fingerprints import fingerprint_check_sql
from registry.db.session import fetch_all
from tests.architecture.catalogue import GOLDEN, catalogue
from tests.support.cluster import Database


async def test_every_rule_the_database_keeps_is_there_and_listed(owner: asyncpg.Connection) -> None:
    expected = GOLDEN.read_text().splitlines()

    assert await catalogue(owner) == expected


async def test_the_shipped_fingerprints_are_those_of_the_migrations(database: Database) -> None:
    differing = await fetch_all(fingerprint_check_sql())

    assert not differing, "run `./dev run python -m tests.architecture.catalogue`"


async def test_every_append_only_table_is_marked_as_such(owner: asyncpg.Connection) -> None:
    tables = await owner.fetch(
        "SELECT DISTINCT tgrelid::regclass::text AS name FROM pg_trigger"
        " WHERE tgfoid = 'append_only'::regproc"
    )

    assert {"audit_entry", "rule_edition", "rule_line"} <= {table["name"] for table in tables}
