"""Errors, and what a mutation makes of its input, in the sample."""

from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

import schema.framework.inputs
from registry.commands.command import CommandResult
from registry.kernel.errors import Code, NotFound, Refused
from schema.framework.command_inputs import command_input
from schema.framework.global_ids import to_global_id
from schema.framework.inputs import to_arguments
from tests.schema.sample import OFFER, SALE, SELLER, build_context, build_sample_schema

SCHEMA = build_sample_schema()


class Answer(NamedTuple):
    data: Any
    errors: Any


async def ask(document: str, organisation: UUID = SELLER, **variables: object) -> Answer:
    answer = await SCHEMA.execute(document, variables, build_context(organisation))
    return Answer(answer.data, answer.errors)


async def test_a_bug_shows_the_client_only_an_identifier(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = await ask("{ bug }")

    (error,) = answer.errors
    assert (error.message, error.extensions["code"]) == ("Internal error", "INTERNAL")
    assert "secret" not in str(error.formatted)
    logged = capsys.readouterr().out
    assert logged.count(error.extensions["id"]) == 1


async def test_a_fault_of_the_client_is_logged_without_its_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = await ask('{ echo(quantity: "geheim") }')

    assert answer.errors[0].extensions["code"] == "MALFORMED"
    logged = capsys.readouterr().out
    assert "client_fault" in logged
    assert "geheim" not in logged


async def test_names_are_not_suggested() -> None:
    answer = await ask("{ transfer { nodes { id } } }")

    assert "Did you mean" not in answer.errors[0].message


OFFERED = """
mutation ($input: OfferTransferInput!) {
  offerTransfer(input: $input) {
    __typename
    ... on TransferPayload { transfer { id state } replayed }
    ... on Refusal { code field message { en zh } retryable }
  }
}
"""


def patch_command(
    monkeypatch: pytest.MonkeyPatch, answer: CommandResult[Any] | Refused
) -> list[tuple[Any, ...]]:
    """Let every command come out as ``answer``; the list fills with what was commanded."""
    seen: list[tuple[Any, ...]] = []

    async def command(
        operation: object, caller: object, args: object, *, key: str, preview: bool = False
    ) -> CommandResult[Any]:
        seen.append((operation, args, key, preview))
        if isinstance(answer, Refused):
            raise answer
        return answer

    monkeypatch.setattr(schema.framework.inputs, "execute_command", command)
    return seen


def the_input(**changed: object) -> dict[str, object]:
    return {"id": to_global_id("Transfer", SALE.pk), "idempotencyKey": "k", **changed}


async def test_a_mutation_hands_over_decoded_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = patch_command(monkeypatch, CommandResult(SALE, uuid4(), is_replay=True))

    await ask(OFFERED, input=the_input())

    assert seen == [(OFFER, {"id": SALE.pk}, "k", False)]


async def test_null_is_the_same_as_what_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = patch_command(monkeypatch, CommandResult(SALE, uuid4()))

    await ask(OFFERED, input=the_input(note=None))

    assert seen[0][1] == {"id": SALE.pk}


def test_null_is_handed_over_where_it_empties_what_it_names() -> None:
    make: Any = command_input(OFFER)
    sent = make(idempotency_key="k", id=to_global_id("Transfer", SALE.pk), note=None)

    assert to_arguments(sent, keeps_null=True)["note"] is None


async def test_a_refusal_is_data(monkeypatch: pytest.MonkeyPatch) -> None:
    patch_command(monkeypatch, NotFound())

    answer = await ask(OFFERED, input=the_input())

    assert answer.errors is None
    assert answer.data["offerTransfer"]["code"] == Code.NOT_FOUND
    assert "不存在" in answer.data["offerTransfer"]["message"]["zh"]


@pytest.mark.parametrize("id", ["", "x", to_global_id("Organisation", SELLER), "é", "A" * 1000])
async def test_an_identifier_of_another_kind_is_refused_before_the_command(
    monkeypatch: pytest.MonkeyPatch, id: str
) -> None:
    seen = patch_command(monkeypatch, CommandResult(SALE, uuid4()))

    answer = await ask(OFFERED, input=the_input(id=id))

    assert (answer.data["offerTransfer"]["code"], answer.data["offerTransfer"]["field"]) == (
        Code.MALFORMED,
        "id",
    )
    assert seen == []


async def test_a_bug_in_a_command_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    async def command(*_: object, **__: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(schema.framework.inputs, "execute_command", command)
    answer = await ask(OFFERED, input=the_input())

    assert answer.data is None
    assert answer.errors[0].extensions["code"] == "INTERNAL"


async def test_of_several_operations_one_is_named() -> None:
    document = "query A { __typename } query B { b: __typename }"

    unnamed = await SCHEMA.execute(document, None, build_context())
    named = await SCHEMA.execute(document, None, build_context(), operation_name="B")

    assert [(error.extensions or {})["code"] for error in unnamed.errors or ()] == ["MALFORMED"]
    assert (unnamed.data, named.data) == (None, {"b": "Query"})
