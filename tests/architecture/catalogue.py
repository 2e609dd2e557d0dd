"""Everything in the database that keeps a rule, one line each, and the fingerprints of all of it.

Rewrite both files with:

./dev run python -m tests.architecture.catalogue
"""

import asyncio
import csv
from pathlib import Path

import asyncpg

from registry.db.schema_fingerprints import ACTUAL, FINGERPRINTS
from registry.db.session import SESSION_SETTINGS
from tests.support.cluster import create_template, run_server

GOLDEN = Path(__file__).with_name("catalogue.txt")
RULES = """
SELECT concat_ws(' ', relname, 'constraint', conname, pg_get_constraintdef(c.oid)) AS line
FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid
WHERE t.relnamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT concat_ws(' ', relname, 'trigger', tgname, tgfoid::regproc)
FROM pg_trigger JOIN pg_class t ON t.oid = tgrelid
WHERE t.relnamespace = 'public'::regnamespace AND NOT tgisinternal
UNION ALL
SELECT concat_ws(' ', tablename, 'index', indexname, substring(indexdef FROM '\\(.*'))
FROM pg_indexes
WHERE schemaname = 'public' AND indexdef LIKE 'CREATE UNIQUE%'
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)
"""


async def catalogue(connection: asyncpg.Connection) -> list[str]:
    """The lines, sorted; the same on every supported PostgreSQL."""
    return sorted(" ".join(record["line"].split()) for record in await connection.fetch(RULES))


async def _read(url: str) -> tuple[list[str], list[tuple[str, str]]]:
    connection = await asyncpg.connect(url)
    try:
        lines = await catalogue(connection)
        # The text of a constraint depends on the time zone of the session.
        for name, value in SESSION_SETTINGS.items():
            await connection.execute("SELECT set_config($1, $2, false)", name, value)
        fingerprints = await connection.fetch(f'{ACTUAL} ORDER BY name COLLATE "C"')
        return lines, [tuple(each) for each in fingerprints]
    finally:
        await connection.close()


if __name__ == "__main__":
    with run_server() as server, create_template(server) as template:
        lines, fingerprints = asyncio.run(_read(server.database(template).owner_url))
    GOLDEN.write_text("".join(f"{line}\n" for line in lines))
    with Path(str(FINGERPRINTS)).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(fingerprints)
