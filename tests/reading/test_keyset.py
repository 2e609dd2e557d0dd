"""The sizes of pages, and masks that filters cannot look behind."""

import asyncpg
import pytest

from registry.access.principals import Viewer
from registry.kernel.errors import Malformed
from registry.reading.keyset import PageRequest
from tests.reading.execution_paths import ExecutionPaths, assert_same_answers, open_execution_paths
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

CODE = make_credit_code(1)
BY_CODE = """query ($code: String!) {
    organisations(first: 5, where: {creditCode: {eq: $code}}) { totalCount nodes { name } } }"""


@pytest.mark.parametrize("wanted", [{}, {"first": 1, "last": 1}, {"first": 0}, {"first": 101}])
def test_a_page_has_one_size_within_its_bounds(wanted: dict[str, int]) -> None:
    with pytest.raises(Malformed):
        PageRequest(**wanted)  # type: ignore[arg-type]  # Each value is a size.


async def names_by_code(execution_paths: ExecutionPaths, viewer: Viewer) -> list[str]:
    answer = await assert_same_answers(execution_paths, viewer, BY_CODE, {"code": CODE})
    return [node["name"] for node in answer.data["organisations"]["nodes"]]


async def test_a_masked_column_selects_nothing_for_whom_it_is_masked(
    database: Database, owner: asyncpg.Connection
) -> None:
    await install_rules(owner)
    body = await create_organisation(credit_code=CODE, city=TANGSHAN)
    elsewhere = viewer_of(await create_officer_of("city", city=LANGFANG))
    there = viewer_of(await create_officer_of("city", city=TANGSHAN))

    async with open_execution_paths(database) as paths:
        assert await names_by_code(paths, build_viewer("public")) == []
        assert await names_by_code(paths, elsewhere) == []
        assert await names_by_code(paths, there) == [body.name]
