"""What the application role may do in the database: nothing but what stands here.

Applied after every migration. A table that is missing here, or missing in the database, fails
``tests/architecture``.
"""

from collections.abc import Iterable

import asyncpg

# Table: privileges of the application role. Reference tables are read; acts are read and added to;
# what the ledger holds is read here and written by ``post_entry`` alone.
GRANTS: dict[str, str] = {
    "registry_clock": "SELECT",
    "access_epoch": "SELECT",
    "rule_edition": "SELECT",
    "rule_line": "SELECT",
    "audit_entry": "SELECT, INSERT",
    "idempotency_key": "SELECT, INSERT",
    "division": "SELECT",
    "river_system": "SELECT",
    "pollutant": "SELECT",
    "industry": "SELECT",
    "holiday": "SELECT",
    "parameter": "SELECT",
    "organisation": "SELECT, INSERT, UPDATE",
    "person": "SELECT, INSERT, UPDATE",
    "appointment": "SELECT, INSERT, UPDATE",
    "sanction": "SELECT, INSERT, UPDATE",
    "client": "SELECT, INSERT, UPDATE",
    "persisted_query": "SELECT, INSERT, UPDATE",
    "instrument": "SELECT, INSERT",
    "account": "SELECT, INSERT, UPDATE",
    "balance": "SELECT",
    "entry": "SELECT",
    "posting": "SELECT",
    "bank_reference": "SELECT",
    "city_cap": "SELECT",
    "freeze_order": "SELECT, INSERT, UPDATE",
    "reversal": "SELECT, INSERT, UPDATE",
    "permit": "SELECT, INSERT, UPDATE",
    "permit_limit": "SELECT, INSERT, UPDATE",
    "outlet": "SELECT, INSERT",
    "construction_project": "SELECT, INSERT, UPDATE",
    "project_demand": "SELECT, INSERT, UPDATE",
    "environment_assessment": "SELECT, INSERT",
    "transfer": "SELECT, INSERT, UPDATE",
    "transfer_opinion": "SELECT, INSERT",
    "transfer_comment": "SELECT, INSERT",
    "eligibility_finding": "SELECT, INSERT",
    "certificate": "SELECT, INSERT",
    "certificate_sequence": "SELECT, INSERT, UPDATE",
    "case_number_sequence": "SELECT, INSERT, UPDATE",
    "agreement": "SELECT, INSERT, UPDATE",
    "agreement_party": "SELECT, INSERT, UPDATE",
    "milestone": "SELECT, INSERT, UPDATE",
}

# Functions the application role may call, with their argument types as PostgreSQL writes them.
FUNCTIONS: tuple[str, ...] = (
    "registry_now()",
    "china_date(timestamptz)",
    "read_access(text, uuid[])",
    "city_holds(text, text, date)",
    "balance_as_recorded(uuid, uuid, timestamptz)",
    "balance_as_effective(uuid, uuid, timestamptz, timestamptz)",
)

# Functions that write with the owner's rights: for the application role, never for the reader.
WRITING_FUNCTIONS: tuple[str, ...] = (
    (
        "post_entry(uuid, uuid, text, timestamptz, timestamptz, uuid, text, text, boolean, text,"
        " uuid[], uuid[], uuid[], bigint[])"
    ),
)

# Sequences the application role may draw from.
SEQUENCES: tuple[str, ...] = ()


async def apply_grants(
    connection: asyncpg.Connection, application: str, reader: str | None
) -> None:
    """Take everything from the two roles and give back what stands above.

    The reader may SELECT what the application may, and call the functions that write nothing.
    """
    application = await _quote_identifier(connection, application)
    readers = (
        [application, await _quote_identifier(connection, reader)] if reader else [application]
    )
    for role in readers:
        await _revoke_all(connection, role)
        for function in await _existing_objects(connection, "to_regprocedure", FUNCTIONS):
            await connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")
    for function in await _existing_objects(connection, "to_regprocedure", WRITING_FUNCTIONS):
        await connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {application}")
    for table in await _existing_objects(connection, "to_regclass", GRANTS):
        await connection.execute(f"GRANT {GRANTS[table]} ON {table} TO {application}")
        if "SELECT" in GRANTS[table]:
            await connection.execute(f"GRANT SELECT ON {table} TO {', '.join(readers)}")
    for sequence in await _existing_objects(connection, "to_regclass", SEQUENCES):
        await connection.execute(f"GRANT USAGE ON SEQUENCE {sequence} TO {application}")


async def _revoke_all(connection: asyncpg.Connection, role: str) -> None:
    for objects in ("TABLES", "SEQUENCES", "FUNCTIONS"):
        await connection.execute(
            f"REVOKE ALL ON ALL {objects} IN SCHEMA public FROM PUBLIC, {role}"
        )
    await connection.execute(f"GRANT USAGE ON SCHEMA public TO {role}")


async def _existing_objects(
    connection: asyncpg.Connection, lookup: str, names: Iterable[str]
) -> list[str]:
    # ``tests/architecture`` refuses names without an object.
    answers = await connection.fetch(
        f"SELECT name FROM unnest($1::text[]) name WHERE {lookup}(name) IS NOT NULL", list(names)
    )
    return [answer["name"] for answer in answers]


async def _quote_identifier(connection: asyncpg.Connection, name: str) -> str:
    return str(await connection.fetchval("SELECT quote_ident($1)", name))
