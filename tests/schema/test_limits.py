"""How large a document may be, however it is written."""

import time

import pytest
from graphql import parse

from schema.documents.cost import Limits, complexity_of, limit_errors
from tests.schema.sample import build_context, build_sample_schema

LIMITS = Limits(depth=3, aliases=2, directives=2, nodes=1_000, page=100, tokens=200)
SCHEMA = build_sample_schema(limits=LIMITS)
DEEP = Limits(depth=12, nodes=1_000)


def error_codes(document: str, limits: Limits = LIMITS) -> list[str]:
    return [
        error.message
        for operation, size in complexity_of(SCHEMA._schema, parse(document), limits.page)
        for error in limit_errors(operation.operation, size, limits)
    ]


@pytest.mark.parametrize(
    ("document", "over"),
    [
        ("{ a { b { c } } }", ""),
        ("{ a { b { c { d } } } }", ""),
        ("{ a { b { c { d { e } } } } }", "depth 4"),
        ("{ a { ...F } } fragment F on T { b { ... on T { c { d { e } } } } }", "depth 4"),
        ("query A { a } query B { a { b { c { d { e } } } } }", "depth 4"),
        ("{ __schema { types { fields { type { ofType { name } } } } } }", ""),
        ("{ x: a y: a }", ""),
        ("{ x: a y: a z: a }", "aliases 3"),
        ("{ ...F ...F ...F } fragment F on T { x: a }", "aliases 3"),
        ("{ a b c d e f g h i j }", ""),
        ("{ a b c d e f ...F ...F ...F } fragment F on Query { g h }", "roots 12"),
        ("{ __schema { types { name fields { name args { name } } } } }", ""),
        (
            (
                '{ __schema { ...N } x: __schema { ...N } __type(name: "T") { name } }'
                " fragment N on __Schema { types { name } }"
            ),
            "introspections 3",
        ),
        ("{ a @skip(if: true) @include(if: true) ... @skip(if: true) { a } }", "directives 3"),
        (
            "{ ...F @skip(if: true) } fragment F on T { a @skip(if: true) @skip(if: true) }",
            "directives 3",
        ),
        ("{ a(first: 100) { b } }", ""),
        ("{ a(first: 100) { b(last: 10) { c } } }", "nodes 1100"),
        ("query ($n: Int) { a(first: $n) { b(first: 10) { c } } }", "nodes 1100"),
        ("{ a(first: 1000000) { b } }", ""),
        ("{ a(first: -200000) @skip(if: true) { b } b(first: 100) { c(last: 10) } }", "nodes 1101"),
        (f"{{ a(first: {'9' * 5000}) {{ b(last: 10) {{ c }} }} }}", "nodes 1100"),
        ("{ a(first: null, last: 100) { b(last: 10, first: null) { c } } }", "nodes 1100"),
        (
            "{ a(first: 60) { b } b(first: 60) { ...F } } fragment F on T { c(first: 20) { d } }",
            "nodes 1320",
        ),
    ],
)
def test_a_document_is_measured(document: str, over: str) -> None:
    found = error_codes(document)

    assert len(found) == bool(over)
    assert over in "".join(found)


@pytest.mark.parametrize(
    ("document", "over"),
    [
        ("{ transfers { nodes { history { nodes { at } } } } }", "nodes 10100"),
        (
            "{ transfers(first: 2) { nodes { history { nodes { at } } } edges { node { id } } } }",
            "",
        ),
        (
            "{ transfers(first: 2) { nodes { history(first: 600) { nodes { personName } } } } }",
            "",
        ),
        (
            (
                "{ transfers(first: 5) { edges { node { ...F } } } } fragment F on Node { ...H }"
                " fragment H on Transfer { history(first: 100) { nodes {"
                " person { history { nodes { at } } } } } }"
            ),
            "nodes 50505",
        ),
        (
            (
                "{ transfers(first: 2) { nodes { ... { ... on Organisation { history { nodes {"
                " person { history(first: 9) { nodes { at } } } } } } } } } }"
            ),
            "nodes 2002",
        ),
        (
            (
                "mutation { offerTransfer(input: {}) { ... on Refusal {"
                " nearMisses { missing { en } blocking { en } } conditions { name } } } }"
            ),
            "",
        ),
    ],
)
def test_a_list_without_page_counts_as_one_unless_bounded(document: str, over: str) -> None:
    found = error_codes(document, DEEP)

    assert len(found) == bool(over)
    assert over in "".join(found)


def test_a_circle_of_fragments_ends() -> None:
    assert error_codes("{ ...F } fragment F on T { a { ...G } } fragment G on T { ...F }") == []


def test_fragments_that_double_each_time_are_measured_at_once() -> None:
    doubling = "".join(f"fragment F{n} on T {{ ...F{n + 1} ...F{n + 1} }} " for n in range(100))
    began = time.process_time()

    found = error_codes(f"{{ ...F0 }} {doubling} fragment F100 on T {{ x: a }}")

    assert time.process_time() - began < 1
    assert f"aliases {2**100}" in found[0]


async def test_a_document_of_many_words_is_not_parsed_to_its_end() -> None:
    answer = await SCHEMA.execute("{" + "echo " * 300 + "}", None, build_context())

    assert answer.errors is not None
    assert "200 tokens" in answer.errors[0].message


async def test_a_document_over_the_limits_is_reported() -> None:
    answer = await SCHEMA.execute("{ a: echo b: echo c: echo }", None, build_context())

    assert answer.errors is not None
    assert (answer.errors[0].extensions or {})["code"] == "TOO_LARGE"


@pytest.mark.parametrize(
    ("document", "cost"),
    [
        ("{ echo }", 1),
        ("{ __typename }", 1),
        ("{ echo __typename }", 2),
        ("{ transfers(first: 7) { nodes { id } } }", 8),
        ("{ transfers { nodes { id } } }", 101),
        ("query ($n: Int) { transfers(first: $n) { nodes { id } } }", 101),
        ("{ ...F ...F } fragment F on Query { transfers(first: 2) { nodes { id } } }", 6),
        ("{ __schema { types { name } } }", 5_001),
        ("mutation { offerTransfer(input: {}) { __typename } }", 10),
    ],
)
def test_a_client_can_compute_the_cost_of_an_operation(document: str, cost: int) -> None:
    ((operation, size),) = complexity_of(SCHEMA._schema, parse(document), 100)

    assert size.cost(operation.operation) == cost


def test_what_costs_too_much_is_refused_by_its_cost_alone() -> None:
    dear = "{ __schema { types { name } } }"

    assert "cost 5001; at most 5000" in "".join(error_codes(dear, Limits(cost=5_000)))
    assert error_codes(dear, Limits(cost=5_001)) == []


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "{ nothing }",
        "{ a: echo b: echo c: echo }",
        "{" + "echo " * 300 + "}",
        "fragment F on X",
    ],
)
async def test_every_protocol_error_has_a_chinese_message(document: str) -> None:
    answer = await SCHEMA.execute(document, None, build_context())

    assert answer.errors
    for error in answer.errors:
        assert error.extensions
        assert error.extensions["messageZh"]
        assert error.extensions["retryable"] is False
