"""Which edition judges: the newest that anybody has seen, whatever an older snapshot shows."""

from collections.abc import AsyncIterator

import pytest

from policies.engine import Edition
from registry.access.authorizer import gate
from registry.access.principals import REGISTRY
from registry.access.rulebook_store import load_edition
from registry.access.viewer_lookup import enter
from tests.support.cluster import Database


@pytest.fixture
async def stored(database: Database) -> AsyncIterator[Edition]:
    """The edition of the database, in force again afterwards."""
    edition = await load_edition()
    gate.use(edition)
    yield edition
    gate.use(edition)


async def test_an_edition_that_is_newer_in_the_database_replaces_the_one_in_force(
    stored: Edition,
) -> None:
    gate.use(Edition(stored.book, stored.version - 1))

    await enter(REGISTRY)

    assert gate.edition.version == stored.version


async def test_whoever_sees_an_older_edition_does_not_put_it_back(stored: Edition) -> None:
    newer = Edition(stored.book, stored.version + 1)
    gate.use(newer)

    await enter(REGISTRY)

    assert gate.edition is newer


def test_whoever_was_slow_to_load_an_edition_does_not_put_it_back(stored: Edition) -> None:
    newer = Edition(stored.book, stored.version + 1)
    gate.use(newer)

    gate.renew(stored)

    assert gate.edition is newer
