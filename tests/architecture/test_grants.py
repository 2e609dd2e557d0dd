"""Privileges of each database role, read from the catalogue."""

import asyncio

import asyncpg
import pytest

from registry.concepts import GRANTS
from registry.db.migrations.runner import (
    ADVISORY_LOCK_KEY,
    MigrationError,
    load_migrations,
    migrate,
)
from tests.support.cluster import Database, Server
from tests.support.waiting import wait_until_blocked

WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")


async def test_every_table_has_its_grant_and_every_grant_its_table(
    owner: asyncpg.Connection,
) -> None:
    tables = await owner.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " UNION ALL SELECT viewname FROM pg_views WHERE schemaname = 'public'"
    )

    assert {table["tablename"] for table in tables} - {"migration"} == set(GRANTS.tables)


async def test_every_granted_function_exists(owner: asyncpg.Connection) -> None:
    functions = await owner.fetch(
        "SELECT name FROM unnest($1::text[]) name WHERE to_regprocedure(name) IS NULL",
        [*GRANTS.functions, *GRANTS.writing_functions],
    )

    assert functions == []


@pytest.mark.parametrize("table", ["posting", "balance", "entry"])
@pytest.mark.parametrize("privilege", WRITES)
async def test_the_application_writes_no_ledger_table(
    owner: asyncpg.Connection, server: Server, table: str, privilege: str
) -> None:
    assert not await _may(owner, server.application_role, table, privilege)


@pytest.mark.parametrize("privilege", ["UPDATE", "DELETE", "TRUNCATE"])
async def test_the_application_never_changes_an_audit_entry(
    owner: asyncpg.Connection, server: Server, privilege: str
) -> None:
    assert not await _may(owner, server.application_role, "audit_entry", privilege)


async def test_the_reader_writes_nothing(owner: asyncpg.Connection, server: Server) -> None:
    found = [
        (table, privilege)
        for table in GRANTS.tables
        for privilege in WRITES
        if await _may(owner, server.reader_role, table, privilege)
    ]

    assert found == []


async def test_the_application_is_neither_superuser_nor_owner(
    owner: asyncpg.Connection, server: Server
) -> None:
    owned = await owner.fetchval(
        "SELECT count(*) FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner WHERE rolname = $1",
        server.application_role,
    )
    superuser = await owner.fetchval(
        "SELECT rolsuper FROM pg_roles WHERE rolname = $1", server.application_role
    )

    assert (owned, superuser) == (0, False)


async def test_migrating_again_applies_nothing(clone: Database, server: Server) -> None:
    assert await migrate(clone.owner_url, server.application_role, GRANTS) == []


async def test_an_edited_applied_file_is_refused(
    clone: Database, server: Server, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE migration SET sha256 = repeat('0', 64) WHERE name = '0001_shared'")

    with pytest.raises(MigrationError, match="0001_shared"):
        await migrate(clone.owner_url, server.application_role, GRANTS)


async def test_a_schema_before_1_0_is_refused_with_the_way_out(
    clone: Database, server: Server, owner: asyncpg.Connection
) -> None:
    await owner.execute("ALTER TABLE audit_entry RENAME TO act")

    with pytest.raises(MigrationError, match=r"predates 1\.0 .*`\./dev demo --fresh`"):
        await migrate(clone.owner_url, server.application_role, GRANTS)


async def test_a_second_node_waits_until_the_first_has_migrated(
    clone: Database, server: Server, owner: asyncpg.Connection
) -> None:
    await owner.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK_KEY)

    second = asyncio.create_task(migrate(clone.owner_url, server.application_role, GRANTS))
    await wait_until_blocked(owner)

    await owner.execute("SELECT pg_advisory_unlock($1)", ADVISORY_LOCK_KEY)
    assert await second == []


def test_migrations_are_numbered_without_gap() -> None:
    numbers = [int(migration.name[:4]) for migration in load_migrations()]

    assert numbers == list(range(1, len(numbers) + 1))


async def _may(owner: asyncpg.Connection, role: str, table: str, privilege: str) -> bool:
    return bool(
        await owner.fetchval("SELECT has_table_privilege($1, $2, $3)", role, table, privilege)
    )
