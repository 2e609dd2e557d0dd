"""Mutations, made from the operations that they carry out."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Annotated, Any, Union, cast

import strawberry
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from policies.vocabulary import VOCABULARY
from registry.commands.operation import Operation
from registry.reading.enum_names import enum_name
from registry.reading.projections import ColumnExpr, Projection, ToOne
from schema.framework.command_inputs import command_input, command_inputs, describe_operation
from schema.framework.context import Info
from schema.framework.fields import projected_field
from schema.framework.governed import AuditEntry, Governed
from schema.framework.inputs import CommandInput, payload_name, run_command
from schema.framework.preview import Preview
from schema.framework.refusals import Refusal

OPERATION_KEY = "operation"
"""Metadata of a mutation: the operation that it was made of."""

InputCheck = Callable[[Info, Any], None]
"""Refuses an input before its operation is asked."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="governed",
    description="The verb of the rule book that decides on a mutation 对应规则书中的操作.",
)
class GovernedDirective:
    kind: str = strawberry.directive_field(name="kind")
    verb: str = strawberry.directive_field(name="verb")


def mutation_type(
    operations: Iterable[Operation[Any]],
    object_types: Iterable[type[Governed]],
    *,
    shared_inputs: Mapping[str, Collection[Operation[Any]]],
    input_checks: Mapping[str, InputCheck],
) -> type:
    """The root of writing: a mutation for each operation, named like it."""
    by_kind = {each.KIND.name: each for each in object_types}
    offered = list(operations)
    inputs = command_inputs(offered, shared_inputs)
    fields = {
        each.name: governed_mutation(
            by_kind[each.kind.name], each, inputs[each.name], input_checks.get(each.name)
        )
        for each in offered
    }
    return strawberry.type(type("Mutation", (), fields), description="Mutations 办理.")


def governed_mutation(
    object_type: type[Governed],
    operation: Operation[Any],
    input_type: type[CommandInput] | None = None,
    check: InputCheck | None = None,
) -> StrawberryField:
    """The mutation that carries out ``operation``; it bears the operation's name."""

    async def resolve(info: Info, input: Any) -> Any:  # noqa: ANN401 - annotated below
        if check is not None:
            check(info, input)
        return await run_command(info, operation, input)

    # Strawberry reads the types of argument and answer here, and they are known only now.
    union = result_union(object_type)  # type: ignore[arg-type]  # Every class can be hashed.
    sent = input_type or command_input(operation)
    resolve.__annotations__ |= {"input": sent, "return": union}
    resolve.__name__ = operation.name
    made = strawberry.mutation(
        resolver=resolve,
        description=describe_operation(operation),
        directives=[GovernedDirective(kind=operation.kind.name, verb=operation.verb)],
        metadata={OPERATION_KEY: operation},
    )
    return cast("StrawberryField", made)


@cache
def result_union(object_type: type[Governed]) -> object:
    """The union that a mutation on this type answers with."""
    payload = payload_type(object_type)  # type: ignore[arg-type]  # Every class can be hashed.
    return Annotated[
        Union[payload, Preview, Refusal],  # noqa: UP007 - the members are values here
        strawberry.union(
            f"{object_type.KIND.name}Result",
            description="The payload, a preview, or a refusal 办理结果：回执、预览或拒绝.",
        ),
    ]


@cache
def payload_type(object_type: type[Governed]) -> type:
    """The payload of the mutations on a type; the planner reads it after COMMIT."""
    kind = object_type.KIND.name
    fields: dict[str, tuple[object, str, Projection]] = {
        enum_name(kind).lower(): (
            object_type | None,
            "The object; null where the viewer may no longer see it 对象.",
            ToOne(":object_id", target_type=kind),
        ),
        "audit_entry": (
            AuditEntry,
            "The entry of the audit log, as a receipt 办理回执.",
            ToOne(":audit_entry_id", target_type="AuditEntry"),
        ),
        "replayed": (
            bool,
            "Whether an earlier command with the same key did it 是否为重复请求的结果.",
            ColumnExpr(":replayed::boolean"),
        ),
    }
    body: dict[str, Any] = {
        name: projected_field(description, projection)
        for name, (_, description, projection) in fields.items()
    }
    body["__annotations__"] = {name: annotation for name, (annotation, _, _) in fields.items()}
    made = type(payload_name(kind), (), body)
    text = VOCABULARY.kinds[kind].text
    described = f"A command carried out on: {text.en} 办理回执：{text.zh}."
    return strawberry.type(made, description=described)
