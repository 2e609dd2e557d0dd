"""Here a test with a database has the shipped rules and the clock of the founding day."""

import asyncpg
import pytest

from tests.support.builders import install_rules, stop_clock
from tests.support.cluster import Database
from tests.transfers.builders import FOUNDING_DAY


@pytest.fixture
async def open_market(database: Database, owner: asyncpg.Connection) -> asyncpg.Connection:
    """The owner's connection, with which a test moves the clock."""
    await install_rules(owner)
    await stop_clock(owner, FOUNDING_DAY)
    return owner
