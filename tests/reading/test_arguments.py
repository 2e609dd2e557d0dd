"""Arguments of a query, as an attacker would send them."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from registry.access.principals import Viewer
from registry.db.session import fetch_all, fetch_one
from schema.framework.global_ids import to_global_id
from tests.reading.execution_paths import (
    Answer,
    ExecutionPaths,
    assert_same_answers,
    open_execution_paths,
)
from tests.reading.world import registry_time, viewer_of_role
from tests.support.cluster import Server
from tests.support.cursors import encode_cursor
from tests.support.demo_databases import LoadedDemo, open_demo_copy

PERSON_ID = UUID(int=1)
PERSON = to_global_id("Person", PERSON_ID)


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
async def province(execution_paths: ExecutionPaths) -> Viewer:
    return await viewer_of_role("province")


@pytest.fixture
async def public(execution_paths: ExecutionPaths) -> Viewer:
    return Viewer(role="public", now=await registry_time())


def codes(answer: Answer) -> list[str]:
    return [code for _, _, code in answer.errors]


def cursor(*said: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


ROWS = "permits(first: 2{}) {{ nodes {{ id }} }}"
NO_ROW = "permits(first: 2{}) {{ __typename pageInfo {{ hasPreviousPage }} }}"
PLACE = str(PERSON_ID)
MALFORMED = {
    "a cursor of nothing": ', after: "x"',
    "a cursor of another list": f', after: "{cursor("Organisation NAME", "name", PLACE)}"',
    "a cursor of another order": ", orderBy: NUMBER,"
    f' after: "{cursor("Permit NEWEST", "2022-06-07T10:00:00+08:00", PLACE)}"',
    "a cursor before time": ", after:"
    f' "{cursor("Permit NEWEST", "0001-01-01T00:00:00+23:59", PLACE)}"',
    "a cursor without a zone": ", after:"
    f' "{cursor("Permit NEWEST", "2022-06-07T10:00:00", PLACE)}"',
    "an identifier of another kind": f', where: {{organisation: "{PERSON}"}}',
    "no identifier": ', where: {organisation: "\'; DROP TABLE audit_entry; --"}',
    "too many values": f", where: {{city: {json.dumps(['x'] * 101)}}}",
    "two sizes": ", last: 2",
}


@pytest.mark.parametrize("shape", [ROWS, NO_ROW])
@pytest.mark.parametrize("what", MALFORMED)
async def test_what_is_malformed_is_refused_whatever_is_asked_of_the_page(
    execution_paths: ExecutionPaths, province: Viewer, shape: str, what: str
) -> None:
    answer = await assert_same_answers(
        execution_paths, province, f"{{ {shape.format(MALFORMED[what])} }}"
    )

    assert codes(answer) == ["MALFORMED"], answer
    assert (
        await execution_paths.answer_by_plan(province, f"{{ {shape.format(MALFORMED[what])} }}", {})
        is None
    )


async def test_a_year_that_no_column_holds_is_no_cursor(
    execution_paths: ExecutionPaths, public: Viewer
) -> None:
    for year in (2**31, -(2**31) - 1, 2**62, 10**30):
        place = cursor("Assessment NEWEST", year, str(PERSON_ID))
        document = f'{{ assessments(first: 1, after: "{place}") {{ nodes {{ id }} }} }}'
        answer = await assert_same_answers(execution_paths, public, document)
        assert codes(answer) == ["MALFORMED"]


async def test_at_most_a_hundred_values_are_taken(
    execution_paths: ExecutionPaths, province: Viewer
) -> None:
    document = "query ($in: [String!]) { permits(first: 1, where: {city: $in}) { totalCount } }"

    for number, code in ((0, []), (100, []), (101, ["MALFORMED"])):
        answer = await assert_same_answers(
            execution_paths, province, document, {"in": ["131000"] * number}
        )
        assert codes(answer) == code


@pytest.mark.parametrize(
    "where",
    [
        "null", "{}", "{city: null}", "{number: {}}", "{number: {eq: null}}",
        "{number: {in: null}}", "{city: []}", '{number: {eq: null, in: ["131000"]}}',
        '{city: "131000"}', "{organisation: null}", '{number: {eq: "131000", in: ["130200"]}}',
    ],
)  # fmt: skip
async def test_nothing_narrows_nothing(
    execution_paths: ExecutionPaths, province: Viewer, where: str
) -> None:
    await assert_same_answers(
        execution_paths, province, f"{{ permits(first: 9, where: {where}) {{ totalCount }} }}"
    )


PRICES = "{{ transfers(first: 99, where: {}) {{ totalCount nodes {{ price }} }} }}"


async def test_a_masked_column_of_which_nothing_is_asked_hides_no_row(
    execution_paths: ExecutionPaths,
) -> None:
    auditor = await viewer_of_role("auditor")
    everything = await assert_same_answers(execution_paths, auditor, PRICES.format("null"))

    for empty in ("{price: {}}", "{price: {gte: null, lt: null}}"):
        found = await assert_same_answers(execution_paths, auditor, PRICES.format(empty))
        assert found == everything


async def test_a_masked_column_selects_nothing_for_whom_it_is_masked(
    execution_paths: ExecutionPaths, province: Viewer
) -> None:
    auditor = await viewer_of_role("auditor")
    asked, found = PRICES.format('{price: {gte: "0.01"}}'), {}
    for viewer in (auditor, province):
        for document in (PRICES.format("null"), asked):
            answer = await assert_same_answers(execution_paths, viewer, document)
            found[viewer.role, document == asked] = answer.data["transfers"]["nodes"]

    assert found["province", True] == found["province", False]
    shown = [node for node in found["auditor", False] if node["price"]]
    assert 0 < len(shown) < len(found["auditor", False])
    assert found["auditor", True] == shown


SHAPES: list[dict[str, Any]] = [
    {}, {"n": 2}, {"n": 3}, {"m": 2}, {"n": None, "m": 2}, {"n": 2, "m": None}, {"n": 2, "m": 2},
    {"n": 0}, {"n": 101}, {"n": 2, "w": None}, {"n": 2, "w": {}}, {"n": 2, "w": {"city": None}},
    {"n": 2, "w": {"city": "131000"}}, {"n": 2, "w": {"city": ["131000", "130200"]}},
    {"n": 2, "w": {"number": {"eq": "131000", "in": []}}}, {"n": 2, "o": "NUMBER"},
    {"n": 2, "o": "NEWEST"}, {"n": 2, "a": None}, {"n": 2, "x": True}, {"n": 2, "x": False},
]  # fmt: skip


async def test_one_document_has_a_plan_for_every_shape_of_its_variables(
    execution_paths: ExecutionPaths, province: Viewer
) -> None:
    """Each shape twice, so that it meets the plans that the others left."""
    document = """query ($n: Int, $m: Int, $w: PermitWhere, $o: PermitOrder! = NEWEST, $a: String,
        $x: Boolean! = true, $day: Date) {
        permits(first: $n, last: $m, where: $w, orderBy: $o, after: $a) {
            totalCount nodes @include(if: $x) { number limits(asOf: $day) { quantity } }
            edges @skip(if: $x) { cursor }
        }
    }"""

    for sent in (*SHAPES, *reversed(SHAPES)):
        for day in ({}, {"day": None}, {"day": "2022-06-07"}):
            await assert_same_answers(execution_paths, province, document, sent | day)


async def test_one_variable_serves_at_places_of_several_types(
    execution_paths: ExecutionPaths, province: Viewer
) -> None:
    found = await fetch_one("SELECT city, name FROM organisation ORDER BY id LIMIT 1")
    assert found is not None
    document = """query ($text: String! = "131000", $id: ID!, $at: DateTime!) {
        organisations(first: 5, where: {city: [$text], name: {in: [$text, "x"]}}) { totalCount }
        counties(city: $text) { code } certificate(number: $text) { id }
        node(id: $id) { id ... on Organisation { stateAt(asOf: $at) name } }
        permits(first: 2, where: {organisation: $id, number: {in: [$text]}}) { totalCount }
        transfers(first: 2, where: {seller: $id, draftedAt: {gte: $at, lt: $at}}) { totalCount }
    }"""

    for each in await fetch_all("SELECT id FROM organisation ORDER BY id LIMIT 3"):
        for text in ("131000", found["city"], found["name"], "'", "\\", "$1", "%", ":now", "{t}"):
            sent = {"text": text, "id": to_global_id("Organisation", each["id"])}
            answer = await assert_same_answers(
                execution_paths, province, document, sent | {"at": "2022-06-07T00:00:00Z"}
            )
            assert not answer.errors


async def test_what_is_named_decides_of_which_kind_it_is(
    execution_paths: ExecutionPaths, province: Viewer
) -> None:
    document = "query ($id: ID!) { node(id: $id) { id __typename ... on Permit { number } } }"
    kinds = {"Permit": "permit", "Person": "person", "Transfer": "transfer"}
    answers = {}

    for kind, table in (*kinds.items(), *kinds.items()):
        found = await fetch_one(f"SELECT id FROM {table} ORDER BY id LIMIT 1")
        assert found is not None
        sent = {"id": to_global_id(kind, found["id"])}
        answers[kind] = await assert_same_answers(execution_paths, province, document, sent)
        other = next(each for each in kinds if each != kind)
        wrong = await assert_same_answers(
            execution_paths, province, document, {"id": to_global_id(other, found["id"])}
        )
        assert wrong.data == {"node": None}
    for unknown in ("Query", "Instrument", "Entry", "permit", 'Permit\\" OR true'):
        sent = {"id": to_global_id(unknown, PERSON_ID)}
        assert (await assert_same_answers(execution_paths, province, document, sent)).data == {
            "node": None
        }

    assert {each.data["node"]["__typename"] for each in answers.values()} == set(kinds)


async def test_a_variable_of_another_type_is_refused(
    execution_paths: ExecutionPaths, province: Viewer
) -> None:
    document = """query ($w: PermitWhere, $n: Int! = 1, $day: Date, $at: DateTime, $id: ID) {
        permits(first: $n, where: $w) { totalCount nodes { limits(asOf: $day) { quantity } } }
        transfers(first: 1, where: {draftedAt: {lt: $at}, seller: $id}) { totalCount }
    }"""
    wrong: list[dict[str, Any]] = [
        {"w": {"city": 1}}, {"w": {"city": [1]}}, {"w": {"number": "131000"}},
        {"w": {"x": 1}}, {"w": []}, {"w": "{}"}, {"n": "1"}, {"n": 1.5}, {"n": True}, {"n": None},
        {"n": 2**31}, {"n": [1]}, {"day": "2022-02-30"}, {"day": 20220607}, {"day": "infinity"},
        {"at": "2022-06-07"}, {"at": "now"}, {"at": "0001-01-01T00:00:00Z"}, {"id": {}},
        {"id": True}, {"id": "'"}, {"id": 5},
    ]  # fmt: skip

    for sent in wrong:
        refused = await execution_paths.answer_by_executor(province, document, sent)
        assert refused.data is None, sent
        assert refused.errors, sent
        assert await execution_paths.answer_by_plan(province, document, sent) is None


async def test_null_for_a_default_is_refused_where_a_value_is_required(
    execution_paths: ExecutionPaths, province: Viewer
) -> None:
    document = f'query ($id: ID = "{PERSON}") {{ node(id: $id) {{ id }} }}'
    answer = await assert_same_answers(execution_paths, province, document, {"id": None})

    assert answer.errors


async def test_a_cursor_is_of_its_list_and_order_alone(
    execution_paths: ExecutionPaths, province: Viewer
) -> None:
    """One of a place that the viewer does not see is a place like any other."""
    place = encode_cursor("Organisation NAME", "zzz", PERSON_ID)

    after = await assert_same_answers(
        execution_paths,
        province,
        f'{{ organisations(first: 1, after: "{place}") {{ nodes {{ id }} }} }}',
    )
    newest = await assert_same_answers(
        execution_paths,
        province,
        f'{{ organisations(first: 1, orderBy: NEWEST, after: "{place}") {{ nodes {{ id }} }} }}',
    )
    people = await assert_same_answers(
        execution_paths, province, f'{{ clients(last: 1, before: "{place}") {{ totalCount }} }}'
    )

    assert not after.errors
    assert codes(newest) == codes(people) == ["MALFORMED"]
    assert "`before` is no cursor of this list in this order (Client NAME)." in str(people.errors)


async def test_a_viewer_without_rights_learns_only_the_ends_of_a_page(
    execution_paths: ExecutionPaths, public: Viewer
) -> None:
    place = encode_cursor("Person SUBJECT", "2022", PERSON_ID)
    info = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"

    forward = await assert_same_answers(
        execution_paths, public, f'{{ people(first: 1, after: "{place}") {{ totalCount {info} }} }}'
    )
    backward = await assert_same_answers(
        execution_paths, public, f'{{ people(last: 1, before: "{place}") {{ totalCount {info} }} }}'
    )

    nothing = {"startCursor": None, "endCursor": None}
    assert forward.data["people"]["pageInfo"] == nothing | {
        "hasNextPage": False,
        "hasPreviousPage": True,
    }
    assert backward.data["people"]["pageInfo"] == nothing | {
        "hasNextPage": True,
        "hasPreviousPage": False,
    }


_AT = 'since: "2022-06-07T00:00:00Z", until: "2022-06-07T00:00:00Z"'
_STATEMENT = f"statement(instrument: $id, first: 101, {_AT}) {{ sequence }}"
_NESTED = {
    "o n 0 permits": (
        "{ o: organisations(first: 1) { n: nodes { permits(first: 101) { totalCount } } } }"
    ),
    "organisations edges 0 node sales": """{ organisations(last: 1) { edges { node {
        sales(first: 1, after: "x") { totalCount } } } } }""",
    "permits nodes 0 organisation accounts nodes 0 statement": f"""query ($id: ID! = "x") {{
        permits(first: 1) {{ nodes {{ organisation {{ accounts(first: 1) {{ nodes {{
            {_STATEMENT} }} }} }} }} }} }}""",
}


@pytest.mark.parametrize("path", _NESTED)
async def test_a_refused_argument_is_reported_at_its_own_field(
    execution_paths: ExecutionPaths, province: Viewer, path: str
) -> None:
    answer = await assert_same_answers(execution_paths, province, _NESTED[path])

    ((at, _, code),) = answer.errors
    keys = [int(key) if key.isdigit() else key for key in path.split()]
    assert (at, code) == (str(keys), "MALFORMED")
