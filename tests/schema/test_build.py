"""A schema that forgets something is not built, and says everything that it forgot."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

import pytest
import strawberry

from registry.kernel.parameters import Parameter
from schema.build import SchemaBuildError, operations_by_mutation
from schema.framework.fields import column, relation
from schema.framework.governed import Governed
from schema.framework.mutations import governed_mutation
from tests.schema.sample import (
    OFFER,
    OTHERS,
    TRANSFER,
    Query,
    Transfer,
    build_sample_schema,
)


def schema_error(
    mutation: type, query: type = Query, internal: frozenset[tuple[str, str]] = OTHERS
) -> str:
    with pytest.raises(SchemaBuildError) as refusal:
        build_sample_schema(query, mutation, internal=internal)
    return str(refusal.value)


def make_mutation(**fields: object) -> type:
    return strawberry.type(type("Mutation", (), fields))


def test_the_printed_schema_names_the_verb_of_every_mutation() -> None:
    printed = build_sample_schema().as_str()

    assert (
        "offerTransfer(input: OfferTransferInput!): TransferResult!"
        ' @governed(kind: "Transfer", verb: "offer")' in printed
    )
    assert "union TransferResult = TransferPayload | Preview | Refusal" in printed
    assert "directive @governed(kind: String!, verb: String!) on FIELD_DEFINITION" in printed


def test_a_schema_may_be_built_twice_and_is_the_same() -> None:
    assert build_sample_schema().as_str() == build_sample_schema().as_str()


def test_the_operations_are_keyed_by_the_name_of_the_mutation() -> None:
    assert operations_by_mutation(build_sample_schema()) == {"offerTransfer": OFFER}


def test_a_mutation_that_is_not_made_of_an_operation_is_refused() -> None:
    @strawberry.mutation(description="Bare 无.")
    async def bare(note: str) -> str:
        raise AssertionError("the schema is refused before anything runs")

    assert "Mutation.bare: is not made" in schema_error(make_mutation(bare=bare))


def test_a_folder_of_mutations_is_refused() -> None:
    @strawberry.type(description="Folder 夹.")
    class Folder:
        offer: str = strawberry.field(description="Offer 要约.")

    @strawberry.field(description="Folder 夹.")
    def transfers() -> Folder:
        raise AssertionError("the schema is refused before anything runs")

    assert "Mutation.transfers: is not made" in schema_error(make_mutation(transfers=transfers))


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("ofer", "no verb"),
        ("view", "no verb"),
        ("view_price", "no verb"),
        ("accept", "ever allows"),
    ],
)
def test_a_verb_must_be_declared_and_allowed_by_some_rule(verb: str, said: str) -> None:
    mutation = governed_mutation(Transfer, replace(OFFER, verb=verb))

    assert said in schema_error(make_mutation(offer_transfer=mutation))


def test_a_verb_without_a_mutation_must_be_called_internal() -> None:
    only = make_mutation(offer_transfer=governed_mutation(Transfer, OFFER))

    found = schema_error(
        only, internal=(OTHERS - {("Transfer", "accept")}) | {("Transfer", "offer")}
    )

    assert "Transfer.accept has no mutation" in found
    assert "Transfer.offer is called internal and is not" in found


def make_query(cls: type) -> type:
    @strawberry.field(description="Some 某.")
    def found() -> cls | None:  # type: ignore[valid-type]
        return None

    return strawberry.type(type("Query", (), {"found": found}))


def the_offer() -> type:
    return make_mutation(offer_transfer=governed_mutation(Transfer, OFFER))


def test_descriptions_in_one_language_are_refused() -> None:
    @strawberry.type(description="English alone")
    class Plain:
        name: str = strawberry.field(description="只有中文")
        number: int

    found = schema_error(the_offer(), make_query(Plain))

    assert [line.partition(":")[0] for line in found.splitlines()] == [
        "Plain",
        "Plain.name",
        "Plain.number",
    ]


def test_masked_fields_must_be_nullable() -> None:
    @strawberry.type(description="Masked 遮蔽.", name="Masked")
    class Masked(Governed):
        KIND = TRANSFER

        by_kind: int = column("Some 某.", name="price_fen")
        by_verb: int = column("Some 某.", mask="view_price")
        may_be_hidden: Transfer = relation("Some 某.")

    found = schema_error(the_offer(), make_query(Masked))

    assert "Transfer.byKind: is masked" in found
    assert "Transfer.byVerb: is masked" in found
    assert "Transfer.mayBeHidden: leads to a Transfer" in found


def test_an_identifier_in_an_input_must_declare_its_kind() -> None:
    async def offer(*_: object, other: Annotated[UUID, Parameter("Some 某.")]) -> None:
        """Make an offer."""
        raise AssertionError("the schema is refused before anything runs")

    vague = governed_mutation(Transfer, replace(OFFER, execute=offer))

    assert schema_error(make_mutation(offer_transfer=vague)) == (
        "OfferTransferInput.other: an identifier must say what it refers to"
    )
