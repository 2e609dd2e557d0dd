"""A mutation in one line: the type it answers with, its verb, its operation, its input."""

from functools import cache
from typing import Annotated, Any, Union, cast

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from registry.commands.command import Operation
from schema.framework.context import Info
from schema.framework.governed import Governed
from schema.framework.inputs import CommandInput, run_command
from schema.framework.preview import Preview
from schema.framework.refusals import Refusal


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="governed",
    description="The verb of the rule book that decides on a mutation 对应规则书中的操作.",
)
class GovernedDirective:
    """Shows in the printed schema what each mutation is decided by."""

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
        object_type: the type of the object that is answered when it is done.
        verb: the verb of the rule book that decides.
        operation: what is done.
        input_type: what the client sends.
        description: English with the Chinese term.

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
    name = object_type.KIND.name
    return Annotated[
        Union[object_type, Preview, Refusal],  # noqa: UP007 - the members are values here
        strawberry.union(
            f"{name}Result",
            description=f"The {name}, its preview, or why not 办理结果:对象、预览或拒绝.",
        ),
    ]
