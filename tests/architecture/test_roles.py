"""Writes that the application role tries by hand, table by table, are refused."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from registry.concepts import GRANTS
from registry.db.session import execute, transaction
from registry.ledger.rules import EntryKind
from tests.ledger.ledger_builders import (
    OPENING,
    create_two_holders,
    holdings_of,
    make_posting,
    write_entry,
)
from tests.support.cluster import Database

FORBIDDEN_STATEMENTS = {
    "INSERT": "INSERT INTO {table} ({column}) SELECT {column} FROM {table}",
    "UPDATE": "UPDATE {table} SET {column} = {column}",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table} CASCADE",
}
# Only the owner writes these: the journal, the audit log, the rules, the figures of the law.
PROTECTED_TABLES = {
    "posting": set(),
    "balance": set(),
    "entry": set(),
    "bank_reference": set(),
    "city_cap": set(),
    "rule_edition": set(),
    "rule_line": set(),
    "registry_clock": set(),
    "access_epoch": set(),
    "division": set(),
    "river_system": set(),
    "pollutant": set(),
    "industry": set(),
    "holiday": set(),
    "parameter": set(),
    "audit_entry": {"INSERT"},
    "idempotency_key": {"INSERT"},
    "instrument": {"INSERT"},
    "certificate": {"INSERT"},
}


@pytest.fixture
async def application_session(clone: Database) -> AsyncIterator[asyncpg.Connection]:
    """A session of the application role, past all of the application's code."""
    connection = await asyncpg.connect(clone.application_url)
    yield connection
    await connection.close()


async def _assert_refused(session: asyncpg.Connection, sql: str) -> bool:
    """Whether the role lacks the right to it; another error, or none, is no refusal."""
    attempt = session.transaction()
    await attempt.start()
    try:
        await session.execute(sql)
    except asyncpg.InsufficientPrivilegeError:
        return True
    except asyncpg.PostgresError:
        return False
    finally:
        await attempt.rollback()
    return False


async def _columns(owner: asyncpg.Connection) -> dict[str, str]:
    """A column of each table, one that can be written."""
    found = await owner.fetch(
        "SELECT table_name, min(column_name) AS column FROM information_schema.columns"
        " WHERE table_schema = 'public' AND is_generated = 'NEVER'"
        " AND table_name IN (SELECT tablename FROM pg_tables) GROUP BY table_name"
    )
    return {line["table_name"]: line["column"] for line in found}


async def test_what_is_not_granted_is_refused_when_it_is_tried(
    owner: asyncpg.Connection, application_session: asyncpg.Connection
) -> None:
    columns = await _columns(owner)

    allowed = {
        (table, verb)
        for table, column in columns.items()
        for verb, sql in FORBIDDEN_STATEMENTS.items()
        if not await _assert_refused(
            application_session, sql.format(table=table, column=f'"{column}"')
        )
    }

    granted = {
        (t, verb)
        for t, words in GRANTS.tables.items()
        for verb in FORBIDDEN_STATEMENTS
        if verb in words
    }
    assert allowed == granted
    assert {(t, verb) for t, verb in granted if t in PROTECTED_TABLES} == {
        (table, verb) for table, verbs in PROTECTED_TABLES.items() for verb in verbs
    }
    assert not any(verb in {"DELETE", "TRUNCATE"} for _, verb in granted)


@pytest.mark.parametrize(
    "sql",
    [
        "SET session_replication_role = replica",
        "ALTER TABLE posting DISABLE TRIGGER ALL",
        "ALTER TABLE balance DROP CONSTRAINT balance_not_negative",
        "DROP TABLE audit_entry CASCADE",
        "DROP TRIGGER audit_entry_append_only ON audit_entry",
        "CREATE TABLE public.mine (one int)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql RETURN 1",
        (
            "CREATE OR REPLACE FUNCTION public.registry_now() RETURNS timestamptz LANGUAGE sql"
            " RETURN now()"
        ),
        "CREATE SCHEMA mine",
        "SELECT check_postings('opening', now(), '{}', '{}', '{}')",
        "COPY posting FROM PROGRAM 'true'",
        "SELECT * FROM migration",
    ],
)
async def test_the_application_makes_and_unmakes_nothing(
    application_session: asyncpg.Connection, sql: str
) -> None:
    assert await _assert_refused(application_session, sql)


async def test_every_function_but_those_granted_is_refused(
    owner: asyncpg.Connection, application_session: asyncpg.Connection
) -> None:
    definers = await owner.fetch(
        "SELECT oid::regprocedure::text AS name FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace AND prosecdef"
        " AND has_function_privilege($1, oid, 'EXECUTE')",
        await application_session.fetchval("SELECT current_user"),
    )

    granted = {
        await owner.fetchval("SELECT $1::regprocedure::text", name)
        for name in GRANTS.writing_functions
    }
    assert {line["name"] for line in definers} == granted


async def test_a_table_of_the_same_name_does_not_divert_an_entry(database: Database) -> None:
    right, seller, buyer = await create_two_holders(10)

    async with transaction():
        for table in ("balance", "posting", "account", "freeze_order"):
            await execute(f"CREATE TEMP TABLE {table} (LIKE public.{table}) ON COMMIT DROP")
        await write_entry(EntryKind.SETTLEMENT, [make_posting(seller, buyer, right, 4)], at=OPENING)

    assert await holdings_of(right, seller, buyer) == [6, 4]


async def test_the_application_does_not_become_the_owner(
    owner: asyncpg.Connection, application_session: asyncpg.Connection
) -> None:
    name = await owner.fetchval("SELECT quote_ident(current_user)")

    assert await _assert_refused(application_session, f"SET ROLE {name}")
    assert await _assert_refused(application_session, f"SET SESSION AUTHORIZATION {name}")
