"""Compares tables, functions and privileges of a database with what the migrations made.

The expected fingerprints are shipped with the code, so a change of the database alone is found.
"""

import csv
from importlib.resources import files

from registry.db.migrations.grants import Grants

FINGERPRINTS = files("registry.db") / "schema_fingerprints.csv"

DEFINITIONS = """
    SELECT c.relname AS name, concat_ws(' ', 'column', attname, format_type(atttypid, atttypmod),
        attnotnull, attgenerated, pg_get_expr(adbin, adrelid)) AS definition
    FROM pg_class c JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT relname, concat_ws(' ', 'table', relkind, relpersistence, relrowsecurity, relhasrules)
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT relname, concat_ws(' ', 'constraint', conname, convalidated, condeferrable, condeferred,
        pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN pg_class ON pg_class.oid = conrelid
    WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    SELECT relname, concat_ws(' ', 'index', indisvalid, pg_get_indexdef(indexrelid))
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT relname, concat_ws(' ', 'trigger', tgenabled, pg_get_triggerdef(t.oid))
    FROM pg_trigger t JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = 'public'::regnamespace AND NOT tgisinternal
    UNION ALL
    -- The triggers of foreign keys have numbers for names; only a disabled one is of interest.
    SELECT relname, concat_ws(' ', 'disabled', tgtype, tgenabled)
    FROM pg_trigger t JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = 'public'::regnamespace AND tgisinternal AND tgenabled <> 'O'
    UNION ALL
    SELECT p.oid::regprocedure::text, concat_ws(' ', lanname, prosecdef, proleakproof, provolatile,
        proisstrict, prorettype::regtype, proretset, proconfig, prosrc)
    FROM pg_proc p JOIN pg_language l ON l.oid = prolang
    WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'event trigger ' || evtname, concat_ws(' ', evtevent, evtfoid::regproc)
    FROM pg_event_trigger
"""
"""One row for each part of a table or function; the same on every supported PostgreSQL."""

ACTUAL = f"""
    SELECT name, encode(sha256(convert_to(
        string_agg(definition, E'\\n' ORDER BY definition COLLATE "C"), 'UTF8'
    )), 'hex') AS fingerprint
    FROM ({DEFINITIONS}) AS part GROUP BY name
"""  # noqa: S608 - a text of ours


def fingerprint_check_sql() -> str:
    """The tables and functions that differ, are missing or came from elsewhere."""
    rows = csv.reader(FINGERPRINTS.read_text(encoding="utf-8").splitlines())
    expected = ", ".join(f"('{name}', '{fingerprint}')" for name, fingerprint in rows)
    return f"""
        SELECT coalesce(actual.name, expected.name) AS name, CASE
            WHEN actual.name IS NULL THEN 'missing'
            WHEN expected.name IS NULL THEN 'not from a migration'
            ELSE 'changed' END AS difference
        FROM ({ACTUAL}) AS actual
        FULL JOIN (VALUES {expected}) AS expected (name, fingerprint) USING (name)
        WHERE actual.fingerprint IS DISTINCT FROM expected.fingerprint"""  # noqa: S608 - ours


def privilege_check_sql(grants: Grants) -> str:
    """The privileges that the migrations did not give, and those that they gave and are missing.

    Runs as the application role. Of any other role but the owner, reading is all that is allowed.
    """
    granted = ", ".join(
        f"('{table}', '{privilege.strip()}')"
        for table, privileges in grants.tables.items()
        for privilege in privileges.split(",")
    )
    return f"""
        WITH given AS (
            SELECT relname::text AS name, privilege_type::text AS privilege,
                grantee = current_user::regrole AS to_application
            FROM pg_class, aclexplode(relacl)
            WHERE relnamespace = 'public'::regnamespace AND grantee <> relowner
            UNION ALL
            SELECT concat(attrelid::regclass, '.', attname), privilege_type, false
            FROM pg_attribute JOIN pg_class c ON c.oid = attrelid, aclexplode(attacl)
            WHERE c.relnamespace = 'public'::regnamespace AND grantee <> relowner
        )
        SELECT coalesce(given.name, expected.name) AS name,
            coalesce(given.privilege, expected.privilege) AS privilege,
            CASE WHEN given.name IS NULL THEN 'missing'
                ELSE 'not from a migration' END AS difference
        FROM (SELECT * FROM given WHERE to_application) AS given
        FULL JOIN (VALUES {granted}) AS expected (name, privilege) USING (name, privilege)
        WHERE given.name IS NULL OR expected.name IS NULL
        UNION ALL
        SELECT name, privilege, 'not from a migration' FROM given
        WHERE NOT to_application AND (privilege <> 'SELECT' OR name LIKE '%.%')"""  # noqa: S608 - ours
