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
from schema.framework.inputs import Command, perform
from schema.framework.preview import Preview
from schema.framework.refusals import Refusal


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="governed",
    description="The verb of the rule book that decides on a mutation 对应规则书中的操作.",
)
class GovernedBy:
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
        if not any(isinstance(directive, GovernedBy) for directive in field.directives):
            field.directives = [*field.directives, GovernedBy(kind=self.kind, verb=self.verb)]


def governed(  # noqa: PLR0917 - five nouns in the order in which one says them
    answer: type[Governed],
    verb: str,
    operation: Operation[Any],
    input: type[Command],
    description: str,
) -> StrawberryField:
    """The mutation that carries out ``operation``; it bears the operation's name.

    Args:
        answer: the type of the object that is answered when it is done.
        verb: the verb of the rule book that decides.
        operation: what is done.
        input: what the client sends.
        description: English with the Chinese term.

    """

    async def resolve(info: Info, input: Any) -> Any:  # noqa: ANN401 - annotated below
        return await perform(info, operation, input)

    # Strawberry reads the types of argument and answer here, and they are known only now.
    union = result(answer)  # type: ignore[arg-type]  # Every class can be hashed.
    resolve.__annotations__ |= {"input": input, "return": union}
    resolve.__name__ = operation.name
    made = strawberry.mutation(
        resolver=resolve,
        description=description,
        extensions=[Guard(answer.KIND.name, verb, operation)],
    )
    return cast("StrawberryField", made)


@cache
def result(answer: type[Governed]) -> object:
    """The union that a mutation on this type answers with."""
    name = answer.KIND.name
    return Annotated[
        Union[answer, Preview, Refusal],  # noqa: UP007 - the members are values here
        strawberry.union(
            f"{name}Result",
            description=f"The {name}, its preview, or why not 办理结果:对象、预览或拒绝.",
        ),
    ]
