"""Whatever is asked: nothing tells of an object that may not be seen, or of a masked field."""

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
from registry.db.session import row
from registry.reading.catalog import Catalogue, Paged
from schema.framework.global_ids import global_id
from schema.planning.planner import QUERY
from tests.reading.argument_generator import Known, Sender, Sent
from tests.reading.execution_paths import Answer, Doors, open_doors
from tests.reading.extreme_rows import without_triggers
from tests.reading.hidden_objects import Hidden, change_what_is_masked, hide, reveal_nothing
from tests.reading.query_generator import Asker
from tests.reading.world import known, now, somebody_of
from tests.support.cluster import Server
from tests.support.demo_databases import Told, a_copy

INVENTED = hypothesis.settings().max_examples // 3
OF_EACH = 1 if INVENTED < 100 else 4
"""So many questions about each filter and order, beside those about all of a list."""

MACHINES = ("public", "registry", "operator")
SEES_ALL = frozenset({"province", "centre", "auditor", "registry"})
"""Roles before which nobody hides anything, or little."""

AGAINST: dict[str, dict[str, object]] = {
    "": {},
    "lapsed": {"lapsed": True},
    "a client that may only see transfers": {"scopes": frozenset({"Transfer:view"})},
}


@dataclass(frozen=True)
class Question:
    """A document and what is sent with it."""

    document: str
    sent: Sent

    def __str__(self) -> str:
        return f"{self.document}\n{self.sent}"


@pytest.fixture
async def doors(
    server: Server, wide_founding: Told
) -> AsyncIterator[tuple[Doors, asyncpg.Connection]]:
    async with a_copy(server, wide_founding) as database, open_doors(database) as doors:
        owner = await asyncpg.connect(database.owner_url)
        await without_triggers(owner, "DISABLE")
        yield doors, owner
        await owner.close()


def _cases() -> Iterator[object]:
    for role in VOCABULARY.roles:
        yield pytest.param(role, "", id=role)
        if role not in MACHINES:
            for against in list(AGAINST)[1:]:
                seldom = () if role == "enterprise" else (pytest.mark.long,)
                yield pytest.param(role, against, marks=seldom, id=f"{role}, {against}")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("role", "against"), list(_cases()))
async def test_no_answer_depends_on_what_may_not_be_seen(
    doors: tuple[Doors, asyncpg.Connection], role: str, against: str
) -> None:
    opened, owner = doors
    planner = opened.schema.planner
    assert planner is not None
    viewer = await _viewer(role, AGAINST[against])
    hidden = await hide(owner, viewer, planner.catalogue)
    asked = list(questions(opened, hidden, await known(planner.catalogue, hidden)))

    there = [await _answers(opened, viewer, question) for question in asked]
    await reveal_nothing(owner, hidden, planner.catalogue)
    changed = await change_what_is_masked(owner, viewer, planner.catalogue)

    assert role in SEES_ALL or (changed and any(hidden.values()))
    for question, before in zip(asked, there, strict=True):
        after = await _answers(opened, viewer, question)
        for told, tells in zip(before, after, strict=True):
            assert _same(told, tells), f"{role} {against} {told} {tells}\n{question}"


async def _viewer(role: str, against: dict[str, Any]) -> Viewer:
    if role in MACHINES:
        return Viewer(role=role, now=await now())
    if role == "portal":
        found = await row("SELECT id FROM organisation WHERE kind = 'portal' ORDER BY id LIMIT 1")
        acts = Viewer(role=role, now=await now(), organisation=found["id"] if found else NIL)
        return replace(acts, **against)
    return replace(await somebody_of(role), **against)


async def _answers(doors: Doors, viewer: Viewer, question: Question) -> tuple[Answer, ...]:
    """By resolvers and by plans."""
    whole = await doors.planned(viewer, question.document, question.sent)
    if whole is None:
        by_plans = await doors.executed(viewer, question.document, question.sent)
    else:
        by_plans = Answer(whole)
    return await doors.resolved(viewer, question.document, question.sent), by_plans


