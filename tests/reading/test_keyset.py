"""Lists under the row filter: pages both ways, and masks that filters cannot look behind."""

import asyncpg
import pytest

from registry.db.session import reading
from registry.kernel.errors import Malformed
from registry.parties.facts import ORGANISATION
from registry.parties.records import Appointment
from registry.reading.keyset import Match, Order, Page, Slice, page
from tests.support.builders import (
    LANGFANG,
    TANGSHAN,
    a_credit_code,
    an_officer_of,
    an_organisation,
    install_rules,
    somebody,
    viewer_of,
)
from tests.support.cluster import Database

BY_NAME = Order("name", str)
CODE = a_credit_code(1)


@pytest.fixture(autouse=True)
async def _rules(database: Database, owner: asyncpg.Connection) -> None:
    await install_rules(owner)


async def listed(viewer: Appointment | None, wanted: Slice, *matches: Match) -> Page:
    who = viewer_of(viewer) if viewer else somebody("public")
    async with reading():
        return await page(who, ORGANISATION, BY_NAME, wanted, matches=matches)


def names(found: Page) -> list[str]:
    return [record.name for record in found.records]


async def test_pages_forward_and_backward_tile_the_list() -> None:
    for number in range(5):
        await an_organisation(name=f"Works {number}")

    first = await listed(None, Slice(first=2))
    second = await listed(None, Slice(first=2, after=first.cursors[-1]))
    last = await listed(None, Slice(last=2))
    before = await listed(None, Slice(last=2, before=last.cursors[0]))

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
        Slice(**wanted)  # type: ignore[arg-type]  # Each value is a size.


async def test_a_masked_column_selects_nothing_for_whom_it_is_masked() -> None:
    body = await an_organisation(credit_code=CODE, city=TANGSHAN)
    by_code = Match("credit_code", "eq", CODE)

    public = await listed(None, Slice(first=5), by_code)
    elsewhere = await listed(await an_officer_of("city", city=LANGFANG), Slice(first=5), by_code)
    there = await listed(await an_officer_of("city", city=TANGSHAN), Slice(first=5), by_code)

    assert names(public) == names(elsewhere) == []
    assert names(there) == [body.name]
