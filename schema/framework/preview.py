"""The effect of a command, for the API: computed in the transaction and rolled back."""

import strawberry

from policies.vocabulary import VOCABULARY
from registry.commands.command import PostingPreview
from registry.commands.command import Preview as Computed
from registry.kernel.quantities import format_quantity
from schema.framework.enums import ObjectState, Role, Verb
from schema.framework.global_ids import to_global_id
from schema.framework.refusals import Condition, LocalisedText
from schema.framework.scalars import Quantity

INSTRUMENT, ACCOUNT = "Instrument", "Account"


@strawberry.type(description="A movement between two accounts that would be posted 拟记账分录.")
class PreviewPosting:
    """One posting that the command would make."""

    source: strawberry.ID = strawberry.field(description="The account that gives 转出账户.")
    target: strawberry.ID = strawberry.field(description="The account that receives 转入账户.")
    instrument: strawberry.ID = strawberry.field(description="The instrument moved 标的.")
    quantity: Quantity = strawberry.field(description="How much, in the instrument's unit 数量.")

    @classmethod
    def of(cls, movement: PostingPreview, scale: int) -> "PreviewPosting":
        """The API's form of a movement."""
        return cls(
            source=to_global_id(ACCOUNT, movement.source),
            target=to_global_id(ACCOUNT, movement.target),
            instrument=to_global_id(INSTRUMENT, movement.instrument),
            quantity=Quantity(format_quantity(movement.quantity, scale)),
        )


@strawberry.type(description="A role for whose decision it would wait 后续办理角色.")
class NextApprover:
    """Whose turn it would be."""

    role: Role = strawberry.field(description="The role 角色.")
    verb: Verb = strawberry.field(description="The verb that the role would use 待办操作.")
    role_text: LocalisedText = strawberry.field(description="The role's name 角色名称.")

    @classmethod
    def of(cls, role: str, verb: str) -> "NextApprover":
        """The API's form of a pair of role and verb."""
        return cls(role=role, verb=verb, role_text=LocalisedText.of(VOCABULARY.roles[role]))


@strawberry.type(
    description="The effect of the command; nothing was changed 办理预览,未作任何变更."
)
class Preview:
    """The answer where only a preview was asked for."""

    postings: list[PreviewPosting] = strawberry.field(
        description="The postings it would write 拟记账分录."
    )
    next_state: ObjectState | None = strawberry.field(
        description="The state it would lead to 办理后状态."
    )
    next_approvers: list[NextApprover] = strawberry.field(
        description="Whose turn it would be 后续办理角色."
    )
    conditions: list[Condition] = strawberry.field(
        description="All requirements, met and unmet 全部条件核查结果."
    )

    @classmethod
    def of(cls, computed: Computed) -> "Preview":
        """The API's form of a preview."""
        return cls(
            postings=[
                PreviewPosting.of(m, computed.scales[m.instrument]) for m in computed.postings
            ],
            next_state=computed.next_state,
            next_approvers=[NextApprover.of(role, verb) for role, verb in computed.next_approvers],
            conditions=[Condition.of(condition) for condition in computed.conditions],
        )
