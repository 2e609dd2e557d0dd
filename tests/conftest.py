"""Fixtures of every test: a database of its own, its owner's connection, and no network."""

import socket
from collections.abc import AsyncIterator, Iterator

import asyncpg
import hypothesis
import pytest

from registry.concepts import open_registry
from registry.db.session import close_database
from seeds.clock import start_clock
from seeds.demo.cross_region.loader import load_cross_region
from seeds.demo.loader import load_founding_day
from tests.support.builders import install_rules, stop_clock
from tests.support.cluster import Database, Server, clone_database, create_template, run_server
from tests.support.demo_databases import LoadedDemo, load_demo, open_demo_copy
from tests.transfers.builders import FOUNDING_DAY, TradingFixture, create_market

LONG_SECONDS_MAX = 7_200
"""For a test of thousands of cases; in the plain run it has what `pyproject.toml` says."""

LOCAL = ("127.", "::1", "localhost")
Address = tuple[str, int] | str | bytes


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server for this run."""
    with run_server() as running:
        yield running


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    """The name of the migrated database that tests copy."""
    with create_template(server) as name:
        yield name


@pytest.fixture
async def clone(server: Server, template: str) -> AsyncIterator[Database]:
    """A migrated database of this test's own, not opened."""
    async with clone_database(server, template) as database:
        yield database


@pytest.fixture
async def database(clone: Database) -> AsyncIterator[Database]:
    """The test's own database, opened as the application role."""
    await open_registry(clone.application_url)
    yield clone
    await close_database()


@pytest.fixture(scope="session")
def founding_demo(server: Server, template: str) -> Iterator[LoadedDemo]:
    """The founding day, loaded once."""
    with load_demo(server, template, load_founding_day) as story:
        yield story


@pytest.fixture(scope="session")
def cross_region_demo(server: Server, template: str) -> Iterator[LoadedDemo]:
    """The fixture of 2026, loaded once."""
    with load_demo(server, template, load_cross_region) as story:
        yield story


@pytest.fixture
async def founding_database(server: Server, founding_demo: LoadedDemo) -> AsyncIterator[Database]:
    """A registry on the morning of 7 June 2022, open as the application role."""
    async with open_demo_copy(server, founding_demo) as database:
        yield database


@pytest.fixture
async def cross_region_database(
    server: Server, cross_region_demo: LoadedDemo
) -> AsyncIterator[Database]:
    """A registry on the morning of 2 March 2026, open as the application role."""
    async with open_demo_copy(server, cross_region_demo) as database:
        yield database


@pytest.fixture
async def owner(clone: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the test's own database as the owner of everything in it."""
    connection = await asyncpg.connect(clone.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def market(database: Database, owner: asyncpg.Connection) -> TradingFixture:
    """A seller, a buyer and their authorities on the founding day; time runs."""
    await install_rules(owner)
    await stop_clock(owner, FOUNDING_DAY)
    made = await create_market()
    await start_clock(owner)
    return made


@pytest.fixture
async def lock_holder(clone: Database) -> AsyncIterator[asyncpg.Connection]:
    """A second connection, with which a test keeps a record locked."""
    connection = await asyncpg.connect(clone.owner_url)
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets reach this machine and nothing else."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def checked(self: socket.socket, address: Address) -> None:
        _refuse_remote(self, address)
        connect(self, address)

    def checked_ex(self: socket.socket, address: Address) -> int:
        _refuse_remote(self, address)
        return connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", checked)
    monkeypatch.setattr(socket.socket, "connect_ex", checked_ex)


def _refuse_remote(used: socket.socket, address: Address) -> None:
    if used.family in {socket.AF_INET, socket.AF_INET6} and not str(address[0]).startswith(LOCAL):
        raise RuntimeError(f"A test tried to reach {address!r}.")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="Run thousands of cases, not dozens.")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--long") and config.getoption("timeout") is None:
        config.option.timeout = LONG_SECONDS_MAX
    # Two busy cores make a deadline a matter of luck.
    hypothesis.settings.register_profile("plain", deadline=None, max_examples=50)
    hypothesis.settings.register_profile("long", deadline=None, max_examples=3000)
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "plain")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]
