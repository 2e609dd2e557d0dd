"""Lists under the row filter: pages both ways, and masks that filters cannot look behind."""

import asyncpg
import pytest

from registry.db.session import read_only_transaction
from registry.kernel.errors import Malformed
from registry.parties.facts import ORGANISATION
from registry.parties.records import Appointment
from registry.reading.keyset import ColumnFilter, Ordering, Page, PageRequest, load_page
from tests.support.builders import (
    LANGFANG,
    TANGSHAN,
    build_viewer,
    create_officer_of,
    create_organisation,
    install_rules,
    make_credit_code,
    viewer_of,
)
from tests.support.cluster import Database

BY_NAME = Ordering("name", str)
CODE = make_credit_code(1)


@pytest.fixture(autouse=True)
async def _rules(database: Database, owner: asyncpg.Connection) -> None:
    await install_rules(owner)


async def list_names(
    viewer: Appointment | None, wanted: PageRequest, *matches: ColumnFilter
) -> Page:
    who = viewer_of(viewer) if viewer else build_viewer("public")
    async with read_only_transaction():
        return await load_page(who, ORGANISATION, BY_NAME, wanted, filters=matches)


def names(found: Page) -> list[str]:
    return [record.name for record in found.records]


async def test_pages_forward_and_backward_tile_the_list() -> None:
    for number in range(5):
        await create_organisation(name=f"Works {number}")

    first = await list_names(None, PageRequest(first=2))
    second = await list_names(None, PageRequest(first=2, after=first.cursors[-1]))
    last = await list_names(None, PageRequest(last=2))
    before = await list_names(None, PageRequest(last=2, before=last.cursors[0]))

    assert (names(first), first.has_next, first.has_previous) == (
        ["Works 0", "Works 1"],
        True,
        False,
    )
    assert (names(second), second.has_next, second.has_previous) == (
        ["Works 2", "Works 3"],
        True,
        True,
    )
    assert (names(last), last.has_next, last.has_previous) == (["Works 3", "Works 4"], False, True)
    assert names(before) == ["Works 1", "Works 2"]


@pytest.mark.parametrize("wanted", [{}, {"first": 1, "last": 1}, {"first": 0}, {"first": 101}])
def test_a_page_has_one_size_within_its_bounds(wanted: dict[str, int]) -> None:
    with pytest.raises(Malformed):
        PageRequest(**wanted)  # type: ignore[arg-type]  # Each value is a size.


async def test_a_masked_column_selects_nothing_for_whom_it_is_masked() -> None:
    body = await create_organisation(credit_code=CODE, city=TANGSHAN)
    by_code = ColumnFilter("credit_code", "eq", CODE)

    public = await list_names(None, PageRequest(first=5), by_code)
    elsewhere = await list_names(
        await create_officer_of("city", city=LANGFANG), PageRequest(first=5), by_code
    )
    there = await list_names(
        await create_officer_of("city", city=TANGSHAN), PageRequest(first=5), by_code
    )

    assert names(public) == names(elsewhere) == []
    assert names(there) == [body.name]
