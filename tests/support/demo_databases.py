"""Demonstrations, loaded once for a run of the tests; each test has a copy of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from policies.engine import Edition
from registry.access.authorizer import authorizer
from registry.concepts import open_registry
from registry.db.session import close_database
from seeds.demo.loader import LoadReport
from tests.seeds.registry_snapshot import RegistrySnapshot, take_snapshot
from tests.support.cluster import Database, Server, clone_database, create_demo_database

DemoLoader = Callable[[str], Awaitable[LoadReport]]


@dataclass(frozen=True, slots=True)
class LoadedDemo:
    """A demonstration loaded into a database without connections; its state and its rules."""

    name: str
    report: LoadReport
    snapshot: RegistrySnapshot
    edition: Edition


@contextmanager
def load_demo(server: Server, template: str, load: DemoLoader) -> Iterator[LoadedDemo]:
    """The demonstration in a copy of the template, dropped afterwards."""
    with create_demo_database(server, template) as database:
        loaded, stands = asyncio.run(_load_into(database, load))
        yield LoadedDemo(database.name, loaded, stands, authorizer.edition)


@asynccontextmanager
async def open_demo_copy(server: Server, story: LoadedDemo) -> AsyncIterator[Database]:
    """A copy of what was loaded, open as the application role."""
    async with clone_database(server, story.name) as database:
        await open_registry(database.application_url)
        authorizer.activate(story.edition)
        try:
            yield database
        finally:
            await close_database()


async def _load_into(database: Database, load: DemoLoader) -> tuple[LoadReport, RegistrySnapshot]:
    await open_registry(database.application_url)
    try:
        return await load(database.owner_url), await take_snapshot()
    finally:
        await close_database()
