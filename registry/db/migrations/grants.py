"""The privileges of the application and reader roles: everything else is revoked.

Applied after every migration. A table that is missing here, or missing in the database, fails
``tests/architecture``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import asyncpg


@dataclass(frozen=True, slots=True)
class Grants:
    """Privileges of the application role."""

    # Privileges by table, as SQL lists them.
    tables: Mapping[str, str] = field(default_factory=dict)
    # Functions that write nothing, with argument types as PostgreSQL prints them. The reader may
    # call them too.
    functions: tuple[str, ...] = ()
    # Functions that write with the owner's rights; never for the reader.
    writing_functions: tuple[str, ...] = ()

    def __or__(self, other: "Grants") -> "Grants":
        return Grants(
            {**self.tables, **other.tables},
            self.functions + other.functions,
            self.writing_functions + other.writing_functions,
        )


SHARED_GRANTS = Grants(
    tables={
        "registry_clock": "SELECT",
        "access_epoch": "SELECT",
        "rule_edition": "SELECT",
        "rule_line": "SELECT",
        "audit_entry": "SELECT, INSERT",
        "idempotency_key": "SELECT, INSERT",
    },
    functions=(
        "registry_now()",
        "comparison_form(text)",
        "bigrams(text)",
        "read_access(text, uuid[])",
    ),
)
"""On the tables and functions that belong to no concept."""


async def apply_grants(
    connection: asyncpg.Connection, grants: Grants, application: str, reader: str | None
) -> None:
    """Revoke everything from the two roles and grant ``grants``.

    The reader may SELECT what the application may, and call the functions that write nothing.
    """
    application = await _quote_identifier(connection, application)
    readers = (
        [application, await _quote_identifier(connection, reader)] if reader else [application]
    )
    for role in readers:
        await _revoke_all(connection, role)
        for function in await _existing_objects(connection, "to_regprocedure", grants.functions):
            await connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")
    writing = await _existing_objects(connection, "to_regprocedure", grants.writing_functions)
    for function in writing:
        await connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {application}")
    for table in await _existing_objects(connection, "to_regclass", grants.tables):
        await connection.execute(f"GRANT {grants.tables[table]} ON {table} TO {application}")
        if "SELECT" in grants.tables[table]:
            await connection.execute(f"GRANT SELECT ON {table} TO {', '.join(readers)}")


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
