"""Random queries: no response reveals an invisible object or a masked field."""

import json
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import hypothesis
import pytest

from policies.vocabulary import VOCABULARY
from registry.access.principals import NIL, Viewer
from registry.db.session import fetch_one
from registry.reading.catalog import Catalog, ConnectionField
from registry.reading.enum_names import enum_name
from schema.framework.global_ids import to_global_id
from schema.planning.planner import QUERY
from tests.reading.argument_generator import ArgumentGenerator, ExistingValues, VariableValues
from tests.reading.execution_paths import Answer, ExecutionPaths, open_execution_paths
from tests.reading.extreme_rows import without_triggers
from tests.reading.hidden_objects import (
    Hidden,
    assert_nothing_visible,
    change_masked_columns,
    insert_hidden,
)
from tests.reading.query_generator import QueryGenerator
from tests.reading.world import load_existing, registry_time, viewer_of_role
from tests.support.cluster import Server
from tests.support.demo_databases import LoadedDemo, open_demo_copy

GENERATED_QUERIES = hypothesis.settings().max_examples // 3
CASES_PER_ROLE = 1 if GENERATED_QUERIES < 100 else 4
"""Number of questions about each filter and order, beside those about all of a list."""

SYSTEM_ROLES = ("public", "registry", "operator")
SEES_ALL = frozenset({"province", "centre", "auditor", "registry"})
"""Roles that see everything, or almost."""

AGAINST: dict[str, dict[str, object]] = {
    "": {},
    "lapsed": {"appointment_expired": True},
    "a client that may only see transfers": {"scopes": frozenset({"Transfer:view"})},
}


@dataclass(frozen=True)
class LeakQuery:
    """A document and what is sent with it."""

    document: str
    sent: VariableValues

    def __str__(self) -> str:
        return f"{self.document}\n{self.sent}"


@pytest.fixture
async def execution_paths(
    server: Server, extended_founding_demo: LoadedDemo
) -> AsyncIterator[tuple[ExecutionPaths, asyncpg.Connection]]:
    async with (
        open_demo_copy(server, extended_founding_demo) as database,
        open_execution_paths(database) as execution_paths,
    ):
        owner = await asyncpg.connect(database.owner_url)
        await without_triggers(owner, "DISABLE")
        yield execution_paths, owner
        await owner.close()


def _cases() -> Iterator[object]:
    for role in VOCABULARY.roles:
        yield pytest.param(role, "", id=role)
        if role not in SYSTEM_ROLES:
            for against in list(AGAINST)[1:]:
                seldom = () if role == "enterprise" else (pytest.mark.long,)
                yield pytest.param(role, against, marks=seldom, id=f"{role}, {against}")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("role", "against"), list(_cases()))
async def test_no_answer_depends_on_what_may_not_be_seen(
    execution_paths: tuple[ExecutionPaths, asyncpg.Connection], role: str, against: str
) -> None:
    opened, owner = execution_paths
    planner = opened.schema.planner
    assert planner is not None
    viewer = await _viewer(role, AGAINST[against])
    hidden = await insert_hidden(owner, viewer, planner.catalog)
    asked = list(questions(opened, hidden, await load_existing(planner.catalog, hidden)))

    there = [await _answer(opened, viewer, question) for question in asked]
    await assert_nothing_visible(owner, hidden, planner.catalog)
    changed = await change_masked_columns(owner, viewer, planner.catalog)

    assert role in SEES_ALL or (changed and any(hidden.values()))
    for question, before in zip(asked, there, strict=True):
        after = await _answer(opened, viewer, question)
        assert _same(before, after), f"{role} {against} {before} {after}\n{question}"


async def _viewer(role: str, against: dict[str, Any]) -> Viewer:
    if role in SYSTEM_ROLES:
        return Viewer(role=role, now=await registry_time())
    if role == "portal":
        found = await fetch_one(
            "SELECT id FROM organisation WHERE kind = 'portal' ORDER BY id LIMIT 1"
        )
        acts = Viewer(
            role=role, now=await registry_time(), organisation=found["id"] if found else NIL
        )
        return replace(acts, **against)
    return replace(await viewer_of_role(role), **against)


async def _answer(execution_paths: ExecutionPaths, viewer: Viewer, question: LeakQuery) -> Answer:
    whole = await execution_paths.answer_by_plan(viewer, question.document, question.sent)
    if whole is not None:
        return Answer(whole)
    return await execution_paths.answer_by_executor(viewer, question.document, question.sent)


