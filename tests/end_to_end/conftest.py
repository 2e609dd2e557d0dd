"""A registry with objects in every stage, and the application that serves it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.end_to_end.world import load_world, load_world_of_2026
from tests.support.cluster import Database, Server
from tests.support.demo_databases import LoadedDemo, load_demo, open_demo_copy
from tests.support.live_server import Portal, open_portal


@pytest.fixture(scope="package")
def world(server: Server, template: str) -> Iterator[LoadedDemo]:
    with load_demo(server, template, load_world) as story:
        yield story


@pytest.fixture(scope="package")
def world_of_2026(server: Server, template: str) -> Iterator[LoadedDemo]:
    with load_demo(server, template, load_world_of_2026) as story:
        yield story


@pytest.fixture
async def portal_of_2026(server: Server, world_of_2026: LoadedDemo) -> AsyncIterator[Portal]:
    async with open_demo_copy(server, world_of_2026), open_portal() as portal:
        yield portal


@pytest.fixture
async def registry(server: Server, world: LoadedDemo) -> AsyncIterator[Database]:
    async with open_demo_copy(server, world) as database:
        yield database


@pytest.fixture
async def portal(registry: Database) -> AsyncIterator[Portal]:
    async with open_portal() as portal:
        yield portal
