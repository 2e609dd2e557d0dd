"""The poller: what changes is seen within the window, or nothing is answered."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest
from starlette.testclient import TestClient

import registry.access.epoch
from policies.engine import Edition
from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.authorizer import authorizer
from registry.access.principals import Principal, Viewer
from registry.access.rulebook_store import load_edition, store_rulebook
from registry.access.viewer_cache import FRESHNESS_SECONDS, ViewerCache
from registry.db.session import fetch_one
from registry.kernel.errors import DatabaseUnreachable
from server.app import Components, create_app
from server.background.access_poller import APPLICATION_NAME, poll_access
from tests.policies.shipped import FILES
from tests.policies.test_rulebook import GOOD
from tests.server.test_app import SETTINGS, build_handler
from tests.support.builders import create_officer, create_organisation, install_rules, principal_of
from tests.support.cluster import Database
from tests.support.waiting import SECONDS_MAX

pytestmark = pytest.mark.usefixtures("rules")


async def wait_until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while not holds():
            await asyncio.sleep(0.01)


def resolve_cached(standings: ViewerCache, caller: Principal) -> Viewer | None:
    try:
        return standings.cached(caller)
    except DatabaseUnreachable:
        return None


async def test_a_dismissal_is_seen_by_every_process_within_the_window(clone: Database) -> None:
    officer = await create_officer(await create_organisation())
    caller = await principal_of(officer)
    processes = [ViewerCache(max_entries=10), ViewerCache(max_entries=10)]
    async with AsyncExitStack() as stack:
        for standings in processes:
            await stack.enter_async_context(poll_access(standings, clone.application_url))
            await standings.resolve(caller)
        assert all(resolve_cached(standings, caller) for standings in processes)

        officer.state, officer.ended_at = "ended", officer.valid_from
        await officer.save()
        since = time.monotonic()
        late: list[Viewer] = []
        while time.monotonic() < since + 2 * FRESHNESS_SECONDS:
            asked = time.monotonic()
            known = [resolve_cached(standings, caller) for standings in processes]
            if asked >= since + FRESHNESS_SECONDS:
                late += [viewer for viewer in known if viewer and not viewer.appointment_expired]
            await asyncio.sleep(0.02)

        assert late == []
        await wait_until(lambda: all(standings.is_fresh for standings in processes))
        for standings in processes:
            assert (await standings.resolve(caller)).appointment_expired


@asynccontextmanager
async def disconnect_sessions(owner: asyncpg.Connection) -> AsyncIterator[None]:
    """Refuse connections to all but the owner, and end those that are open."""
    name = await owner.fetchval("SELECT quote_ident(current_database())")
    await owner.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename <> current_user"
    )
    try:
        yield
    finally:
        await owner.execute(f"GRANT CONNECT ON DATABASE {name} TO PUBLIC")


async def test_a_process_that_is_cut_off_answers_nothing_until_it_sees_again(
    clone: Database, owner: asyncpg.Connection
) -> None:
    officer = await create_officer(await create_organisation())
    caller = await principal_of(officer)
    standings = ViewerCache(max_entries=10)
    async with poll_access(standings, clone.application_url):
        await standings.resolve(caller)

        async with disconnect_sessions(owner):
            since = time.monotonic()
            await owner.execute("UPDATE appointment SET state = 'ended', ended_at = now()")
            asked = time.monotonic()
            while standings.is_fresh:
                assert asked < since + FRESHNESS_SECONDS
                await asyncio.sleep(0.01)
                asked = time.monotonic()
            with pytest.raises(DatabaseUnreachable):
                standings.cached(caller)

        await wait_until(lambda: standings.is_fresh)
        assert standings.cached(caller) is None
        assert (await standings.resolve(caller)).appointment_expired


async def test_another_connection_finds_an_empty_cache(
    clone: Database, owner: asyncpg.Connection
) -> None:
    caller = await principal_of(await create_officer(await create_organisation()))
    standings = ViewerCache(max_entries=10)
    async with poll_access(standings, clone.application_url):
        await standings.resolve(caller)

        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = $1",
            APPLICATION_NAME,
        )

        await wait_until(lambda: standings.is_fresh and standings.cached(caller) is None)
        await standings.resolve(caller)
        assert standings.cached(caller) is not None


async def test_a_start_without_a_database_is_reported(clone: Database) -> None:
    with pytest.raises((FileNotFoundError, asyncpg.InvalidCatalogNameError)):
        async with poll_access(ViewerCache(max_entries=10), f"{clone.application_url}_absent"):
            pytest.fail("it began")


@pytest.fixture
async def stored_edition(owner: asyncpg.Connection) -> AsyncIterator[Edition]:
    """The shipped edition, in force again afterwards."""
    await install_rules(owner)
    edition = authorizer.edition
    yield edition
    authorizer.activate(edition)


async def test_a_newer_edition_is_active_before_its_epoch_counts(
    owner: asyncpg.Connection, stored_edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    standings = ViewerCache(max_entries=10)
    await standings.refresh(fetch_one)
    moment = standings._snapshot
    version = await store_rulebook(owner, RuleBook.parse({**FILES, "zz.csv": GOOD}, VOCABULARY))
    meanwhile = []

    async def loading() -> Edition:
        meanwhile.append((standings._snapshot, authorizer.edition.version))
        return await load_edition()

    monkeypatch.setattr(registry.access.epoch, "load_edition", loading)
    await standings.refresh(fetch_one)

    assert meanwhile == [(moment, stored_edition.version)]
    assert authorizer.edition.version == version > stored_edition.version
    assert moment is not None
    assert standings._snapshot is not None
    assert standings._snapshot.epoch > moment.epoch


async def test_an_edition_that_cannot_be_loaded_keeps_its_epoch_from_counting(
    owner: asyncpg.Connection, stored_edition: Edition
) -> None:
    standings = ViewerCache(max_entries=10)
    await standings.refresh(fetch_one)
    moment = standings._snapshot
    await owner.execute(
        "INSERT INTO rule_edition VALUES ($1, $2, registry_now())",
        stored_edition.version + 1,
        "0" * 64,
    )

    with pytest.raises(ValueError, match="no row"):
        await standings.refresh(fetch_one)

    assert standings._snapshot == moment
    assert authorizer.edition is stored_edition


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


def test_a_process_that_is_not_current_is_not_ready() -> None:
    stale = ViewerCache(max_entries=10)
    parts = Components(SETTINGS, build_handler(SETTINGS), _nothing, viewer_cache=stale)

    with TestClient(create_app(parts)) as client:
        answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (503, "access not polled\n")
