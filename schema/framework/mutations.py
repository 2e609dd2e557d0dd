"""A mutation in one line: the type it answers with, its verb, its operation, its input."""

from functools import cache
from typing import Annotated, Any, Union, cast

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from policies.vocabulary import VOCABULARY
from registry.commands.command import Operation
from registry.reading.enum_names import enum_name
from registry.reading.projections import ColumnExpr, Projection, ToOne
from schema.framework.context import Info
from schema.framework.fields import projected_field
from schema.framework.governed import AuditEntry, Governed
from schema.framework.inputs import CommandInput, payload_name, run_command
from schema.framework.preview import Preview
from schema.framework.refusals import Refusal


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="governed",
    description="The verb of the rule book that decides on a mutation 对应规则书中的操作.",
)
class GovernedDirective:
    kind: str = strawberry.directive_field(name="kind")
    verb: str = strawberry.directive_field(name="verb")


class Guard(FieldExtension):
    """Declares what decides on a mutation; ``command`` decides, and the build compares the two."""

    def __init__(self, kind: str, verb: str, operation: Operation[Any]) -> None:
        self.kind = kind
        self.verb = verb
        self.operation = operation

    def apply(self, field: StrawberryField) -> None:
        """Write the declaration into the schema, once however often it is built."""
        if not any(isinstance(directive, GovernedDirective) for directive in field.directives):
            field.directives = [
                *field.directives,
                GovernedDirective(kind=self.kind, verb=self.verb),
            ]


def governed_mutation(  # noqa: PLR0917 - five nouns in the order in which one says them
    object_type: type[Governed],
    verb: str,
    operation: Operation[Any],
    input_type: type[CommandInput],
    description: str,
) -> StrawberryField:
    """The mutation that carries out ``operation``; it bears the operation's name.

    Args:
        object_type: the type of the object that the payload shows.
        verb: the verb of the rule book that decides.
        operation: what is done.
        input_type: what the client sends.

    """

    async def resolve(info: Info, input: Any) -> Any:  # noqa: ANN401 - annotated below
        return await run_command(info, operation, input)

    # Strawberry reads the types of argument and answer here, and they are known only now.
    union = result_union(object_type)  # type: ignore[arg-type]  # Every class can be hashed.
    resolve.__annotations__ |= {"input": input_type, "return": union}
    resolve.__name__ = operation.name
    made = strawberry.mutation(
        resolver=resolve,
        description=description,
        extensions=[Guard(object_type.KIND.name, verb, operation)],
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
            description="The payload, a preview, or a refusal 办理结果:回执、预览或拒绝.",
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
    described = f"A command carried out on: {text.en} 办理回执:{text.zh}."
    return strawberry.type(made, description=described)
