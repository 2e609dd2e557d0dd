"""Worlds to ask about, wider than operations make them, and the doors to ask them at."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.reading.execution_paths import ExecutionPaths, open_execution_paths
from tests.reading.world import extend_demo
from tests.support.cluster import Server
from tests.support.demo_databases import LoadedDemo, open_demo_copy


@pytest.fixture(scope="session")
def extended_founding_demo(server: Server, founding_demo: LoadedDemo) -> Iterator[LoadedDemo]:
    with extend_demo(server, founding_demo, 1) as story:
        yield story


@pytest.fixture(scope="session")
def extended_cross_region_demo(
    server: Server, cross_region_demo: LoadedDemo
) -> Iterator[LoadedDemo]:
    with extend_demo(server, cross_region_demo, 2) as story:
        yield story


@pytest.fixture(params=["founding", "crossing"])
async def execution_paths(
    server: Server,
    extended_founding_demo: LoadedDemo,
    extended_cross_region_demo: LoadedDemo,
    request: pytest.FixtureRequest,
) -> AsyncIterator[ExecutionPaths]:
    """A wide world, open as the application role."""
    story = {"founding": extended_founding_demo, "crossing": extended_cross_region_demo}[
        request.param
    ]
    async with (
        open_demo_copy(server, story) as database,
        open_execution_paths(database) as execution_paths,
    ):
        yield execution_paths
