"""Here a test may have a market, whose clock runs."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from seeds.clock import start_clock
from tests.support.builders import install_rules, stop_clock
from tests.support.cluster import Database
from tests.transfers.builders import FOUNDING_DAY, TradingFixture, create_market


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
