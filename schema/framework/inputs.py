"""From an input of the API to a command, and from its outcome to the answer."""

from dataclasses import Field, fields
from typing import Any

import strawberry
from strawberry.types.base import has_object_definition

from registry.access.principals import Viewer
from registry.commands.command import CommandResult, Operation, execute_command
from registry.commands.command import Preview as Computed
from schema.framework.context import Info
from schema.framework.directives import Codes, Refers
from schema.framework.global_ids import parse_id_of_kind
from schema.framework.planned_object import PlannedObject
from schema.framework.preview import to_planned

NODE_ID_KEY = "refers"
"""Metadata of an input field: the kind of object its identifier names."""

VALIDATED_KEY = "checked"
"""Metadata of an input field: a check of its value, called with the ``Info`` and the value."""


@strawberry.input(description="What every command carries 办理请求的共同字段.")
class CommandInput:
    """The fields that every mutation's input has."""

    idempotency_key: str = strawberry.field(
        description="The client's own; the same key and input again changes nothing 幂等键."
    )
    preview: bool = strawberry.field(
        default=False, description="Only say what would happen, and change nothing 仅预览."
    )


def node_id_field(kind: str, description: str, **default: object) -> Any:  # noqa: ANN401 - as annotated
    """A field of an input that names an object of ``kind``; ``default=None`` makes it optional."""
    return strawberry.field(  # type: ignore[call-overload]
        description=description,
        metadata={NODE_ID_KEY: kind},
        directives=[Refers(kind=kind)],
        **default,
    )


def code_field(of: str, description: str, **default: object) -> Any:  # noqa: ANN401 - as annotated
    """A field of an input that takes the code of reference data of the type ``of``."""
    return strawberry.field(description=description, directives=[Codes(of=of)], **default)  # type: ignore[call-overload]


def payload_name(kind: str) -> str:
    """The type that a mutation answers with when it is done."""
    return f"{kind}Payload"


async def run_command(info: Info, operation: Operation[Any], input: CommandInput) -> PlannedObject:
    """Carry out ``operation`` with ``input`` for the caller.

    Raises:
        Refused: what ``command`` refuses, an identifier of another kind, or what a field's own
            check refuses.

    """
    _run_validators(info, input)
    args = to_arguments(input)
    key, preview = args.pop("idempotency_key"), args.pop("preview")
    if preview:
        return await _preview(info, operation, args, key)
    outcome = await execute_command(operation, info.context.caller, args, key=key)
    info.context.invalidate()
    info.context.audit_entry_ids[str(info.path.key)] = outcome.audit_entry_id
    return _to_answer(operation, outcome)


def to_arguments(input: object, *, path: str = "") -> dict[str, Any]:
    """An input as the operation takes it: identifiers decoded, what was not sent left out.

    Raises:
        Malformed: an identifier is none, or names an object of another kind.

    """
    return {
        field.name: _to_argument(getattr(input, field.name), field, f"{path}{field.name}")
        for field in fields(input)  # type: ignore[arg-type]  # Every input of the API is a dataclass.
        if getattr(input, field.name) is not strawberry.UNSET
    }


def _run_validators(info: Info, input: object) -> None:
    for field in fields(input):  # type: ignore[arg-type]  # Every input of the API is a dataclass.
        check = field.metadata.get(VALIDATED_KEY)
        if check is not None:
            check(info, getattr(input, field.name))


def _to_argument(value: object, field: "Field[Any]", path: str) -> object:
    if isinstance(value, list):
        return [_to_argument(item, field, f"{path}.{place}") for place, item in enumerate(value)]
    if has_object_definition(type(value)):
        return to_arguments(value, path=f"{path}.")
    kind = field.metadata.get(NODE_ID_KEY)
    if kind is None or value is None:
        return value
    return parse_id_of_kind(kind, str(value), field=path)


async def _preview(
    info: Info, operation: Operation[Any], args: dict[str, Any], key: str
) -> PlannedObject:
    """The preview, its accounts and instruments read before the transaction is rolled back.

    The types that it leads to have no lists, so that its selection is bounded.
    """
    read: list[PlannedObject] = []

    async def read_now(viewer: Viewer, computed: Computed) -> None:
        planned = to_planned(computed)
        read.append(await info.context.read_now(planned, viewer) if computed.postings else planned)

    await execute_command(operation, info.context.caller, args, key=key, preview=read_now)
    info.context.invalidate()
    return read[-1]


def _to_answer(operation: Operation[Any], outcome: CommandResult[Any]) -> PlannedObject:
    """The payload as the planner reads it: after COMMIT, while no lock is held."""
    return PlannedObject(
        payload_name(operation.kind.name),
        {
            "object_id": outcome.record.pk,
            "audit_entry_id": outcome.audit_entry_id,
            "replayed": outcome.is_replay,
        },
    )
