"""Every test of this room has an open database and a gate that judges by the shipped rule book."""

import asyncpg
import pytest

from tests.support.builders import install_rules


@pytest.fixture(autouse=True)
async def rules(database: object, owner: asyncpg.Connection) -> None:
    await install_rules(owner)
