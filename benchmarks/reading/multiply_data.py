"""Makes a world ten times as large: every enterprise with all it has, copied under other names.

Only the tables that the queries read are copied. The audit log and the ledger behind the balances
are not, so that an enlarged world serves for reading alone.
"""

from collections.abc import Mapping

import asyncpg

COPIES = 9
"""Copies beside the original; each has a digit of its own."""

_GROWN = """
    CREATE FUNCTION pg_temp.grown(id uuid, n integer) RETURNS uuid
        LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN md5(id::text || n)::uuid
"""
# The second digit of a credit code is the kind of organisation; the originals' is 1.
_CODE = "overlay(t.{} placing substr('023456789', n, 1) from 2 for 1)"
_SUFFIXED = "CASE WHEN t.{0} = '' THEN '' ELSE t.{0} || '-' || n END"

# Columns in which a copy differs, by table in the order of their references.
COLUMN_OVERRIDES: dict[str, Mapping[str, str]] = {
    "organisation": {
        "id": "pg_temp.grown(t.id, n)",
        "name": "t.name || '之' || n",
        "credit_code": _CODE.format("credit_code"),
    },
    "permit": {
        "id": "pg_temp.grown(t.id, n)",
        "organisation_id": "pg_temp.grown(t.organisation_id, n)",
        "number": _CODE.format("number"),
    },
    "permit_limit": {
        "id": "pg_temp.grown(t.id, n)",
        "permit_id": "pg_temp.grown(t.permit_id, n)",
    },
    "account": {
        "id": "pg_temp.grown(t.id, n)",
        "organisation_id": "pg_temp.grown(t.organisation_id, n)",
    },
    "balance": {"account_id": "pg_temp.grown(t.account_id, n)"},
    "transfer": {
        "id": "pg_temp.grown(t.id, n)",
        "seller_id": "pg_temp.grown(t.seller_id, n)",
        "buyer_id": "pg_temp.grown(t.buyer_id, n)",
        "case_number": "t.case_number || lpad(n::text, 2, '0')",
        "number": _SUFFIXED.format("number"),
        "contract_number": _SUFFIXED.format("contract_number"),
    },
}
_OF_ENTERPRISES = {
    "organisation": "t.kind = 'enterprise'",
    "account": "t.organisation_id IN (SELECT id FROM organisation WHERE kind = 'enterprise')",
    "balance": "t.account_id IN (SELECT a.id FROM account a JOIN organisation o"
    " ON o.id = a.organisation_id AND o.kind = 'enterprise')",
}
_COLUMNS = """
    SELECT column_name AS name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER'
    ORDER BY ordinal_position
"""


async def multiply_data(superuser: asyncpg.Connection) -> None:
    """Make the world of this database ten times as large."""
    await superuser.execute(_GROWN)
    # Every row is a copy of a checked one: triggers and references need not run again.
    await superuser.execute("SET session_replication_role = replica")
    for table in COLUMN_OVERRIDES:
        await superuser.execute(await _copy_statement(superuser, table))
    await superuser.execute("RESET session_replication_role")


async def _copy_statement(superuser: asyncpg.Connection, table: str) -> str:
    columns = [found["name"] for found in await superuser.fetch(_COLUMNS, table)]
    values = [COLUMN_OVERRIDES[table].get(column, f"t.{column}") for column in columns]
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"  # noqa: S608
        f" FROM {table} t, generate_series(1, {COPIES}) n"
        f" WHERE {_OF_ENTERPRISES.get(table, 'true')}"
    )
