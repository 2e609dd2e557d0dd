"""A walk through a list page by page sees all of it once, while rows are inserted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from registry.access.principals import Viewer
from registry.reading.catalog import ConnectionField
from schema.planning.planner import QUERY, Planner
from schema.root import build_api_schema
from tests.policies.scenarios.rows import Column, drop_constraints
from tests.reading.execution_paths import ExecutionPaths, open_execution_paths
from tests.reading.world import viewer_of_role
from tests.support.cluster import Server
from tests.support.demo_databases import LoadedDemo, open_demo_copy

PLANNER = Planner(build_api_schema()._schema)
LISTS = {
    name: field.source
    for name, field in PLANNER.catalog[QUERY].fields.items()
    if isinstance(field.source, ConnectionField)
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
class PageWalker:
    """Walks one list in one order as a viewer who sees all of it."""

    execution_paths: ExecutionPaths
    viewer: Viewer
    owner: asyncpg.Connection
    name: str
    order: str
    columns: list[Column]

    async def walk(self, *, backward: bool, inserting: bool) -> list[str]:
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
            {self.name}({size}: {SIZE}, {end}: $place, orderBy: {self.order.upper()}) {{
                edges {{ cursor node {{ id }} }}
                pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
            }}
        }}"""
        found = await self.execution_paths.answer_by_plan(self.viewer, document, {"place": place})
        assert found is not None, document
        return found[self.name]

    async def _insert(self) -> None:
        paged = LISTS[self.name]
        columns = [f'"{column.name}"' for column in self.columns]
        await self.owner.execute(
            _COPIES.format(
                table=PLANNER.catalog[paged.node_type].table,
                key=paged.orders[self.order].column,
                columns=", ".join(columns),
                copied=", ".join(f"(r).{column}" for column in columns),
                number=INSERTED,
            )
        )


@pytest.fixture
async def walkers(
    server: Server, extended_founding_demo: LoadedDemo
) -> AsyncIterator[tuple[ExecutionPaths, asyncpg.Connection]]:
    async with (
        open_demo_copy(server, extended_founding_demo) as database,
        open_execution_paths(database) as execution_paths,
    ):
        owner = await asyncpg.connect(database.owner_url)
        yield execution_paths, owner
        await owner.close()


@pytest.mark.parametrize(("name", "order"), ORDERS)
async def test_a_walk_sees_all_that_was_there_once(
    walkers: tuple[ExecutionPaths, asyncpg.Connection], name: str, order: str
) -> None:
    execution_paths, owner = walkers
    table = PLANNER.catalog[LISTS[name].node_type].table
    columns = await drop_constraints(owner, table)
    officer = await viewer_of_role("province")
    walker = PageWalker(execution_paths, officer, owner, name, order, columns)
    await walker._insert()

    before = await walker.walk(backward=False, inserting=False)
    assert len(before) > SIZE
    assert await walker.walk(backward=True, inserting=False) == before

    for backward in (False, True):
        there = await walker.walk(backward=False, inserting=False)
        walked = await walker.walk(backward=backward, inserting=True)
        assert len(set(walked)) == len(walked)
        assert [id for id in walked if id in set(there)] == there
