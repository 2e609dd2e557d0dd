"""A registry whose application connection is listened to."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from registry.concepts import open_registry
from registry.db.session import close_database
from tests.reading.wire import Wire, listen
from tests.support.builders import install_rules, stop_clock
from tests.support.cluster import Database
from tests.transfers.builders import FOUNDING_DAY


@pytest.fixture
async def wire(clone: Database, owner: asyncpg.Connection) -> AsyncIterator[Wire]:
    """The one connection of the application, on the founding day."""
    await install_rules(owner)
    await stop_clock(owner, FOUNDING_DAY)
    async with listen(clone.application_url) as listening:
        await open_registry(listening.url, maxsize=1)
        yield listening
        await close_database()
