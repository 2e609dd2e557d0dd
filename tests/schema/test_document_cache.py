"""Documents are admitted once, remembered within bounds, and refused in our words."""

import time

import pytest
from graphql import GraphQLError

from schema.documents.cache import (
    INVALID_DOCUMENT_COST,
    MAX_VALIDATION_ERRORS,
    PLAN_CACHE_SIZE,
    DocumentCache,
    PlanCache,
)
from schema.documents.cost import Limits
from tests.schema.sample import build_context, build_sample_schema

SCHEMA = build_sample_schema()
CORE = SCHEMA._schema
TWO = "query A { echo } query B { echo __typename } fragment F on Query { echo }"


def make_cache(**limits: int) -> DocumentCache:
    return DocumentCache(CORE, Limits(**limits))


def codes(errors: list[GraphQLError]) -> list[object]:
    return [(error.extensions or {}).get("code") for error in errors]


def test_an_operation_is_validated_with_its_cost_and_its_fragments() -> None:
    document = (
        "query A { echo } query B { echo ...F } fragment F on Query { transfers { nodes { id } } }"
    )

    admitted = make_cache().validate(document, "B")

    assert admitted.errors == []
    assert admitted.operation is not None
    assert admitted.operation.name is not None
    assert admitted.operation.name.value == "B"
    assert set(admitted.fragments) == {"F"}
    assert admitted.cost == 102


def test_the_second_time_a_document_is_not_read_again() -> None:
    admissions = make_cache()
    first = admissions.validate("query A { echo }", None)

    again = admissions.validate("query A { echo }", "A")

    assert again is first
    assert len(admissions) == 1


def test_what_is_worked_out_is_kept_with_the_operation() -> None:
    admissions = make_cache()
    admissions.validate("{ echo }", None).plans["public"] = "SELECT"

    assert admissions.validate("{ echo }", None).plans.get("public") == "SELECT"
    assert admissions.validate("{ echo __typename }", None).plans.get("public") is None


def test_plans_are_bounded_and_evicted_least_recently_used_first() -> None:
    plans = PlanCache()
    for number in range(PLAN_CACHE_SIZE):
        plans[number] = number
    assert plans[0] == 0
    assert plans.get(1) == 1

    plans["one more"] = 1

    assert len(plans) == PLAN_CACHE_SIZE
    assert 2 not in plans
    assert {0, 1, "one more"} <= set(plans)


@pytest.mark.parametrize(
    ("document", "name", "code"),
    [
        ("{", None, None),
        ("{ nothing }", None, None),
        ("{ echo(quantity: " + "9" * 21 + ") }", None, "MALFORMED"),
        ("query A { echo } query B { echo }", None, "MALFORMED"),
        ("query A { echo } query B { echo }", "C", "MALFORMED"),
        ("{ echo }", "A", "MALFORMED"),
        ("{" + " echo" * 11 + " }", None, "TOO_LARGE"),
        ("{ transfers {" + " nodes { id }" * 400 + " } }", None, "TOO_LARGE"),
        ("{" + " echo" * 2_000 + " }", None, "TOO_LARGE"),
        (
            f"{{ __schema {{ types {{ {'fields { type { ' * 3} name {' } }' * 4} }}",
            None,
            "TOO_LARGE",
        ),
    ],
)
def test_a_refused_document_is_explained_and_has_the_invalid_cost(
    document: str, name: str | None, code: str | None
) -> None:
    admitted = make_cache().validate(document, name)

    assert codes(admitted.errors) == [code]
    assert (admitted.operation, admitted.document) == (None, None)
    assert admitted.cost == INVALID_DOCUMENT_COST


def test_a_refusal_is_cached_and_raised_anew() -> None:
    admissions = make_cache()
    (first,) = admissions.validate("{ nothing }", None).errors
    first.extensions = {"code": "reason"}

    (again,) = admissions.validate("{ nothing }", None).errors

    assert len(admissions) == 1
    assert (again.message, again.locations) == (first.message, first.locations)
    assert again.extensions == {}
    assert not again.nodes


def test_of_many_errors_only_some_are_reported() -> None:
    document = "{ " + " ".join(f"n{n}" for n in range(900)) + " }"

    many = make_cache(roots=900).validate(document, None).errors

    assert len(many) == MAX_VALIDATION_ERRORS


def test_a_flood_of_distinct_documents_pushes_out_no_document_that_is_asked_again() -> None:
    admissions = make_cache(document_cache_size=40)
    for _ in range(2):
        admissions.validate(TWO.replace("fragment F on Query { echo }", ""), "A")

    for n in range(500):
        admissions.validate(f"query Q{n} {{ echo }}", None)
        admissions.validate(f"query Q{n} {{ nothing }}", None)

    assert TWO.replace("fragment F on Query { echo }", "") in admissions
    assert len(admissions) <= 40


def test_documents_are_kept_by_what_they_weigh() -> None:
    admissions = make_cache(document_cache_bytes=400_000)

    for n in range(200):
        admissions.validate(f"query Q{n} {{" + " echo" * 9 + "}", None)
        admissions.validate("{ echo } #" + "x" * (30_000 + n), None)

    assert 0 < admissions.weight <= 400_000


HOSTILE = {
    "one field again and again": "{ transfers { nodes {" + " id" * 1_900 + " } } }",
    "one object again and again": "{ transfers {" + " nodes { id }" * 480 + " } }",
    "everything conflicts": "{ echo" + " echo(at: 1)" * 300 + " }",
    "fragments that meet": (
        "{ transfers { nodes {"
        + "".join(f" ...F{n}" for n in range(170))
        + " } } }"
        + "".join(f" fragment F{n} on Transfer {{ seller {{ id }} }}" for n in range(170))
    ),
    "operations": " ".join(f"query Q{n} {{ echo }}" for n in range(390)),
    "a comment": "{ echo } #" + "x" * 190_000,
    "a text": '{ echo(on: "' + "\\u4e00" * 32_000 + '") }',
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE)
def test_no_document_takes_long_to_validate(document: str) -> None:
    began = time.process_time()

    make_cache().validate(document, None)

    # A tenth of a second each on an idle machine.
    assert time.process_time() - began < 1


async def test_the_executor_gets_the_validated_document(monkeypatch: pytest.MonkeyPatch) -> None:
    schema, context = build_sample_schema(), build_context()
    context.validated_operation = schema.document_cache.validate("{ __typename }", None)
    monkeypatch.setattr(schema.document_cache, "validate", None)

    answer = await schema.execute("{ __typename }", None, context)

    assert answer.errors is None
    assert answer.data == {"__typename": "Query"}


async def test_only_the_validated_document_is_executed() -> None:
    context = build_context()
    context.validated_operation = SCHEMA.document_cache.validate("{ echo }", None)

    answer = await SCHEMA.execute("{ nothing }", None, context)

    assert answer.errors is not None
    assert "nothing" in answer.errors[0].message
