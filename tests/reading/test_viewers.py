"""Two who differ in what they may see: never the same plan, or never the same values in it."""

from collections.abc import AsyncIterator
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

import pytest

from registry.access.authorizer import VIEWER_FACTS
from registry.access.principals import NIL, Viewer
from registry.db.session import fetch_all
from registry.reading.plan import Plan
from tests.reading.execution_paths import ExecutionPaths, assert_same_answers, open_execution_paths
from tests.reading.world import registry_time, viewer_of_role
from tests.support.cluster import Server
from tests.support.demo_databases import LoadedDemo, open_demo_copy

UNASKED = frozenset({"client", "is_authority"})
"""Commands ask for these alone."""

EVERYTHING = """{
    accounts(first: 100) { totalCount nodes { id money { quantity } maskedFields } }
    transfers(first: 100) { totalCount nodes { id price availableActions } }
    people(first: 100) { totalCount nodes { id } }
    permits(first: 100) { totalCount nodes { id limits { quantity } } }
    workList(first: 100) { objectId verb }
    viewer { role division { code } organisation { id } person { id } appointment { id } }
}"""


@pytest.fixture
async def execution_paths(
    server: Server, extended_founding_demo: LoadedDemo
) -> AsyncIterator[ExecutionPaths]:
    async with (
        open_demo_copy(server, extended_founding_demo) as database,
        open_execution_paths(database) as execution_paths,
    ):
        yield execution_paths


def seen(answer: Any, field: str) -> set[str]:  # noqa: ANN401 - as it is answered
    return {node["id"] for node in answer.data[field]["nodes"]}


async def test_a_plan_is_kept_apart_by_whatever_a_viewer_is_or_binds_it(
    execution_paths: ExecutionPaths,
) -> None:
    viewer = Viewer(role="city", now=await registry_time())
    others: dict[str, Any] = {
        "role": "county", "may_initiate": True, "may_approve": True, "appointment_expired": True,
        "is_sanctioned": True, "is_frozen": True, "registry_is_empty": True,
        "scopes": frozenset(),
    }  # fmt: skip

    for name, value in others.items():
        assert replace(viewer, **{name: value}).policy_key != viewer.policy_key, name
    asked = {field.name for field in fields(Viewer) if field.init} - UNASKED
    bound = {"appointment_id" if name == "appointment" else name for name in viewer.bind_values()}
    assert asked - set(others) == bound - {"role"}
    assert VIEWER_FACTS.keys() == {
        "scope_missing", "appointment_lapsed", "sanctioned", "frozen", "may_initiate",
        "may_approve", "beginning",
    }  # fmt: skip


async def test_two_clients_that_differ_only_in_scopes_never_share_a_plan(
    execution_paths: ExecutionPaths,
) -> None:
    officer = await viewer_of_role("city")
    document = "{ transfers(first: 100) { totalCount nodes { id price } } }"
    sets = [
        frozenset[str](),
        frozenset({"Transfer:view"}),
        frozenset({"Transfer:view", "Transfer:view_price"}),
        frozenset({"Account:view"}),
        None,
    ]
    plans: dict[frozenset[str] | None, Plan] = {}
    answers = {}

    for scopes in (*sets, *reversed(sets)):
        viewer = replace(officer, scopes=scopes)
        plan, _ = execution_paths.plan(viewer, document, {})
        assert plans.setdefault(scopes, plan) is plan
        answers[scopes] = await assert_same_answers(execution_paths, viewer, document)

    assert len({id(plan) for plan in plans.values()}) == len(sets)
    assert [answers[scopes].data["transfers"]["totalCount"] > 0 for scopes in sets] == [
        False, True, True, False, True,
    ]  # fmt: skip
    without_prices = answers[frozenset({"Transfer:view"})].data["transfers"]["nodes"]
    assert {node["price"] for node in without_prices} == {None}


async def test_one_plan_serves_two_organisations_and_shows_neither_the_others_rows(
    execution_paths: ExecutionPaths,
) -> None:
    holders = await fetch_all(
        "SELECT DISTINCT organisation_id AS id FROM account a JOIN organisation o"
        " ON o.id = a.organisation_id WHERE o.kind = 'enterprise' ORDER BY 1 LIMIT 6"
    )
    officer = await viewer_of_role("enterprise")
    whose: dict[UUID, set[str]] = {}
    plans = set()

    for holder in (*holders, *reversed(holders)):
        viewer = replace(officer, organisation=holder["id"], person=NIL, appointment_id=NIL)
        plans.add(id(execution_paths.plan(viewer, EVERYTHING, {})[0]))
        answer = await assert_same_answers(execution_paths, viewer, EVERYTHING)
        accounts = seen(answer, "accounts")
        assert accounts
        assert whose.setdefault(holder["id"], accounts) == accounts

    assert len(plans) == 1
    assert sum(len(accounts) for accounts in whose.values()) == len(set().union(*whose.values()))


async def test_one_plan_serves_two_divisions_and_shows_neither_the_others_rows(
    execution_paths: ExecutionPaths,
) -> None:
    officer = await viewer_of_role("city")
    cities = await fetch_all("SELECT DISTINCT city FROM account WHERE city <> '130000' ORDER BY 1")
    document = "{ accounts(first: 100) { totalCount nodes { id } } }"
    whose: dict[str, set[str]] = {}

    assert len(cities) > 1
    for found in (*cities, *reversed(cities)):
        viewer = replace(officer, division=found["city"], organisation=NIL, person=NIL)
        accounts = seen(await assert_same_answers(execution_paths, viewer, document), "accounts")
        assert whose.setdefault(found["city"], accounts) == accounts

    assert any(whose.values())
    assert sum(len(accounts) for accounts in whose.values()) == len(set().union(*whose.values()))


async def test_a_viewer_of_no_division_sees_nothing_that_has_none(
    execution_paths: ExecutionPaths,
) -> None:
    """An empty code is the code of no place, though rows hold it where they lie in no county."""
    officer = replace(await viewer_of_role("county"), division="", organisation=NIL, person=NIL)

    answer = await assert_same_answers(
        execution_paths, officer, "{ accounts(first: 100) { nodes { id } } }"
    )

    assert seen(answer, "accounts") == set()
