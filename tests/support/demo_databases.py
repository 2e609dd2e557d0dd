"""Demonstrations, loaded once for a run of the tests; each test has a copy of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from policies.engine import Edition
from registry.access.authorizer import gate
from registry.db.session import close_database, open_database
from seeds.demo.loader import Loaded
from tests.seeds.registry_snapshot import Standing, standing
from tests.support.cluster import Database, Server, a_clone, a_story

Load = Callable[[str], Awaitable[Loaded]]


@dataclass(frozen=True, slots=True)
class Told:
    """A demonstration loaded into a database which nobody has open; how it stands, its rules."""

    name: str
    loaded: Loaded
    standing: Standing
    edition: Edition


@contextmanager
def told(server: Server, template: str, load: Load) -> Iterator[Told]:
    """The demonstration in a copy of the template, dropped afterwards."""
    with a_story(server, template) as database:
        loaded, stands = asyncio.run(_load_into(database, load))
        yield Told(database.name, loaded, stands, gate.edition)


@asynccontextmanager
async def a_copy(server: Server, story: Told) -> AsyncIterator[Database]:
    """A copy of what was loaded, open as the application role."""
    async with a_clone(server, story.name) as database:
        await open_database(database.application_url)
        gate.use(story.edition)
        try:
            yield database
        finally:
            await close_database()


async def _load_into(database: Database, load: Load) -> tuple[Loaded, Standing]:
    await open_database(database.application_url)
    try:
        return await load(database.owner_url), await standing()
    finally:
        await close_database()
