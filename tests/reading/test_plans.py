"""Fields with and without a plan; a plan is one statement."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from graphql import GraphQLObjectType

from registry.access.principals import Viewer
from registry.concepts import open_registry
from registry.db.session import close_database, fetch_one
from registry.reading.sql_builder import NotPlannable
from schema.framework.global_ids import to_global_id
from schema.planning.planner import Planner
from schema.root import build_api_schema
from tests.reading.execution_paths import ExecutionPaths, open_execution_paths
from tests.reading.field_coverage import FieldDocument, field_documents
from tests.reading.golden import golden
from tests.reading.wire import Wire, listen
from tests.reading.world import viewer_of_role
from tests.support.cluster import Database, Server
from tests.support.demo_databases import LoadedDemo, open_demo_copy

SCHEMA = build_api_schema()._schema
PLANNER = Planner(SCHEMA)


UNPLANNED = frozenset({
    "Query.permissions", "Query.explainPermission", "Query.ruleBook", "ViewerInfo.rateLimit",
})  # fmt: skip
"""Explanations, counters and the schema itself are no rows."""

PLACES = list(field_documents(SCHEMA, UNPLANNED))


@pytest.fixture
async def execution_paths(
    server: Server, extended_founding_demo: LoadedDemo
) -> AsyncIterator[ExecutionPaths]:
    async with (
        open_demo_copy(server, extended_founding_demo) as database,
        open_execution_paths(database) as execution_paths,
    ):
        yield execution_paths


@pytest.fixture
async def officer(execution_paths: ExecutionPaths) -> Viewer:
    return await viewer_of_role("province")


async def named(document: str) -> str:
    """The document with identifiers of objects that there are."""
    for name in re.findall(r"\$(\w+)", document):
        kind = "Organisation" if name == "Node" else name
        table = PLANNER.catalog[kind].table
        found = await fetch_one(f"SELECT id FROM {table} ORDER BY id LIMIT 1")
        assert found is not None, kind
        document = document.replace(f"${name}", to_global_id(kind, found["id"]))
    return document


async def test_all_that_a_query_reaches_has_a_plan_but_for_a_short_list(
    execution_paths: ExecutionPaths, officer: Viewer
) -> None:
    unplanned = set()
    for place in PLACES:
        document = await named(place.document)
        try:
            execution_paths.plan(officer, document, {})
        except NotPlannable:
            unplanned.add(place.name)
            continue
        answer = await execution_paths.answer_by_executor(officer, document, {})
        assert not answer.errors, (place, answer.errors)
        assert await execution_paths.answer_by_plan(officer, document, {}) == answer.data, place

    assert unplanned == UNPLANNED


def test_every_type_that_has_a_plan_was_reached() -> None:
    reached = {place.type for place in PLACES}
    only_unplanned = {
        "ActionExplanation",
        "NearMiss",
        "Permission",
        "RateLimit",
        "Rule",
        "RuleEdition",
    }
    of_mutations = {
        "Mutation", "Preview", "PreviewAccount", "PreviewPosting", "Condition", "Refusal",
        *(name for name in SCHEMA.type_map if name.endswith("Payload")),
    }  # fmt: skip
    objects = {
        name
        for name, of in SCHEMA.type_map.items()
        if isinstance(of, GraphQLObjectType) and not name.startswith("__")
    }

    assert objects - reached == only_unplanned | of_mutations


@pytest.mark.parametrize(
    "question", ["{ __schema { queryType { name } } }", '{ __type(name: "Permit") { name } }']
)
async def test_the_schema_itself_has_no_plan(
    execution_paths: ExecutionPaths, officer: Viewer, question: str
) -> None:
    with pytest.raises(NotPlannable):
        execution_paths.plan(officer, question, {})


async def test_what_has_no_plan_is_answered_beside_what_has(
    execution_paths: ExecutionPaths, officer: Viewer
) -> None:
    document = "{ permissions { verb } cities { code } viewer { rateLimit { cost } role } }"

    executed = await execution_paths.answer_by_executor(officer, document, {})

    assert not executed.errors
    assert list(executed.data) == ["permissions", "cities", "viewer"]
    assert executed.data["viewer"] == {"rateLimit": None, "role": "PROVINCE"}
    assert executed.data["permissions"]
    alone = await execution_paths.answer_by_plan(officer, "{ cities { code } }", {})
    assert executed.data["cities"] == alone["cities"]


@pytest.fixture
async def wires(
    server: Server, extended_founding_demo: LoadedDemo
) -> AsyncIterator[tuple[Database, Wire, Wire]]:
    """A wide world, and what the application and the readers of plans send to it."""
    async with (
        open_demo_copy(server, extended_founding_demo) as database,
        listen(database.application_url) as usual,
        listen(database.reader_url) as plans,
    ):
        await close_database()
        await open_registry(usual.url, maxsize=1)
        yield database, usual, plans


async def test_whatever_has_a_plan_is_one_statement(
    wires: tuple[Database, Wire, Wire],
) -> None:
    database, usual, plans = wires
    behind = Database(database.name, database.owner_url, usual.url, plans.url)
    async with open_execution_paths(behind) as execution_paths:
        officer = await viewer_of_role("province")
        for place in _planned():
            document = await named(place.document)
            plan, _ = execution_paths.plan(officer, document, {})
            usual.executed.clear()
            plans.executed.clear()

            answer = await execution_paths.answer_by_executor(officer, document, {})

            assert not answer.errors, (place, answer.errors)
            assert len(plans.executed) == (plan.constant is None), place
            assert not usual.queries, (place, usual.queries)


def _planned() -> list[FieldDocument]:
    return [place for place in PLACES if place.name not in UNPLANNED]


def test_the_golden_plans_are_the_plans() -> None:
    written = Path(__file__).with_name("golden_plans.txt").read_text("utf-8")

    assert golden() == written, (
        "run: python -m tests.reading.golden > tests/reading/golden_plans.txt"
    )