def _same(answered: Answer, tells: Answer) -> bool:
    """Compared exactly; of several errors the first found are reported, which may vary."""
    if json.dumps(answered.data) != json.dumps(tells.data):
        return False
    if [each[0] for each in answered.errors] == [each[0] for each in tells.errors]:
        return answered.errors == tells.errors
    return bool(answered.errors) == bool(tells.errors)


def questions(
    execution_paths: ExecutionPaths, hidden: Hidden, there: ExistingValues
) -> Iterator[LeakQuery]:
    """Every list in every order, narrowed by and beginning at what is hidden; and anything else."""
    planner = execution_paths.schema.planner
    assert planner is not None
    for name, field in planner.catalog[QUERY].fields.items():
        if isinstance(field.source, ConnectionField):
            yield from _of_list(name, field.source, planner.catalog, there)
    for kind, ids in hidden.items():
        for id in ids[:CASES_PER_ROLE]:
            yield from _of_object(kind, to_global_id(kind, id))
    for nested in ("accounts", "permits", "constructionProjects", "sales", "purchases"):
        inner = f"{nested}(last: 3) {{ totalCount nodes {{ id maskedFields }} }}"
        document = f"{{ organisations(first: 100) {{ nodes {{ id {inner} }} }} }}"
        yield LeakQuery(document, {})
    chance = random.Random(len(hidden))  # noqa: S311 - the same questions again
    for _ in range(GENERATED_QUERIES):
        asked = QueryGenerator(
            execution_paths.schema._schema, ArgumentGenerator(there, chance)
        ).generate()
        yield LeakQuery(asked.document, asked.variables[0])


def _of_list(
    name: str, paged: ConnectionField, catalogue: Catalog, there: ExistingValues
) -> Iterator[LeakQuery]:
    sums = " ".join(paged.totals)
    masked = " ".join(field for field in catalogue[paged.node_type].masks if field in _LEAVES)
    led = " ".join(_LEADS.get(paged.node_type, ()))
    shape = f"""{{ totalCount {sums}
        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
        edges {{ cursor node {{ id {masked} availableActions maskedFields
            history(first: 3) {{ totalCount nodes {{ operation personName person {{ id }} }} }}
            {led} }} }} }}"""
    for order in paged.orders:
        for size in ("first: 100", "last: 2"):
            yield LeakQuery(f"{{ {name}({size}, orderBy: {order.upper()}) {shape} }}", {})
        for place in there.cursors[f"{paged.node_type}Order", order][:CASES_PER_ROLE]:
            page = f'first: 2, after: "{place}", orderBy: {order.upper()}'
            yield LeakQuery(f"{{ {name}({page}) {shape} }}", {})
    document = (
        f"query ($where: {paged.node_type}Where) {{ {name}(first: 3, where: $where) {shape} }}"
    )
    for field, by in paged.filters.items():
        kind = {"party": "Organisation", "seller": "Organisation", "buyer": "Organisation"}
        if by.parse is not None:
            for id in there.ids[kind.get(field, field.capitalize())][:CASES_PER_ROLE]:
                yield LeakQuery(document, {"where": {field: id}})
        for word in there.words.get((f"{paged.node_type}Where", field), ())[:CASES_PER_ROLE]:
            one_of = [word, "x"]
            where = {field: {"in": one_of} if field in _BY_NAME else one_of}
            yield LeakQuery(document, {"where": where})


_BY_NAME = frozenset({"name", "number", "title"})
_LEADS = {
    "Appointment": ("proposedBy { name }", "person { name }"),
    "Certificate": ("transfer { id }",),
    "Freeze": ("account { id }",),
    "Agreement": ("milestones { links { __typename id } }", "parties { signedBy { id } }"),
}
_LEAVES = frozenset({
    "installedMw", "twoRepresentatives", "price", "sum", "bankReference",
})  # fmt: skip


def _of_object(kind: str, id: str) -> Iterator[LeakQuery]:
    yield LeakQuery(f'{{ node(id: "{id}") {{ id __typename }} }}', {})
    history = "history(last: 9) { edges { cursor node { verb } } }"
    on = f"... on {kind} {{ availableActions {history} }}"
    yield LeakQuery(f'{{ node(id: "{id}") {{ {on} }} }}', {})
    for verb in VOCABULARY.kinds[kind].verbs[:2]:
        words = f"kind: {enum_name(kind)}, verb: {enum_name(verb.name)}"
        why = f'explainPermission({words}, id: "{id}")'
        yield LeakQuery(f"{{ {why} {{ allowed rule }} }}", {})
