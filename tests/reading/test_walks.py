"""Whoever walks a list page by page sees all of it once, while rows come in between."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from registry.access.principals import Viewer
from registry.reading.catalog import Paged
from schema.planning.planner import QUERY, Planner
from schema.root import whole_schema
from tests.policies.scenarios.rows import Column, let_anything_in
from tests.reading.execution_paths import Doors, open_doors
from tests.reading.world import somebody_of
from tests.support.cluster import Server
from tests.support.demo_databases import Told, a_copy

PLANNER = Planner(whole_schema()._schema)
LISTS = {
    name: field.read
    for name, field in PLANNER.catalogue[QUERY].fields.items()
    if isinstance(field.read, Paged)
}
ORDERS = [(name, order) for name, paged in LISTS.items() for order in paged.orders]
SIZE, INSERTED = 3, 2

_COPIES = """
    INSERT INTO {table} ({columns})
    SELECT {copied} FROM (
        SELECT jsonb_populate_record(
            x, jsonb_build_object('id', gen_random_uuid(), '{key}', y.key)
        ) AS r
        FROM {table} x, (SELECT {key} AS key FROM {table} ORDER BY random() LIMIT 1) y
        ORDER BY random() LIMIT {number}
    ) AS made
"""


@dataclass
class Walker:
    """Walks one list in one order as somebody who sees all of it."""

    doors: Doors
    viewer: Viewer
    owner: asyncpg.Connection
    name: str
    order: str
    columns: list[Column]

    async def walked(self, *, backward: bool, inserting: bool) -> list[str]:
        """The identifiers in the order of the list, however it was walked."""
        pages: list[list[str]] = []
        place = None
        while True:
            page = await self._page(place, backward=backward)
            pages.append([edge["node"]["id"] for edge in page["edges"]])
            info = page["pageInfo"]
            if not info["hasPreviousPage" if backward else "hasNextPage"]:
                break
            place = info["startCursor" if backward else "endCursor"]
            edge = page["edges"][0 if backward else -1]
            assert edge["cursor"] == place
            if inserting:
                await self._insert()
        if backward:
            pages.reverse()
        return [id for page in pages for id in page]

    async def _page(self, place: str | None, *, backward: bool) -> Any:  # noqa: ANN401 - an answer
        size, end = ("last", "before") if backward else ("first", "after")
        document = f"""query ($place: String) {{
            {self.name}({size}: {SIZE}, {end}: $place, orderBy: {self.order}) {{
                edges {{ cursor node {{ id }} }}
                pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
            }}
        }}"""
        found = await self.doors.planned(self.viewer, document, {"place": place})
        assert found is not None, document
        return found[self.name]

    async def _insert(self) -> None:
        paged = LISTS[self.name]
        columns = [f'"{column.name}"' for column in self.columns]
        await self.owner.execute(
            _COPIES.format(
                table=PLANNER.catalogue[paged.to].table,
                key=paged.orders[self.order].column,
                columns=", ".join(columns),
                copied=", ".join(f"(r).{column}" for column in columns),
                number=INSERTED,
            )
        )


@pytest.fixture
async def walkers(
    server: Server, wide_founding: Told
) -> AsyncIterator[tuple[Doors, asyncpg.Connection]]:
    async with a_copy(server, wide_founding) as database, open_doors(database) as doors:
        owner = await asyncpg.connect(database.owner_url)
        yield doors, owner
        await owner.close()


@pytest.mark.parametrize(("name", "order"), ORDERS)
async def test_a_walk_sees_all_that_was_there_once(
    walkers: tuple[Doors, asyncpg.Connection], name: str, order: str
) -> None:
    doors, owner = walkers
    table = PLANNER.catalogue[LISTS[name].to].table
    columns = await let_anything_in(owner, table)
    officer = await somebody_of("province")
    walker = Walker(doors, officer, owner, name, order, columns)
    await walker._insert()

    before = await walker.walked(backward=False, inserting=False)
    assert len(before) > SIZE
    assert await walker.walked(backward=True, inserting=False) == before

    for backward in (False, True):
        there = await walker.walked(backward=False, inserting=False)
        walked = await walker.walked(backward=backward, inserting=True)
        assert len(set(walked)) == len(walked)
        assert [id for id in walked if id in set(there)] == there
