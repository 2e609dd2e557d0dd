"""The larger world: sound, in every state, the same again, and never beside another."""

import asyncpg
import pytest

from benchmarks.world.__main__ import fill_registry
from benchmarks.world.copy_buffer import COLUMNS
from benchmarks.world.loader import World, load_world
from benchmarks.world.simulation import ENDS_AT
from registry.access.authorizer import authorizer
from registry.concepts import open_registry, verify_registry
from registry.db.session import close_database, fetch_all, fetch_one
from registry.transfers.rules import State
from seeds.demo.loader import LoadError
from server.settings import ConfigurationError, Mode, Settings
from tests.seeds.registry_snapshot import count_rows
from tests.support.builders import create_organisation, install_rules
from tests.support.cluster import Database, Server, clone_database

ENTERPRISES = 50
_DIGEST = "SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {} t"


@pytest.fixture(autouse=True)
async def rules(database: Database, owner: asyncpg.Connection) -> None:
    await install_rules(owner)


async def test_a_larger_world_verifies(database: Database) -> None:
    world = await load_world(database.owner_url, ENTERPRISES)

    findings = await verify_registry()

    assert [finding for finding in findings if not finding.is_satisfied] == []
    assert world == World(ENTERPRISES, await count_rows("transfer"), await count_rows("entry"))
    assert await count_rows("organisation", "kind = 'enterprise'") == ENTERPRISES


async def test_a_larger_world_has_transfers_in_every_state(database: Database) -> None:
    await load_world(database.owner_url, ENTERPRISES)

    found = await fetch_all("SELECT DISTINCT state FROM transfer")

    assert {each["state"] for each in found} == {state.value for state in State}


async def test_every_audit_entry_of_a_larger_world_is_allowed_by_the_rule_book(
    database: Database,
) -> None:
    await load_world(database.owner_url, ENTERPRISES)

    entries = await fetch_all("SELECT DISTINCT role, kind, verb, rule, facts FROM audit_entry")

    for entry in entries:
        bits = dict(authorizer.edition.fact_bits(entry["role"], entry["kind"], entry["verb"]))
        mask = sum(bits[fact] for fact in entry["facts"])
        assert (
            authorizer.edition.evaluate(entry["role"], entry["kind"], entry["verb"], mask).rule
            == entry["rule"]
        )


async def test_nothing_open_is_past_its_time_limit(database: Database) -> None:
    await load_world(database.owner_url, ENTERPRISES)

    assert await count_rows("transfer", "deadline_at < registry_now()") == 0
    assert await fetch_one("SELECT registry_now() AS now") == {"now": ENDS_AT}


async def test_a_larger_world_is_the_same_again(
    database: Database, server: Server, template: str
) -> None:
    await load_world(database.owner_url, ENTERPRISES)
    once = await _digests(database)

    async with clone_database(server, template) as other:
        await close_database()
        await open_registry(other.application_url)
        await load_world(other.owner_url, ENTERPRISES)

        assert await _digests(other) == once


async def test_a_registry_that_has_begun_gets_no_larger_world(database: Database) -> None:
    await create_organisation()

    with pytest.raises(LoadError, match="has begun"):
        await load_world(database.owner_url, ENTERPRISES)

    assert await count_rows("audit_entry") == 0


def test_production_gets_no_larger_world() -> None:
    settings = Settings.model_construct(mode=Mode.PRODUCTION)

    with pytest.raises(ConfigurationError, match="production"):
        fill_registry(settings, ENTERPRISES)


async def _digests(database: Database) -> dict[str, str]:
    """The content of every table that is filled, which the application could not read whole."""
    owner = await asyncpg.connect(database.owner_url)
    try:
        return {table: await owner.fetchval(_DIGEST.format(table)) for table in COLUMNS}
    finally:
        await owner.close()
