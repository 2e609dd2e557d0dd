"""What is sent with a query, as somebody sends it who wants it to be taken for something else."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from registry.access.principals import Viewer
from registry.db.session import row, rows
from registry.reading.keyset import cursor_of
from schema.framework.global_ids import global_id
from tests.reading.execution_paths import Answer, Doors, assert_alike, open_doors
from tests.reading.world import now, somebody_of
from tests.support.cluster import Server
from tests.support.demo_databases import Told, a_copy

SOMEBODY = UUID(int=1)
PERSON = global_id("Person", SOMEBODY)


@pytest.fixture
async def doors(server: Server, wide_founding: Told) -> AsyncIterator[Doors]:
    async with a_copy(server, wide_founding) as database, open_doors(database) as doors:
        yield doors


@pytest.fixture
async def province(doors: Doors) -> Viewer:
    return await somebody_of("province")


@pytest.fixture
async def public(doors: Doors) -> Viewer:
    return Viewer(role="public", now=await now())


def codes(answer: Answer) -> list[str]:
    return [code for _, _, code in answer.errors]


def cursor(*said: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


ROWS = "permits(first: 2{}) {{ nodes {{ id }} }}"
NO_ROW = "permits(first: 2{}) {{ __typename pageInfo {{ hasPreviousPage }} }}"
MALFORMED = {
    "a cursor of nothing": ', after: "x"',
    "a cursor of another list": f', after: "{cursor("name", str(SOMEBODY))}"',
    "a cursor of another order": f', orderBy: number, after: "{cursor(1, str(SOMEBODY))}"',
    "a cursor before time": f', after: "{cursor("0001-01-01T00:00:00+23:59", str(SOMEBODY))}"',
    "a cursor without a zone": f', after: "{cursor("2022-06-07T10:00:00", str(SOMEBODY))}"',
    "an identifier of another kind": f', where: {{organisation: "{PERSON}"}}',
    "no identifier": ', where: {organisation: "\'; DROP TABLE act; --"}',
    "too many values": f", where: {{city: {{in: {json.dumps(['x'] * 101)}}}}}",
    "two sizes": ", last: 2",
}


@pytest.mark.parametrize("shape", [ROWS, NO_ROW])
@pytest.mark.parametrize("what", MALFORMED)
async def test_what_is_malformed_is_refused_whatever_is_asked_of_the_page(
    doors: Doors, province: Viewer, shape: str, what: str
) -> None:
    answer = await assert_alike(doors, province, f"{{ {shape.format(MALFORMED[what])} }}")

    assert codes(answer) == ["MALFORMED"], answer
    assert await doors.planned(province, f"{{ {shape.format(MALFORMED[what])} }}", {}) is None


async def test_a_year_that_no_column_holds_is_no_cursor(doors: Doors, public: Viewer) -> None:
    for year in (2**31, -(2**31) - 1, 2**62, 10**30):
        place = cursor(year, str(SOMEBODY))
        document = f'{{ assessments(first: 1, after: "{place}") {{ nodes {{ id }} }} }}'
        answer = await assert_alike(doors, public, document)
        assert codes(answer) == ["MALFORMED"]


async def test_at_most_a_hundred_values_are_taken(doors: Doors, province: Viewer) -> None:
    document = (
        "query ($in: [String!]) { permits(first: 1, where: {city: {in: $in}}) { totalCount } }"
    )

    for number, code in ((0, []), (100, []), (101, ["MALFORMED"])):
        answer = await assert_alike(doors, province, document, {"in": ["131000"] * number})
        assert codes(answer) == code


@pytest.mark.parametrize(
    "where",
    [
        "null", "{}", "{city: null}", "{city: {}}", "{city: {eq: null}}", "{city: {in: null}}",
        "{city: {in: []}}", '{city: {eq: null, in: ["131000"]}}', '{city: {in: "131000"}}',
        "{organisation: null}", '{city: {eq: "131000", in: ["130200"]}}',
    ],
)  # fmt: skip
async def test_nothing_narrows_nothing(doors: Doors, province: Viewer, where: str) -> None:
    await assert_alike(doors, province, f"{{ permits(first: 9, where: {where}) {{ totalCount }} }}")


async def test_a_masked_column_of_which_nothing_is_asked_hides_no_row(
    doors: Doors, public: Viewer
) -> None:
    counted = "{{ organisations(first: 1, where: {}) {{ totalCount }} }}"
    everything = await assert_alike(doors, public, counted.format("null"))

    for empty in ("{creditCode: {}}", "{creditCode: {eq: null, in: null}}"):
        assert await assert_alike(doors, public, counted.format(empty)) == everything
    asked = await assert_alike(doors, public, counted.format('{creditCode: {in: ["x"]}}'))
    assert asked.data == {"organisations": {"totalCount": 0}}


SHAPES: list[dict[str, Any]] = [
    {}, {"n": 2}, {"n": 3}, {"m": 2}, {"n": None, "m": 2}, {"n": 2, "m": None}, {"n": 2, "m": 2},
    {"n": 0}, {"n": 101}, {"n": 2, "w": None}, {"n": 2, "w": {}}, {"n": 2, "w": {"city": None}},
    {"n": 2, "w": {"city": {"eq": "131000"}}}, {"n": 2, "w": {"city": {"in": ["131000"]}}},
    {"n": 2, "w": {"city": {"eq": "131000", "in": []}}}, {"n": 2, "o": "number"},
    {"n": 2, "o": "newest"}, {"n": 2, "a": None}, {"n": 2, "x": True}, {"n": 2, "x": False},
]  # fmt: skip


async def test_one_document_has_a_plan_for_every_shape_of_its_variables(
    doors: Doors, province: Viewer
) -> None:
    """Each shape twice, so that it meets the plans that the others left."""
    document = """query ($n: Int, $m: Int, $w: PermitWhere, $o: PermitOrder! = newest, $a: String,
        $x: Boolean! = true, $day: Date) {
        permits(first: $n, last: $m, where: $w, orderBy: $o, after: $a) {
            totalCount nodes @include(if: $x) { number limits(asOf: $day) { quantity } }
            edges @skip(if: $x) { cursor }
        }
    }"""

    for sent in (*SHAPES, *reversed(SHAPES)):
        for day in ({}, {"day": None}, {"day": "2022-06-07"}):
            await assert_alike(doors, province, document, sent | day)


async def test_one_variable_serves_at_places_of_several_types(
    doors: Doors, province: Viewer
) -> None:
    found = await row("SELECT city, name FROM organisation ORDER BY id LIMIT 1")
    assert found is not None
    document = """query ($text: String! = "131000", $id: ID!, $at: DateTime!) {
        organisations(first: 5, where: {city: {eq: $text}, name: {in: [$text, "x"]}}) { totalCount }
        counties(city: $text) { code } certificate(number: $text) { id }
        node(id: $id) { id ... on Organisation { stateAt(asOf: $at) name } }
        permits(first: 2, where: {organisation: $id, number: {in: [$text]}}) { totalCount }
        transfers(first: 2, where: {seller: $id, draftedAt: {gte: $at, lt: $at}}) { totalCount }
    }"""

    for each in await rows("SELECT id FROM organisation ORDER BY id LIMIT 3"):
        for text in ("131000", found["city"], found["name"], "'", "\\", "$1", "%", ":now", "{t}"):
            sent = {"text": text, "id": global_id("Organisation", each["id"])}
            answer = await assert_alike(
                doors, province, document, sent | {"at": "2022-06-07T00:00:00Z"}
            )
            assert not answer.errors


async def test_what_is_named_decides_of_which_kind_it_is(doors: Doors, province: Viewer) -> None:
    document = "query ($id: ID!) { node(id: $id) { id __typename ... on Permit { number } } }"
    kinds = {"Permit": "permit", "Person": "person", "Transfer": "transfer"}
    answers = {}

    for kind, table in (*kinds.items(), *kinds.items()):
        found = await row(f"SELECT id FROM {table} ORDER BY id LIMIT 1")
        assert found is not None
        sent = {"id": global_id(kind, found["id"])}
        answers[kind] = await assert_alike(doors, province, document, sent)
        other = next(each for each in kinds if each != kind)
        wrong = await assert_alike(doors, province, document, {"id": global_id(other, found["id"])})
        assert wrong.data == {"node": None}
    for unknown in ("Query", "Instrument", "Entry", "permit", 'Permit\\" OR true'):
        sent = {"id": global_id(unknown, SOMEBODY)}
        assert (await assert_alike(doors, province, document, sent)).data == {"node": None}

    assert {each.data["node"]["__typename"] for each in answers.values()} == set(kinds)


async def test_a_variable_of_another_type_is_refused(doors: Doors, province: Viewer) -> None:
    document = """query ($w: PermitWhere, $n: Int! = 1, $day: Date, $at: DateTime, $id: ID) {
        permits(first: $n, where: $w) { totalCount nodes { limits(asOf: $day) { quantity } } }
        transfers(first: 1, where: {draftedAt: {lt: $at}, seller: $id}) { totalCount }
    }"""
    wrong: list[dict[str, Any]] = [
        {"w": {"city": {"eq": 1}}}, {"w": {"city": {"in": [1]}}}, {"w": {"city": "131000"}},
        {"w": {"x": 1}}, {"w": []}, {"w": "{}"}, {"n": "1"}, {"n": 1.5}, {"n": True}, {"n": None},
        {"n": 2**31}, {"n": [1]}, {"day": "2022-02-30"}, {"day": 20220607}, {"day": "infinity"},
        {"at": "2022-06-07"}, {"at": "now"}, {"at": "0001-01-01T00:00:00Z"}, {"id": {}},
        {"id": True}, {"id": "'"}, {"id": 5},
    ]  # fmt: skip

    for sent in wrong:
        refused = await doors.executed(province, document, sent)
        assert refused.data is None, sent
        assert refused.errors, sent
        assert refused == await doors.resolved(province, document, sent)
        assert await doors.planned(province, document, sent) is None


async def test_a_cursor_is_of_its_list_alone(doors: Doors, province: Viewer) -> None:
    """One of a place that the viewer does not see is a place like any other."""
    place = cursor_of("zzz", SOMEBODY)

    after = await assert_alike(
        doors, province, f'{{ organisations(first: 1, after: "{place}") {{ nodes {{ id }} }} }}'
    )
    newest = await assert_alike(
        doors,
        province,
        f'{{ organisations(first: 1, orderBy: newest, after: "{place}") {{ nodes {{ id }} }} }}',
    )

    assert not after.errors
    assert codes(newest) == ["MALFORMED"]


async def test_whoever_sees_nothing_learns_no_more_of_a_page_than_its_ends(
    doors: Doors, public: Viewer
) -> None:
    place = cursor_of("2022", SOMEBODY)
    info = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"

    forward = await assert_alike(
        doors, public, f'{{ people(first: 1, after: "{place}") {{ totalCount {info} }} }}'
    )
    backward = await assert_alike(
        doors, public, f'{{ people(last: 1, before: "{place}") {{ totalCount {info} }} }}'
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
