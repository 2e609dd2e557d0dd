"""From an input of the API to a command, and from its outcome to the answer."""

from dataclasses import Field, fields
from typing import Any
from uuid import UUID

import strawberry
from strawberry.types.base import has_object_definition

from registry.access.principals import NIL, Viewer
from registry.commands.command import execute_command
from registry.commands.operation import Operation
from registry.commands.operation import Preview as Computed
from schema.framework.context import Info
from schema.framework.global_ids import parse_id_of_kind
from schema.framework.planned_object import PlannedObject
from schema.framework.preview import to_planned

NODE_ID_KEY = "refers"
"""Metadata of an input field: the kind of object its identifier names."""


@strawberry.input(description="What every command carries 办理请求的共同字段.")
class CommandInput:
    """The fields that every mutation's input has."""

    idempotency_key: str = strawberry.field(
        description="The client's own; the same key and input again changes nothing 幂等键."
    )
    preview: bool = strawberry.field(
        default=False, description="Only say what would happen, and change nothing 仅预览."
    )


def payload_name(kind: str) -> str:
    """The type that a mutation answers with when it is done."""
    return f"{kind}Payload"


async def run_command(info: Info, operation: Operation[Any], input: CommandInput) -> PlannedObject:
    """Carry out ``operation`` with ``input`` for the caller.

    Raises:
        Refused: what ``command`` refuses, an identifier of another kind, or an argument in the
            selection of the answer that could not be read after the command.

    """
    args = to_arguments(input, keeps_null=operation.null_clears)
    key, preview = args.pop("idempotency_key"), args.pop("preview")
    await info.context.check_answer(_payload(operation, NIL, NIL))
    if preview:
        return await _preview(info, operation, args, key)
    outcome = await execute_command(operation, info.context.caller, args, key=key)
    info.context.invalidate()
    info.context.audit_entry_ids[str(info.path.key)] = outcome.audit_entry_id
    return _payload(
        operation, outcome.record.pk, outcome.audit_entry_id, is_replay=outcome.is_replay
    )


def to_arguments(input: object, *, keeps_null: bool = False, path: str = "") -> dict[str, Any]:
    """An input as the operation takes it: identifiers decoded, what was not sent left out.

    A null is left out too, so that both are one input under one key; but not where ``keeps_null``.
    """
    left_out = (strawberry.UNSET,) if keeps_null else (strawberry.UNSET, None)
    return {
        field.name: _to_argument(value, field, f"{path}{field.name}")
        for field in fields(input)  # type: ignore[arg-type]  # Every input of the API is a dataclass.
        if (value := getattr(input, field.name)) not in left_out
    }


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


def _payload(
    operation: Operation[Any], object_id: UUID, audit_entry_id: UUID, *, is_replay: bool = False
) -> PlannedObject:
    """The payload as the planner reads it: after COMMIT, while no lock is held."""
    return PlannedObject(
        payload_name(operation.kind.name),
        {"object_id": object_id, "audit_entry_id": audit_entry_id, "replayed": is_replay},
    )
