"""Worlds to ask about, wider than operations make them, and the doors to ask them at."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.reading.execution_paths import Doors, open_doors
from tests.reading.world import widened
from tests.support.cluster import Server
from tests.support.demo_databases import Told, a_copy


@pytest.fixture(scope="session")
def wide_founding(server: Server, founding: Told) -> Iterator[Told]:
    with widened(server, founding, 1) as story:
        yield story


@pytest.fixture(scope="session")
def wide_crossing(server: Server, crossing: Told) -> Iterator[Told]:
    with widened(server, crossing, 2) as story:
        yield story


@pytest.fixture(params=["founding", "crossing"])
async def doors(
    server: Server, wide_founding: Told, wide_crossing: Told, request: pytest.FixtureRequest
) -> AsyncIterator[Doors]:
    """A wide world, open as the application role."""
    story = {"founding": wide_founding, "crossing": wide_crossing}[request.param]
    async with a_copy(server, story) as database, open_doors(database) as doors:
        yield doors
