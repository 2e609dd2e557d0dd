"""The benchmark of authentication measures the cost of a request."""

from benchmarks.authentication import measure
from tests.support.cluster import Database


async def test_every_way_of_authentication_is_measured(founding_database: Database) -> None:
    timings = await measure(founding_database.application_url, 50)

    cached = [timing.mean for timing in timings.cached.values()]
    uncached = [timing.mean for timing in timings.uncached.values()]
    assert (len(cached), len(uncached)) == (3, 3)
    assert max(cached) < min(uncached)
