"""What a registry holds, to be compared before and after."""

from typing import Any

from registry.db.session import row, rows

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


Standing = dict[str, Any]


async def standing() -> Standing:
    """The number of rows of every table, all balances, all states of transfers, and the clock."""
    tables = [each["tablename"] for each in await rows(_TABLES)]
    return {
        "rows": {table: await count(table) for table in tables},
        "balances": await rows(_BALANCES),
        "transfers": await rows("SELECT state, count(*) FROM transfer GROUP BY state ORDER BY 1"),
        "clock": await row("SELECT reads, since FROM registry_clock"),
    }


async def count(table: str, where: str = "true") -> int:
    """How many rows there are."""
    found = await row(f'SELECT count(*) AS number FROM "{table}" WHERE {where}')
    assert found is not None
    return int(found["number"])
