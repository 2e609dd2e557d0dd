"""Inputs and mutations come from what operations declare; what is not declared is refused."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, NotRequired, TypedDict, Unpack, cast

import pytest
from graphql import get_named_type, print_type

from registry.commands.operation import Operation
from registry.concepts import CONCEPTS, OPERATIONS
from registry.kernel.parameters import Demo, Parameter, parameters_of
from registry.kernel.quantities import Quantity
from schema.build import operations_by_mutation
from schema.framework.command_inputs import command_inputs
from schema.framework.mutations import governed_mutation
from schema.framework.strawberry_compat import graphql_schema
from schema.root import INTERNAL_VERBS, build_api_schema
from tests.schema.sample import OFFER, Transfer, build_sample_schema
from tests.schema.test_build import make_mutation

OFFERED = [
    each for each in OPERATIONS.values() if (each.kind.name, each.verb) not in INTERNAL_VERBS
]


class PartDraft(TypedDict):
    """A part 部分."""

    quantity: NotRequired[Annotated[Quantity | None, Parameter("How much 数量.")]]


class Terms(TypedDict):
    """Terms of an operation."""

    parts: NotRequired[Annotated[Sequence[PartDraft], Parameter("Its parts 组成.", default=())]]
    city: Annotated[str, Parameter("Its city 设区市.", codes="Division")]
    inner: NotRequired[Annotated[bool, Parameter(is_offered=False)]]


async def execute_terms(
    *_: object, note: str = "", demo: Demo = True, **_terms: Unpack[Terms]
) -> None:
    """Do it with terms. In two sentences."""
    raise AssertionError(note, demo)


def build_terms(*, note: Annotated[str, Parameter("A note 备注.")] = "none") -> None:
    raise AssertionError(note)


def with_function(execute: Callable[..., Any]) -> Operation[Any]:
    return replace(OFFER, execute=execute)


def test_every_operation_of_every_concept_has_the_mutation_of_its_name() -> None:
    mutations = operations_by_mutation(build_api_schema())

    assert list(mutations.values()) == OFFERED
    assert {each.name for concept in CONCEPTS for each in concept.operations.values()} - {
        each.name for each in OFFERED
    } == {"bootstrap"}


def test_every_mutation_takes_an_input_with_a_key_and_answers_payload_preview_or_refusal() -> None:
    root = graphql_schema(build_api_schema()).mutation_type
    assert root is not None

    for name, operation in operations_by_mutation(build_api_schema()).items():
        kind = operation.kind.name
        input, answer = root.fields[name].args["input"].type, root.fields[name].type
        printed = print_type(get_named_type(input))
        assert "idempotencyKey: String!" in printed
        assert "preview: Boolean! = false" in printed
        assert (root.fields[name].args.keys(), str(answer)) == ({"input"}, f"{kind}Result!")
        assert print_type(get_named_type(answer)).endswith(
            f"union {kind}Result = {kind}Payload | Preview | Refusal"
        )


@pytest.mark.parametrize("operation", OFFERED, ids=lambda each: each.name)
def test_every_parameter_of_an_operation_is_described(operation: Operation[Any]) -> None:
    functions = [each for each in (operation.build, operation.execute) if each]

    assert [
        name for name, each in parameters_of(*functions).items() if each.parameter is None
    ] == []


def test_an_input_has_the_types_defaults_and_directives_of_the_parameters() -> None:
    operation = replace(with_function(execute_terms), build=cast("Any", build_terms))
    made = build_sample_schema(
        mutation=make_mutation(offer_transfer=governed_mutation(Transfer, operation))
    )
    types = graphql_schema(made).type_map

    assert """
  \"\"\"A note 备注.\"\"\"
  note: String! = "none"

  \"\"\"Demonstration data 是否演示数据.\"\"\"
  demo: Boolean! = true

  \"\"\"Its parts 组成.\"\"\"
  parts: [PartInput!]! = []

  \"\"\"Its city 设区市.\"\"\"
  city: String!
}""" in print_type(types["OfferTransferInput"])
    assert "quantity: Quantity\n" in print_type(types["PartInput"])
    assert types["PartInput"].description == "A part 部分."
    assert types["OfferTransferInput"].description == "The input of offerTransfer 办理输入."
    assert '"""Do it with terms. In two sentences 协议转让：发出要约."""' in made.as_str()
    assert 'city: String! @codes(of: "Division")' in made.as_str()


def test_a_parameter_without_a_description_is_refused() -> None:
    async def execute(*_: object, secret: str) -> None:
        raise AssertionError(secret)

    with pytest.raises(ValueError, match="OfferTransferInput: the parameter secret has no"):
        governed_mutation(Transfer, with_function(execute))


def test_operations_that_share_an_input_declare_the_same_parameters() -> None:
    operation = with_function(execute_terms)
    other = replace(operation, name="other", build=cast("Any", build_terms))

    with pytest.raises(ValueError, match="operations of SharedInput declare different"):
        command_inputs((OFFER, other), {"SharedInput": (OFFER, other)})