def _same(told: Answer, tells: Answer) -> bool:
    """To the letter; of several faults those found first are told, which is a matter of luck."""
    if json.dumps(told.data) != json.dumps(tells.data):
        return False
    if [each[0] for each in told.errors] == [each[0] for each in tells.errors]:
        return told.errors == tells.errors
    return bool(told.errors) == bool(tells.errors)


def questions(doors: Doors, hidden: Hidden, there: Known) -> Iterator[Question]:
    """Every list in every order, narrowed by and beginning at what is hidden; and anything else."""
    planner = doors.schema.planner
    assert planner is not None
    for name, field in planner.catalogue[QUERY].fields.items():
        if isinstance(field.read, Paged):
            yield from _of_list(name, field.read, planner.catalogue, there)
    for kind, ids in hidden.items():
        for id in ids[:OF_EACH]:
            yield from _of_object(kind, global_id(kind, id))
    for nested in ("accounts", "permits", "constructionProjects", "sales", "purchases"):
        inner = f"{nested}(last: 3) {{ totalCount nodes {{ id maskedFields }} }}"
        document = f"{{ organisations(first: 100) {{ nodes {{ id {inner} }} }} }}"
        yield Question(document, {})
    chance = random.Random(len(hidden))  # noqa: S311 - the same questions again
    for _ in range(INVENTED):
        asked = Asker(doors.schema._schema, Sender(there, chance)).asked()
        yield Question(asked.document, asked.variables[0])


def _of_list(name: str, paged: Paged, catalogue: Catalogue, there: Known) -> Iterator[Question]:
    sums = " ".join(paged.sums)
    masked = " ".join(field for field in catalogue[paged.to].masks if field in _LEAVES)
    led = " ".join(_LEADS.get(paged.to, ()))
    shape = f"""{{ totalCount {sums}
        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
        edges {{ cursor node {{ id {masked} availableActions maskedFields
            history(first: 3) {{ operation personName person {{ id }} }} {led} }} }} }}"""
    for order in paged.orders:
        for size in ("first: 100", "last: 2"):
            yield Question(f"{{ {name}({size}, orderBy: {order}) {shape} }}", {})
        for place in there.cursors[f"{paged.to}Order", order][:OF_EACH]:
            page = f'first: 2, after: "{place}", orderBy: {order}'
            yield Question(f"{{ {name}({page}) {shape} }}", {})
    document = f"query ($where: {paged.to}Where) {{ {name}(first: 3, where: $where) {shape} }}"
    for field, by in paged.where.items():
        kind = {"party": "Organisation", "seller": "Organisation", "buyer": "Organisation"}
        if by.reads is not None:
            for id in there.ids[kind.get(field, field.capitalize())][:OF_EACH]:
                yield Question(document, {"where": {field: id}})
        for word in there.words.get((f"{paged.to}Where", field), ())[:OF_EACH]:
            yield Question(document, {"where": {field: {"in": [word, "x"]}}})


_LEADS = {
    "Appointment": ("proposedBy { name }", "person { name }"),
    "Certificate": ("transfer { id }",),
    "Freeze": ("account { id }",),
    "Agreement": ("milestones { links { __typename id } }", "parties { signedBy { id } }"),
}
_LEAVES = frozenset({
    "creditCode", "installedMw", "twoRepresentatives", "price", "sum", "bankReference",
})  # fmt: skip


def _of_object(kind: str, id: str) -> Iterator[Question]:
    yield Question(f'{{ node(id: "{id}") {{ id __typename }} }}', {})
    on = f"... on {kind} {{ availableActions history {{ verb }} }}"
    yield Question(f'{{ node(id: "{id}") {{ {on} }} }}', {})
    for verb in VOCABULARY.kinds[kind].verbs[:2]:
        why = f'why(kind: "{kind}", verb: "{verb.name}", id: "{id}")'
        yield Question(f"{{ {why} {{ allowed rule }} }}", {})
