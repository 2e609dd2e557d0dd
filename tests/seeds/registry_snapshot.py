"""The content of a registry, to be compared before and after."""

from typing import Any

from registry.db.session import fetch_all, fetch_one

_TABLES = """
    SELECT relname AS tablename FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND has_table_privilege(oid, 'SELECT')
    ORDER BY relname
"""
_BALANCES = """
    SELECT o.name, a.kind, i.code, b.quantity, b.sequence
    FROM balance b JOIN account a ON a.id = b.account_id JOIN instrument i ON i.id = b.instrument_id
    LEFT JOIN organisation o ON o.id = a.organisation_id
    ORDER BY o.name, a.kind, i.code
"""


RegistrySnapshot = dict[str, Any]


async def take_snapshot() -> RegistrySnapshot:
    """The number of rows of every table, all balances, all states of transfers, and the clock."""
    tables = [each["tablename"] for each in await fetch_all(_TABLES)]
    return {
        "rows": {table: await count_rows(table) for table in tables},
        "balances": await fetch_all(_BALANCES),
        "transfers": await fetch_all(
            "SELECT state, count(*) FROM transfer GROUP BY state ORDER BY 1"
        ),
        "clock": await fetch_one("SELECT base_time, running_since FROM registry_clock"),
    }


async def count_rows(table: str, where: str = "true") -> int:
    """How many rows there are."""
    found = await fetch_one(f'SELECT count(*) AS number FROM "{table}" WHERE {where}')
    assert found is not None
    return int(found["number"])
