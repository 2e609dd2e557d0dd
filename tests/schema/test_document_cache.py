"""Documents are admitted once, remembered within bounds, and refused in our words."""

import time

import pytest
from graphql import GraphQLError

from schema.documents.cache import ERRORS_MAX, PLANS_MAX, REFUSED_COST, Admissions, Plans
from schema.documents.cost import Limits
from tests.schema.sample import a_context, a_schema

SCHEMA = a_schema()
CORE = SCHEMA._schema
TWO = "query A { echo } query B { echo __typename } fragment F on Query { echo }"


def an_admission(**limits: int) -> Admissions:
    return Admissions(CORE, Limits(**limits))


def codes(errors: list[GraphQLError]) -> list[object]:
    return [(error.extensions or {}).get("code") for error in errors]


def test_an_operation_is_admitted_with_its_cost_and_its_fragments() -> None:
    document = (
        "query A { echo } query B { echo ...F } fragment F on Query { transfers { nodes { id } } }"
    )

    admitted = an_admission().admit(document, "B")

    assert admitted.errors == []
    assert admitted.operation is not None
    assert admitted.operation.name is not None
    assert admitted.operation.name.value == "B"
    assert set(admitted.fragments) == {"F"}
    assert admitted.cost == 102


def test_the_second_time_a_document_is_not_read_again() -> None:
    admissions = an_admission()
    first = admissions.admit("query A { echo }", None)

    again = admissions.admit("query A { echo }", "A")

    assert again is first
    assert len(admissions) == 1


def test_what_is_worked_out_is_kept_with_the_operation() -> None:
    admissions = an_admission()
    admissions.admit("{ echo }", None).plans["public"] = "SELECT"

    assert admissions.admit("{ echo }", None).plans.get("public") == "SELECT"
    assert admissions.admit("{ echo __typename }", None).plans.get("public") is None


def test_so_many_plans_are_kept_and_the_longest_unused_goes_first() -> None:
    plans = Plans()
    for number in range(PLANS_MAX):
        plans[number] = number
    assert plans[0] == 0
    assert plans.get(1) == 1

    plans["one more"] = 1

    assert len(plans) == PLANS_MAX
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
    ],
)
def test_a_refused_document_says_why_and_costs_what_refusing_costs(
    document: str, name: str | None, code: str | None
) -> None:
    admitted = an_admission().admit(document, name)

    assert codes(admitted.errors) == [code]
    assert (admitted.operation, admitted.document) == (None, None)
    assert admitted.cost == REFUSED_COST


def test_a_refusal_is_remembered_and_told_anew() -> None:
    admissions = an_admission()
    (first,) = admissions.admit("{ nothing }", None).errors
    first.extensions = {"code": "told"}

    (again,) = admissions.admit("{ nothing }", None).errors

    assert len(admissions) == 1
    assert (again.message, again.locations) == (first.message, first.locations)
    assert again.extensions == {}
    assert not again.nodes


def test_of_many_faults_only_some_are_told() -> None:
    document = "{ " + " ".join(f"n{n}" for n in range(900)) + " }"

    many = an_admission(roots=900).admit(document, None).errors

    assert len(many) == ERRORS_MAX


def test_a_flood_of_distinct_documents_pushes_out_no_document_that_is_asked_again() -> None:
    admissions = an_admission(documents=40)
    for _ in range(2):
        admissions.admit(TWO.replace("fragment F on Query { echo }", ""), "A")

    for n in range(500):
        admissions.admit(f"query Q{n} {{ echo }}", None)
        admissions.admit(f"query Q{n} {{ nothing }}", None)

    assert TWO.replace("fragment F on Query { echo }", "") in admissions
    assert len(admissions) <= 40


def test_documents_are_kept_by_what_they_weigh() -> None:
    admissions = an_admission(documents_bytes=400_000)

    for n in range(200):
        admissions.admit(f"query Q{n} {{" + " echo" * 9 + "}", None)
        admissions.admit("{ echo } #" + "x" * (30_000 + n), None)

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
def test_no_document_takes_long_to_admit_or_refuse(document: str) -> None:
    began = time.process_time()

    an_admission().admit(document, None)

    # A tenth of a second each on an idle machine.
    assert time.process_time() - began < 1


async def test_the_executor_is_given_what_was_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    schema, context = a_schema(), a_context()
    context.admitted = schema.admissions.admit("{ __typename }", None)
    monkeypatch.setattr(schema.admissions, "admit", None)

    answer = await schema.execute("{ __typename }", None, context)

    assert answer.errors is None
    assert answer.data == {"__typename": "Query"}


async def test_no_other_document_is_carried_out_than_the_one_admitted() -> None:
    context = a_context()
    context.admitted = SCHEMA.admissions.admit("{ echo }", None)

    answer = await SCHEMA.execute("{ nothing }", None, context)

    assert answer.errors is not None
    assert "nothing" in answer.errors[0].message
