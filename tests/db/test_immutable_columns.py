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
        ("client", "house = true"),
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
