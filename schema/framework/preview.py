"""The effect of a command, for the API: computed in the transaction and rolled back."""

from typing import Annotated

import strawberry

from policies.vocabulary import VOCABULARY
from registry.commands.command import Preview as Computed
from registry.reading.projections import ToMany
from schema.framework.enums import ObjectState, Role, Verb
from schema.framework.fields import projected_field
from schema.framework.planned_object import PlannedObject
from schema.framework.refusals import Condition, LocalisedText

_POSTINGS = ToMany(
    "(SELECT * FROM unnest(:sources::uuid[], :targets::uuid[], :instruments::uuid[],"
    " :quantities::bigint[]) WITH ORDINALITY AS m (source, target, instrument, quantity, line))",
    "true",
    "{t}.line",
)


@strawberry.type(description="A role for whose decision it would wait 后续办理角色.")
class NextApprover:
    role: Role = strawberry.field(description="The role 角色.")
    verb: Verb = strawberry.field(description="The verb that the role would use 待办操作.")
    role_text: LocalisedText = strawberry.field(description="The role's name 角色名称.")

    @classmethod
    def of(cls, role: str, verb: str) -> "NextApprover":
        return cls(role=role, verb=verb, role_text=LocalisedText.of(VOCABULARY.roles[role]))


@strawberry.type(
    description="The effect of the command; nothing was changed 办理预览,未作任何变更."
)
class Preview:
    # The type is of a layer above; the schema finds it by name when it is built.
    postings: list[
        Annotated["PreviewPosting", strawberry.lazy("schema.types.preview_postings")]  # type: ignore[name-defined]  # noqa: F821
    ] = projected_field("The postings it would write 拟记账分录.", _POSTINGS)
    next_state: ObjectState | None = strawberry.field(
        description="The state it would lead to 办理后状态."
    )
    next_approvers: list[NextApprover] = strawberry.field(
        description="Whose turn it would be 后续办理角色."
    )
    conditions: list[Condition] = strawberry.field(
        description="All requirements, met and unmet 全部条件核查结果."
    )


def to_planned(computed: Computed) -> PlannedObject:
    """The preview as the executor answers it: its postings by plan, the rest as computed."""
    preview = Preview(
        postings=[],
        next_state=computed.next_state,
        next_approvers=[NextApprover.of(role, verb) for role, verb in computed.next_approvers],
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
