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
from registry.access.authorizer import gate
from registry.access.principals import Caller, Viewer
from registry.access.rulebook_store import import_book, load_edition
from registry.access.viewer_cache import WINDOW_SECONDS, Standings
from registry.db.session import row
from registry.kernel.errors import Unreachable
from server.app import Parts, create_app
from server.auth.authenticator import SignIn
from server.auth.jwks import keys_given
from server.background.access_poller import APPLICATION_NAME, polling
from tests.policies.shipped import FILES
from tests.policies.test_rulebook import GOOD
from tests.server.test_app import ENTRANCE, SCHEMA, SETTINGS
from tests.support.builders import an_officer, an_organisation, caller_of, install_rules
from tests.support.cluster import Database
from tests.support.waiting import SECONDS_MAX

pytestmark = pytest.mark.usefixtures("rules")


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while not holds():
            await asyncio.sleep(0.01)


def answered(standings: Standings, caller: Caller) -> Viewer | None:
    try:
        return standings.known(caller)
    except Unreachable:
        return None


async def test_a_dismissal_is_seen_by_every_process_within_the_window(clone: Database) -> None:
    officer = await an_officer(await an_organisation())
    caller = await caller_of(officer)
    processes = [Standings(most=10), Standings(most=10)]
    async with AsyncExitStack() as stack:
        for standings in processes:
            await stack.enter_async_context(polling(standings, clone.application_url))
            await standings.viewer(caller)
        assert all(answered(standings, caller) for standings in processes)

        officer.state, officer.ended_at = "ended", officer.valid_from
        await officer.save()
        since = time.monotonic()
        late: list[Viewer] = []
        while time.monotonic() < since + 2 * WINDOW_SECONDS:
            asked = time.monotonic()
            known = [answered(standings, caller) for standings in processes]
            if asked >= since + WINDOW_SECONDS:
                late += [viewer for viewer in known if viewer and not viewer.lapsed]
            await asyncio.sleep(0.02)

        assert late == []
        await until(lambda: all(standings.fresh for standings in processes))
        for standings in processes:
            assert (await standings.viewer(caller)).lapsed


@asynccontextmanager
async def cut_off(owner: asyncpg.Connection) -> AsyncIterator[None]:
    """Nobody but the owner gets a connection, and whoever has one loses it."""
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
    officer = await an_officer(await an_organisation())
    caller = await caller_of(officer)
    standings = Standings(most=10)
    async with polling(standings, clone.application_url):
        await standings.viewer(caller)

        async with cut_off(owner):
            since = time.monotonic()
            await owner.execute("UPDATE appointment SET state = 'ended', ended_at = now()")
            asked = time.monotonic()
            while standings.fresh:
                assert asked < since + WINDOW_SECONDS
                await asyncio.sleep(0.01)
                asked = time.monotonic()
            with pytest.raises(Unreachable):
                standings.known(caller)

        await until(lambda: standings.fresh)
        assert standings.known(caller) is None
        assert (await standings.viewer(caller)).lapsed


async def test_another_connection_finds_nothing_remembered(
    clone: Database, owner: asyncpg.Connection
) -> None:
    caller = await caller_of(await an_officer(await an_organisation()))
    standings = Standings(most=10)
    async with polling(standings, clone.application_url):
        await standings.viewer(caller)

        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = $1",
            APPLICATION_NAME,
        )

        await until(lambda: standings.fresh and standings.known(caller) is None)
        await standings.viewer(caller)
        assert standings.known(caller) is not None


async def test_a_start_without_a_database_says_so(clone: Database) -> None:
    with pytest.raises((FileNotFoundError, asyncpg.InvalidCatalogNameError)):
        async with polling(Standings(most=10), f"{clone.application_url}_absent"):
            pytest.fail("it began")


@pytest.fixture
async def stored(owner: asyncpg.Connection) -> AsyncIterator[Edition]:
    """The shipped edition, in force again afterwards."""
    await install_rules(owner)
    edition = gate.edition
    yield edition
    gate.use(edition)


async def test_a_newer_edition_judges_before_its_epoch_counts(
    owner: asyncpg.Connection, stored: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    standings = Standings(most=10)
    await standings.poll(row)
    moment = standings._moment
    version = await import_book(owner, RuleBook.of({**FILES, "zz.csv": GOOD}, VOCABULARY))
    meanwhile = []

    async def loading() -> Edition:
        meanwhile.append((standings._moment, gate.edition.version))
        return await load_edition()

    monkeypatch.setattr(registry.access.epoch, "load_edition", loading)
    await standings.poll(row)

    assert meanwhile == [(moment, stored.version)]
    assert gate.edition.version == version > stored.version
    assert moment is not None
    assert standings._moment is not None
    assert standings._moment.epoch > moment.epoch


async def test_an_edition_that_cannot_be_loaded_keeps_its_epoch_from_counting(
    owner: asyncpg.Connection, stored: Edition
) -> None:
    standings = Standings(most=10)
    await standings.poll(row)
    moment = standings._moment
    await owner.execute(
        "INSERT INTO rule_edition VALUES ($1, $2, registry_now())", stored.version + 1, "0" * 64
    )

    with pytest.raises(ValueError, match="no row"):
        await standings.poll(row)

    assert standings._moment == moment
    assert gate.edition is stored


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


def test_a_process_that_is_not_current_is_not_ready() -> None:
    stale = Standings(most=10)
    sign_in = SignIn(SETTINGS, keys_given({}))
    parts = Parts(SETTINGS, SCHEMA, sign_in, _nothing, ENTRANCE, standings=stale)

    with TestClient(create_app(parts)) as client:
        answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (503, "access not polled\n")
