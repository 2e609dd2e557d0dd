"""An invisible object answers like an absent one: no request reveals which objects exist.

The mutations are held by the sweep; here are the questions.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type, is_required_argument

from policies.vocabulary import VOCABULARY
from registry.access.authorizer import authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.access.viewer_lookup import resolve_viewer
from registry.reading.enum_names import enum_name
from schema.build import _strawberry_field
from schema.framework.global_ids import to_global_id
from schema.framework.inputs import NODE_ID_KEY
from schema.root import build_api_schema
from tests.end_to_end.expected_decisions import Records, rolled_back
from tests.end_to_end.users import USERS, DemoUser
from tests.support.live_server import Portal

VIEWERS = (
    "langfang-initiator",
    "guan-approver",
    "enterprise-4-initiator",
    "cib-approver",
    "centre-approver",
    "auditor",
    "an officer whose time has run out",
    "an officer through a program",
    "a program",
    "the public",
)

MALFORMED = ("", "x", "====", "T3JnYW5pc2F0aW9uOjE", "\u6392\u6c61", "a" * 5000)
"""Texts that are no identifier: empty, short, padding, of a kind and no key, no ASCII, long."""

SCHEMA = build_api_schema()
KINDS: dict[str, Kind] = {
    name: definition.origin.KIND  # type: ignore[union-attr]
    for name in VOCABULARY.kinds
    if (definition := SCHEMA.get_type_by_name(name)) is not None
}
LISTS = {
    get_named_type(field.type).name.removesuffix("Connection"): name
    for name, field in SCHEMA._schema.query_type.fields.items()  # type: ignore[union-attr]
    if get_named_type(field.type).name.endswith("Connection")
}
"""The list of each kind."""


def test_every_kind_is_listed_and_found() -> None:
    assert set(KINDS) == set(VOCABULARY.kinds) == set(LISTS)


@pytest.mark.parametrize("name", VIEWERS)
async def test_the_invisible_answers_as_the_absent(portal: Portal, name: str) -> None:
    who = USERS[name]
    viewer, records = await visible_objects(who), Records()

    for kind in KINDS.values():
        hidden = [
            r for r in await records.of(kind) if not authorizer.allows(viewer, kind, "view", r)
        ]
        if not hidden:
            continue
        invisible, absent = to_global_id(kind.name, hidden[0].pk), to_global_id(kind.name, uuid4())
        for query in questions(kind):
            answered = await who.ask(portal, query, {"id": invisible})
            assert answered == await who.ask(portal, query, {"id": absent}), query


def questions(kind: Kind) -> Iterator[str]:
    """Everything that can be asked about one object by its identifier."""
    yield "query ($id: ID!) { node(id: $id) { __typename id } }"
    for verb in VOCABULARY.kinds[kind.name].verbs[-2:]:
        words = f"kind: {enum_name(kind.name)}, verb: {enum_name(verb.name)}"
        yield f"""query ($id: ID!) {{ explainPermission({words}, id: $id) {{
            allowed rule reasons {{ en }} nearMisses {{ rule }} }} }}"""
    yield """query ($id: ID!) {
        explainPermission(kind: ORGANISATION, verb: CLOSE, id: $id) { allowed } }"""
    for name, where in filters(kind.name):
        yield f"""query ($id: ID!) {{ {name}(first: 5, where: {{ {where}: $id }}) {{
            nodes {{ id }} pageInfo {{ hasNextPage hasPreviousPage startCursor }} }} }}"""


def filters(kind: str) -> Iterator[tuple[str, str]]:
    """The lists that can be narrowed to what belongs to an object of the kind, and by which field.

    A list narrowed to an organisation differs by what else may be seen: those are public.
    """
    for name in LISTS.values():
        for field, of in _identifiers(name):
            if of == kind != "Organisation":
                yield name, field


def _identifiers(listed: str) -> Iterator[tuple[str, str]]:
    root = SCHEMA._schema.query_type
    assert root is not None
    where = root.fields[listed].args.get("where")
    form = get_named_type(where.type) if where else None
    if form is None:
        return
    assert isinstance(form, GraphQLInputObjectType)
    for name, field in form.fields.items():
        if get_named_type(field.type).name == "ID":
            yield name, _strawberry_field(field).metadata[NODE_ID_KEY]


@pytest.mark.parametrize("name", ["auditor", "a program", "the public"])
async def test_the_malformed_is_reported_alike_to_every_caller(portal: Portal, name: str) -> None:
    answers = [
        await USERS[name].ask(portal, "query ($id: ID!) { node(id: $id) { id } }", {"id": text})
        for text in MALFORMED
    ]

    codes = {answer["errors"][0]["extensions"]["code"] for answer in answers}
    assert codes == {"MALFORMED"}


async def test_the_identifier_of_another_kind_is_malformed_where_a_kind_is_named(
    portal: Portal,
) -> None:
    query = "query ($id: ID!) { transfers(first: 1, where: { seller: $id }) { nodes { id } } }"

    answer = await USERS["auditor"].ask(portal, query, {"id": to_global_id("Person", uuid4())})

    assert answer["errors"][0]["extensions"]["code"] == "MALFORMED"


LARGE = {"Agreement": 3}
"""Pages of what holds lists within lists."""


@pytest.mark.parametrize("name", VIEWERS)
async def test_no_answer_names_an_object_that_may_not_be_seen(portal: Portal, name: str) -> None:
    who = USERS[name]
    viewer, records = await visible_objects(who), Records()

    for kind, listed in LISTS.items():
        query = f"{{ {listed}(first: {LARGE.get(kind, 40)})"
        query += f" {{ nodes {{ {everything_query(kind)} }} }} }}"
        answer = await who.ask(portal, query)
        assert "errors" not in answer, answer["errors"]
        assert await hidden_ids(viewer, records, answer["data"]) == [], kind


@pytest.mark.parametrize("name", VIEWERS)
async def test_a_list_is_what_may_be_seen_and_nothing_else(portal: Portal, name: str) -> None:
    who = USERS[name]
    viewer, records = await visible_objects(who), Records()

    for kind, listed in LISTS.items():
        answer = await who.ask(portal, f"{{ {listed}(first: 100) {{ nodes {{ id }} }} }}")
        found = {node["id"] for node in answer["data"][listed]["nodes"]}
        assert found == {
            to_global_id(kind, record.pk)
            for record in await records.of(KINDS[kind])
            if authorizer.allows(viewer, KINDS[kind], "view", record)
        }


@pytest.mark.parametrize("name", VIEWERS)
async def test_the_work_list_matches_the_decisions(portal: Portal, name: str) -> None:
    who = USERS[name]
    viewer, records = await visible_objects(who), Records()

    answer = await who.ask(portal, "{ workList(first: 100) { kind verb objectId } }")

    found = {(item["verb"], item["objectId"]) for item in answer["data"]["workList"]}
    assert found == {
        (enum_name(verb.name), to_global_id(kind.name, record.pk))
        for kind in KINDS.values()
        for verb in VOCABULARY.kinds[kind.name].verbs
        if verb.creates_task
        for record in await records.of(kind)
        if authorizer.allows(viewer, kind, verb.name, record)
        and authorizer.allows(viewer, kind, "view", record)
    }


async def visible_objects(who: DemoUser) -> Viewer:
    """The viewer, as the facts see it."""
    async with rolled_back():
        return await resolve_viewer(await who.principal())


def everything_query(kind: str) -> str:
    """All fields of a type that need no argument, and the identifiers of what they lead to."""
    named = SCHEMA._schema.type_map[kind]
    assert isinstance(named, GraphQLObjectType)
    return " ".join(part for name in named.fields for part in _field(named, name))


def _field(named: GraphQLObjectType, name: str, depth: int = 0) -> Iterator[str]:
    field = named.fields[name]
    if any(is_required_argument(argument) for argument in field.args.values()):
        return
    inner = get_named_type(field.type)
    if not hasattr(inner, "fields"):
        yield name
    elif not isinstance(inner, GraphQLObjectType):
        yield f"{name} {{ ... on Governed {{ id }} }}"
    elif inner.name in KINDS:
        yield f"{name} {{ id }}"
    elif inner.name.endswith("Connection"):
        yield f"{name}(first: 3) {{ totalCount nodes {{ id }} }}"
    elif depth == 0:
        parts = [part for deeper in inner.fields for part in _field(inner, deeper, 1)]
        yield f"{name} {{ {' '.join(parts)} }}"


_ID = re.compile(r"[A-Za-z0-9_-]{40,120}")


async def hidden_ids(viewer: Viewer, records: Records, data: object) -> list[str]:
    """The identifiers in an answer that stand for something the viewer may not see."""
    found = []
    for kind, key in sorted(set(_ids_in(data)), key=str):
        known = {record.pk: record for record in await records.of(KINDS[kind])}
        if key not in known or not authorizer.allows(viewer, KINDS[kind], "view", known[key]):
            found.append(f"{kind}:{key}")
    return found


def _ids_in(data: Any) -> Iterator[tuple[str, UUID]]:  # noqa: ANN401 - any JSON
    if isinstance(data, dict):
        for name, value in data.items():
            if name not in PARTS:
                yield from _ids_in(value)
    elif isinstance(data, list):
        for item in data:
            yield from _ids_in(item)
    elif isinstance(data, str) and _ID.fullmatch(data):
        text = urlsafe_b64decode(data + "=" * (-len(data) % 4)).decode(errors="replace")
        kind, _, key = text.partition(":")
        if kind in KINDS:
            yield kind, UUID(key)


PARTS = {"postings"}
"""The holder of one side of a posting sees the account on the other side."""
