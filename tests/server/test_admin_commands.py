"""Commands of an operator."""

import asyncpg
import pytest

from registry.access.authorizer import authorizer
from registry.access.principals import Principal
from registry.access.rulebook_store import load_edition
from registry.commands.command import execute_command
from registry.concepts import open_registry
from registry.db.migrations.runner import MigrationError
from registry.db.session import close_database
from registry.kernel.errors import ClientNotRegistered, KeyReused
from registry.parties.operations import register_organisation
from server.admin.commands import (
    bootstrap_registry,
    expire_overdue,
    register_first_party_client,
    verify_report,
)
from server.composition import check_startup
from server.settings import ConfigurationError
from tests.support.cluster import Database, Server, clone_database
from tests.support.demo_databases import LoadedDemo
from tests.support.live_server import SETTINGS

PROVINCE = ("河北省生态环境厅", "130000")
OFFICERS = ("wang-li=王丽", "zhao-gang=赵刚")

_FORGE = """
    UPDATE balance SET quantity = quantity + 1 WHERE (account_id, instrument_id) = (
        SELECT b.account_id, b.instrument_id FROM balance b JOIN account a ON a.id = b.account_id
        WHERE a.kind = 'holding' AND b.quantity > 0 ORDER BY 1, 2 LIMIT 1)
    RETURNING account_id
"""


async def test_the_registry_is_founded_once(clone: Database) -> None:
    first = await bootstrap_registry(clone.application_url, *PROVINCE, officers=OFFICERS)
    again = await bootstrap_registry(clone.application_url, *PROVINCE, officers=OFFICERS)

    assert (first, again) == (True, False)
    with pytest.raises(KeyReused):
        await bootstrap_registry(clone.application_url, "另一省厅", "130000", officers=OFFICERS)


async def test_a_schema_before_1_0_is_not_served(
    clone: Database, owner: asyncpg.Connection
) -> None:
    await owner.execute("ALTER TABLE audit_entry RENAME TO act")

    with pytest.raises(MigrationError, match=r"predates 1\.0"):
        await check_startup(SETTINGS, clone.application_url)


TAMPERED = {
    "a trigger that is switched off": (
        "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only",
        "schema_as_migrated",
        "audit_entry",
    ),
    "a trigger that was added": (
        "CREATE TRIGGER spy BEFORE UPDATE ON balance FOR EACH ROW EXECUTE FUNCTION append_only()",
        "schema_as_migrated",
        "balance",
    ),
    "a function with another body": (
        "CREATE OR REPLACE FUNCTION registry_now() RETURNS timestamptz STABLE RETURN now()",
        "schema_as_migrated",
        "registry_now()",
    ),
    "a function that was added": (
        "CREATE FUNCTION open_door() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "schema_as_migrated",
        "open_door()",
    ),
    "a constraint that is gone": (
        "ALTER TABLE balance DROP CONSTRAINT balance_not_negative",
        "schema_as_migrated",
        "balance",
    ),
    "a unique index that is gone": (
        "DROP INDEX organisation_name_once",
        "schema_as_migrated",
        "organisation",
    ),
    "a default that was changed": (
        "ALTER TABLE organisation ALTER COLUMN source SET DEFAULT 'x'",
        "schema_as_migrated",
        "organisation",
    ),
    "a table that was added": ("CREATE TABLE shadow ()", "schema_as_migrated", "shadow"),
    "a privilege that was added": (
        "GRANT UPDATE ON posting TO {application}",
        "privileges_as_migrated",
        "posting",
    ),
    "a privilege on a column": (
        "GRANT UPDATE (quantity) ON posting TO {application}",
        "privileges_as_migrated",
        "posting.quantity",
    ),
    "a privilege of everybody": (
        "GRANT INSERT ON audit_entry TO PUBLIC",
        "privileges_as_migrated",
        "audit_entry",
    ),
    "a privilege that was taken": (
        "REVOKE SELECT ON division FROM {application}",
        "privileges_as_migrated",
        "division",
    ),
    "a line of the rule book": (
        (
            "ALTER TABLE rule_line DISABLE TRIGGER USER;"
            " UPDATE rule_line SET cells[2] = 'X-1'"
            " WHERE sequence = (SELECT max(sequence) FROM rule_line)"
        ),
        "rule_book_matches_digest",
        "edition",
    ),
    "the digest of the rule book": (
        (
            "ALTER TABLE rule_edition DISABLE TRIGGER USER;"
            " UPDATE rule_edition SET digest = repeat('0', 64)"
        ),
        "rule_book_matches_digest",
        "edition",
    ),
}


@pytest.mark.parametrize("tampered", TAMPERED.values(), ids=list(TAMPERED))
async def test_a_change_behind_the_back_of_the_registry_is_a_failed_check(
    clone: Database, owner: asyncpg.Connection, server: Server, tampered: tuple[str, str, str]
) -> None:
    sql, check, named = tampered
    await owner.execute(sql.format(application=server.application_role))

    lines, sound = await verify_report(clone.application_url, restrict=True)

    failed = [place for place, line in enumerate(lines) if line.startswith(f"FAIL {check}:")]
    assert not sound
    assert failed
    assert named in lines[failed[0] + 1]


async def test_an_officer_is_written_as_subject_and_name(clone: Database) -> None:
    with pytest.raises(ConfigurationError, match="subject=name"):
        await bootstrap_registry(
            clone.application_url, *PROVINCE, officers=("wang-li", "zhao-gang=赵刚")
        )


async def test_a_founded_registry_is_sound(clone: Database) -> None:
    await bootstrap_registry(clone.application_url, *PROVINCE, officers=OFFICERS)

    lines, sound = await verify_report(clone.application_url, restrict=False)

    assert sound
    assert all(line.startswith("ok  ") for line in lines)
    assert await expire_overdue(clone.application_url) == 0


async def test_officers_use_a_registered_first_party_client(clone: Database) -> None:
    url = clone.application_url
    with pytest.raises(ConfigurationError, match="bootstrap"):
        await register_first_party_client(url, "desk")
    await bootstrap_registry(url, *PROVINCE, officers=OFFICERS)

    with pytest.raises(ClientNotRegistered, match="'desk'"):
        await _registers_the_centre(url)
    first, again = (
        await register_first_party_client(url, "desk"),
        await register_first_party_client(url, "desk"),
    )
    await _registers_the_centre(url)

    assert (first, again) == (True, False)


async def _registers_the_centre(url: str) -> None:
    centre = {"kind": "centre", "name": "交易中心", "division": "130000"}
    await open_registry(url, maxsize=2)
    try:
        authorizer.activate(await load_edition())
        wang = Principal(subject="wang-li", client="desk")
        await execute_command(register_organisation, wang, centre, key="centre")
    finally:
        await close_database()


async def test_what_offends_is_named_and_just_its_account_is_frozen(
    server: Server, founding_demo: LoadedDemo
) -> None:
    async with clone_database(server, founding_demo.name) as copy:
        owner = await asyncpg.connect(copy.owner_url)
        account = await owner.fetchval(_FORGE)
        await owner.close()

        lines, sound = await verify_report(copy.application_url, restrict=True)

    assert not sound
    assert any("FAIL balances_equal_replay" in line for line in lines)
    assert [line for line in lines if line.startswith("frozen")] == [f"frozen: account {account}"]
