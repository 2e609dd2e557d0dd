"""The effect of a command, for the API: computed in the transaction and rolled back."""

from typing import Annotated

import strawberry

from registry.commands.operation import Preview as Computed
from registry.reading.projections import ToMany
from schema.documents.cost import MAX_ITEMS
from schema.framework.enums import ObjectState
from schema.framework.fields import projected_field
from schema.framework.next_actors import MAX_NEXT_ACTORS, NextActor
from schema.framework.planned_object import PlannedObject
from schema.framework.refusals import Condition

_POSTINGS = ToMany(
    "(SELECT * FROM unnest(:sources::uuid[], :targets::uuid[], :instruments::uuid[],"
    " :quantities::bigint[]) WITH ORDINALITY AS m (source, target, instrument, quantity, line))",
    "true",
    "{t}.line",
)


@strawberry.type(
    description="The effect of the command; nothing was changed 办理预览，未作任何变更."
)
class Preview:
    # The type is of a layer above; the schema finds it by name when it is built.
    postings: list[
        Annotated["PreviewPosting", strawberry.lazy("schema.types.preview_postings")]  # type: ignore[name-defined]  # noqa: F821
    ] = projected_field("The postings it would write 拟记账分录.", _POSTINGS)
    next_state: ObjectState | None = strawberry.field(
        description="The state it would lead to 办理后状态."
    )
    next_actors: list[NextActor] = strawberry.field(
        description="Whose turn it would be 后续办理角色.", metadata={MAX_ITEMS: MAX_NEXT_ACTORS}
    )
    conditions: list[Condition] = strawberry.field(
        description="All requirements, met and unmet 全部条件核查结果."
    )


def to_planned(computed: Computed) -> PlannedObject:
    """The preview as the executor answers it: its postings by plan, the rest as computed."""
    preview = Preview(
        postings=[],
        next_state=computed.next_state,
        next_actors=[NextActor.of(role, verb) for role, verb in computed.next_actors],
        conditions=[Condition.of(condition) for condition in computed.conditions],
    )
    moved = computed.postings
    binds: dict[str, object] = {
        "sources": [posting.source for posting in moved],
        "targets": [posting.target for posting in moved],
        "instruments": [posting.instrument for posting in moved],
        "quantities": [posting.quantity for posting in moved],
    }
    return PlannedObject("Preview", binds, {}, preview)
