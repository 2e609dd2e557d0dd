"""Freezes and reversals in the API: what holds an account fast, and what undoes an entry."""

from datetime import datetime
from typing import ClassVar

import strawberry

from registry.ledger import operations, projections
from registry.ledger.facts import FREEZE, REVERSAL
from registry.ledger.rules import FreezeState, FreezeTarget, ReversalState
from registry.reading.keyset import Ordering
from registry.reading.projections import bilingual
from schema.framework.fields import column, projected_field, relation
from schema.framework.governed import Governed
from schema.framework.inputs import CommandInput, node_id_field
from schema.framework.lists import FilterSpec, list_field
from schema.framework.mutations import governed_mutation
from schema.framework.scalars import Quantity
from schema.types.accounts import INSTRUMENT, Account, Instrument
from schema.types.parties import Organisation


@strawberry.type(description="An order that nothing leaves a party, account or position 冻结.")
class Freeze(Governed):
    KIND: ClassVar = FREEZE
    CAPTION: ClassVar = projections.FREEZE_CAPTION
    target: FreezeTarget = column("Target of the freeze 冻结对象.")
    organisation: Organisation = relation("Whose it is 所属单位.")
    account: Account | None = relation("The account, unless the whole party is frozen 账户.")
    reason: str = column("Why 冻结原因.")
    source: str = column("The order it rests on 冻结依据.")
    starts_at: datetime = column("From when 起始时间.")
    ends_at: datetime | None = column("Until when; null until it is lifted 截止时间.")
    state: FreezeState = column("Whether it was lifted 状态.")
    lifted_at: datetime | None = column("When it was lifted 解除时间.")
    demo: bool = column("Demonstration data 是否演示数据.")


@strawberry.type(description="A movement of an entry 记账.")
class Posting:
    source: strawberry.ID = projected_field("The account that gives 转出账户.", projections.SOURCE)
    target: strawberry.ID = projected_field(
        "The account that receives 转入账户.", projections.TARGET
    )
    instrument: Instrument = projected_field(
        "The instrument moved 标的.", projections.POSTING_INSTRUMENT
    )
    quantity: Quantity = projected_field(
        "How much, in the instrument's unit 数量.", projections.POSTING_QUANTITY
    )


@strawberry.type(description="A proposal to undo an entry, decided by a second officer 冲正.")
class Reversal(Governed):
    KIND: ClassVar = REVERSAL
    CAPTION: ClassVar = bilingual(
        "'Reversal: ' || left({t}.reason, 80)", "'冲正:' || left({t}.reason, 80)"
    )
    state: ReversalState = column("How it was decided 状态.")
    reason: str = column("Why it is proposed 冲正原因.")
    decision: str = column("Why it was rejected; else empty 决定理由.")
    entry: strawberry.ID = column(
        "The entry it undoes 被冲正分录.", name="entry_id", target_kind="Entry"
    )
    demo: bool = column("Demonstration data 是否演示数据.")

    postings: list[Posting] = projected_field(
        "Postings of the reversed entry 被冲正分录的记账.", projections.POSTINGS
    )


@strawberry.input(description="Freeze a party, an account or a position 实施冻结.")
class ImposeFreezeInput(CommandInput):
    """An order to freeze."""

    reason: str = strawberry.field(description="Why 冻结原因.")
    source: str = strawberry.field(description="The order it rests on 冻结依据.")
    organisation: strawberry.ID | None = node_id_field(
        "Organisation", "The whole of an organisation 单位.", default=strawberry.UNSET
    )
    account: strawberry.ID | None = node_id_field(
        "Account", "One account 账户.", default=strawberry.UNSET
    )
    instrument: strawberry.ID | None = node_id_field(
        INSTRUMENT, "Only this instrument of that account 标的.", default=strawberry.UNSET
    )
    ends_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Until when 截止时间."
    )
    demo: bool = strawberry.field(default=False, description="Demonstration data 是否演示数据.")


@strawberry.input(description="End a freeze 解除冻结.")
class LiftFreezeInput(CommandInput):
    """An end before its time."""

    id: strawberry.ID = node_id_field("Freeze", "The freeze 冻结.")
    reason: str = strawberry.field(description="Why 解除原因.")


@strawberry.input(description="Propose to undo an entry 提出冲正.")
class ProposeReversalInput(CommandInput):
    """The entry to be reversed, and the reason."""

    entry: strawberry.ID = node_id_field("Entry", "The entry 分录.")
    reason: str = strawberry.field(description="Why 冲正原因.")


@strawberry.input(description="Undo the entry 批准冲正.")
class ApproveReversalInput(CommandInput):
    """The second officer's yes."""

    id: strawberry.ID = node_id_field("Reversal", "The reversal 冲正.")


@strawberry.input(description="Leave the entry as it is 驳回冲正.")
class RejectReversalInput(ApproveReversalInput):
    """The second officer's no."""

    reason: str = strawberry.field(description="Why 驳回原因.")


NEWEST_ORDER = {
    "newest": Ordering("changed_at", datetime, descending=True),
    "oldest": Ordering("changed_at", datetime),
}


@strawberry.type
class FreezeAndReversalQuery:
    freezes = list_field(
        Freeze,
        "Freezes 冻结.",
        orders=NEWEST_ORDER,
        where={
            "state": FilterSpec("Whether they were lifted 状态", "state", words=FreezeState),
            "organisation": FilterSpec("Whose 所属单位", "organisation_id", kind="Organisation"),
        },
    )
    reversals = list_field(
        Reversal,
        "Reversals 冲正.",
        orders=NEWEST_ORDER,
        where={"state": FilterSpec("How they were decided 状态", "state", words=ReversalState)},
    )


@strawberry.type
class FreezeAndReversalMutation:
    """Freezing and undoing."""

    impose_freeze = governed_mutation(
        Freeze,
        "impose",
        operations.impose_freeze,
        ImposeFreezeInput,
        "Freeze a party, an account or a position 实施冻结.",
    )
    lift_freeze = governed_mutation(
        Freeze, "lift", operations.lift_freeze, LiftFreezeInput, "End a freeze 解除冻结."
    )
    propose_reversal = governed_mutation(
        Reversal,
        "propose",
        operations.propose_reversal,
        ProposeReversalInput,
        "Propose to undo an entry 提出冲正.",
    )
    approve_reversal = governed_mutation(
        Reversal,
        "approve",
        operations.approve_reversal,
        ApproveReversalInput,
        "Undo the entry 批准冲正.",
    )
    reject_reversal = governed_mutation(
        Reversal,
        "reject",
        operations.reject_reversal,
        RejectReversalInput,
        "Leave the entry as it is 驳回冲正.",
    )
