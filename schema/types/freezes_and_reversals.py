"""Freezes and reversals in the API: what holds an account fast, and what undoes an entry."""

from datetime import datetime
from typing import ClassVar

import strawberry

from registry.kernel.quantities import Quantity
from registry.ledger import projections
from registry.ledger.facts import FREEZE, REVERSAL
from registry.ledger.rules import FreezeState, FreezeTarget, ReversalState
from registry.reading.keyset import Ordering
from registry.reading.projections import bilingual
from schema.framework.fields import column, projected_field, relation
from schema.framework.governed import Governed
from schema.framework.lists import FilterSpec, list_field
from schema.types.accounts import Account, Instrument
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
    state: FreezeState = projected_field(
        "Its state now; past its end it is expired 当前状态.", projections.FREEZE_STATE
    )
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
        "'Reversal: ' || left({t}.reason, 80)", "'冲正：' || left({t}.reason, 80)"
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
            "state": FilterSpec(
                "State as of now 当前状态",
                "state",
                words=FreezeState,
                expression=projections.FREEZE_STATE.sql,
            ),
            "organisation": FilterSpec("Whose 所属单位", "organisation_id", kind="Organisation"),
        },
    )
    reversals = list_field(
        Reversal,
        "Reversals 冲正.",
        orders=NEWEST_ORDER,
        where={"state": FilterSpec("How they were decided 状态", "state", words=ReversalState)},
    )
