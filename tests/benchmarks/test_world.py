"""The larger world: sound, in every state, the same again, and never beside another."""

import asyncpg
import pytest

from benchmarks.world.__main__ import seeded
from benchmarks.world.copy_buffer import COLUMNS
from benchmarks.world.loader import World, load_larger_world
from benchmarks.world.simulation import ENDS
from registry.access.authorizer import gate
from registry.db.session import close_database, open_database, row, rows
from registry.ledger.invariants import verify
from registry.transfers.rules import State
from seeds.demo.loader import LoadingRefused
from server.settings import Mode, Settings, Unfit
from tests.seeds.registry_snapshot import count
from tests.support.builders import an_organisation, install_rules
from tests.support.cluster import Database, Server, a_clone

ENTERPRISES = 50
_DIGEST = "SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {} t"


@pytest.fixture(autouse=True)
async def rules(database: Database, owner: asyncpg.Connection) -> None:
    await install_rules(owner)


async def test_a_larger_world_verifies(database: Database) -> None:
    world = await load_larger_world(database.owner_url, ENTERPRISES)

    findings = await verify()

    assert [finding for finding in findings if not finding.sound] == []
    assert world == World(ENTERPRISES, await count("transfer"), await count("entry"))
    assert await count("organisation", "kind = 'enterprise'") == ENTERPRISES


async def test_a_larger_world_has_transfers_in_every_state(database: Database) -> None:
    await load_larger_world(database.owner_url, ENTERPRISES)

    found = await rows("SELECT DISTINCT state FROM transfer")

    assert {each["state"] for each in found} == {state.value for state in State}


async def test_every_act_of_a_larger_world_is_allowed_as_the_judge_says(
    database: Database,
) -> None:
    await load_larger_world(database.owner_url, ENTERPRISES)

    acts = await rows("SELECT DISTINCT role, kind, verb, rule, facts FROM act")

    for act in acts:
        bits = dict(gate.edition.bits(act["role"], act["kind"], act["verb"]))
        mask = sum(bits[fact] for fact in act["facts"])
        assert gate.edition.ask(act["role"], act["kind"], act["verb"], mask).rule == act["rule"]


async def test_nothing_that_stands_is_past_its_time_limit(database: Database) -> None:
    await load_larger_world(database.owner_url, ENTERPRISES)

    assert await count("transfer", "deadline_at < registry_now()") == 0
    assert await row("SELECT registry_now() AS now") == {"now": ENDS}


async def test_a_larger_world_is_the_same_again(
    database: Database, server: Server, template: str
) -> None:
    await load_larger_world(database.owner_url, ENTERPRISES)
    once = await _digests(database)

    async with a_clone(server, template) as other:
        await close_database()
        await open_database(other.application_url)
        await load_larger_world(other.owner_url, ENTERPRISES)

        assert await _digests(other) == once


async def test_a_registry_that_has_begun_gets_no_larger_world(database: Database) -> None:
    await an_organisation()

    with pytest.raises(LoadingRefused, match="has begun"):
        await load_larger_world(database.owner_url, ENTERPRISES)

    assert await count("act") == 0


def test_production_gets_no_larger_world() -> None:
    settings = Settings.model_construct(mode=Mode.PRODUCTION)

    with pytest.raises(Unfit, match="production"):
        seeded(settings, ENTERPRISES)


async def _digests(database: Database) -> dict[str, str]:
    """The content of every table that is filled, which the application could not read whole."""
    owner = await asyncpg.connect(database.owner_url)
    try:
        return {table: await owner.fetchval(_DIGEST.format(table)) for table in COLUMNS}
    finally:
        await owner.close()
