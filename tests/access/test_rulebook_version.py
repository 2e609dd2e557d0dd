"""The newest edition seen by any session decides, even if an older snapshot is read."""

from collections.abc import AsyncIterator

import pytest

from policies.engine import Edition
from registry.access.authorizer import authorizer
from registry.access.principals import SYSTEM_PRINCIPAL
from registry.access.rulebook_store import load_edition
from registry.access.viewer_lookup import resolve_viewer
from tests.support.cluster import Database


@pytest.fixture
async def stored_edition(database: Database) -> AsyncIterator[Edition]:
    """The edition of the database, in force again afterwards."""
    edition = await load_edition()
    authorizer.activate(edition)
    yield edition
    authorizer.activate(edition)


async def test_an_edition_that_is_newer_in_the_database_replaces_the_one_in_force(
    stored_edition: Edition,
) -> None:
    authorizer.activate(Edition(stored_edition.book, stored_edition.version - 1))

    await resolve_viewer(SYSTEM_PRINCIPAL)

    assert authorizer.edition.version == stored_edition.version


async def test_a_reader_of_an_older_edition_does_not_restore_it(stored_edition: Edition) -> None:
    newer = Edition(stored_edition.book, stored_edition.version + 1)
    authorizer.activate(newer)

    await resolve_viewer(SYSTEM_PRINCIPAL)

    assert authorizer.edition is newer


def test_a_slow_load_does_not_restore_an_older_edition(stored_edition: Edition) -> None:
    newer = Edition(stored_edition.book, stored_edition.version + 1)
    authorizer.activate(newer)

    authorizer.activate_if_newer(stored_edition)

    assert authorizer.edition is newer
