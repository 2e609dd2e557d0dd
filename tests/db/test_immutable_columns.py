"""Identifying columns never change, not even by the application's own role."""

import asyncpg
import pytest

from registry.db.session import execute, transaction
from tests.support.builders import (
    create_client,
    create_officer,
    create_organisation,
    create_sanction,
    install_rules,
)
from tests.support.cluster import Database


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("organisation", "kind = 'bank'"),
        ("person", "subject = 'somebody-else'"),
        ("appointment", "role = 'province'"),
        ("appointment", "may_approve = NOT may_approve"),
        ("sanction", "ends_at = starts_at + interval '1 second'"),
        ("client", "first_party = true"),
        ("account", "kind = 'escrow'"),
    ],
)
async def test_the_application_cannot_change_what_a_row_is_about(
    database: Database, owner: asyncpg.Connection, table: str, change: str
) -> None:
    await install_rules(owner)
    body = await create_organisation()
    await create_officer(body)
    await create_sanction(body)
    await create_client(body, "Transfer:view")
    await execute(
        "INSERT INTO account (id, organisation_id, kind) SELECT id, id, 'holding' FROM organisation"
    )

    with pytest.raises(asyncpg.PostgresError, match=r"never changes|violates"):
        async with transaction():
            await execute(f"UPDATE {table} SET {change}")


async def test_every_kept_column_exists(owner: asyncpg.Connection) -> None:
    unknown = await owner.fetch(
        r"""SELECT tgrelid::regclass, name FROM pg_trigger,
            regexp_split_to_table(rtrim(encode(tgargs, 'escape'), '\000'), '\\000') AS name
        WHERE tgfoid = 'keep_columns'::regproc AND NOT EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = tgrelid AND attname = name)"""
    )

    assert unknown == []


async def test_a_kept_column_without_a_column_is_an_error(owner: asyncpg.Connection) -> None:
    await owner.execute(
        "CREATE TABLE kept (id int); INSERT INTO kept VALUES (1);"
        " CREATE TRIGGER kept BEFORE UPDATE ON kept"
        " FOR EACH ROW EXECUTE FUNCTION keep_columns('divisions')"
    )

    with pytest.raises(asyncpg.UndefinedColumnError, match="kept has no column divisions"):
        await owner.execute("UPDATE kept SET id = 1")
