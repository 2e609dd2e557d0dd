"""The benchmark of authentication measures the cost of a request."""

from benchmarks.authentication import measure
from tests.support.cluster import Database


async def test_every_way_of_authentication_is_measured(founding_database: Database) -> None:
    found = await measure(founding_database.application_url, 50)

    known = [each.mean for name, each in found.items() if name.endswith("known")]
    looked_up = [each.mean for name, each in found.items() if not name.endswith("known")]
    assert (len(known), len(looked_up)) == (3, 3)
    assert max(known) < min(looked_up)
