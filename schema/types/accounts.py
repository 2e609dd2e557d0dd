"""Instruments, accounts, balances and statements in the API."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import strawberry

from registry.kernel.quantities import Quantity
from registry.ledger import projections
from registry.ledger.facts import ACCOUNT
from registry.ledger.rules import AccountKind, Acquisition, Basin, EntryKind
from registry.reading.projections import column_expr, column_or_null, plain_column
from schema.framework.fields import FieldArgument, bounded_list, column, projected_field, relation
from schema.framework.global_ids import parse_id_of_kind
from schema.framework.governed import Governed
from schema.framework.lists import shared_list
from schema.types.parties import Organisation
from schema.types.reference import Division, Pollutant, division_field
from schema.types.shared_lists import ACCOUNTS

INSTRUMENT = "Instrument"


@strawberry.type(description="An instrument: a right with its attributes, or money 权利品种.")
class Instrument:
    TABLE: ClassVar = "instrument"

    id: strawberry.ID = projected_field("Opaque identifier 标识.", projections.INSTRUMENT_KEY)
    code: str = projected_field("Readable name 代码.", plain_column("code"))
    acquisition: Acquisition | None = column("Paid for or free 取得方式.")
    origin: Division | None = division_field(
        "The area it was taken from 来源地.", column="origin_city"
    )
    basin: Basin | None = column("Its basin; water only 流域.")
    valid_from: date | None = column("First day in force 生效日.")
    valid_until: date | None = column("Last day in force 失效日.")
    unit: str = projected_field("The unit quantities are shown in 计量单位.", plain_column("unit"))
    decimals: int = projected_field("Decimals of a quantity 小数位数.", column_expr("scale"))
    demo: bool = column("Demonstration data 是否演示数据.")

    pollutant: Pollutant | None = projected_field(
        "The pollutant; null for money 污染物.", projections.POLLUTANT
    )


@strawberry.type(description="The balance of one instrument in one account 持有量.")
class Balance:
    instrument: Instrument = projected_field(
        "The instrument 标的.", projections.POSITION_INSTRUMENT
    )
    quantity: Quantity = projected_field(
        "How much, in the instrument's unit 数量.", projections.QUANTITY
    )
    frozen: bool = column("Whether it is frozen 是否被冻结.")


@strawberry.type(description="A line of a statement 账户明细.")
class StatementLine:
    sequence: int = column("Number of the line, without gaps 序号.")
    entry: strawberry.ID = projected_field("The entry it belongs to 分录标识.", projections.ENTRY)
    kind: EntryKind = column("Why it moved 分录类别.")
    change: Quantity = projected_field(
        "Received, or given with a minus 变动数量.", projections.CHANGE
    )
    balance: Quantity = projected_field("Held after it 变动后余额.", projections.BALANCE)
    recorded_at: datetime = column("When it was recorded 记账时间.")
    effective_at: datetime = column("When it took effect 生效时间.")
    source: str | None = column("Where the figure comes from 数据来源.")
    note: str | None = projected_field("A note 备注.", column_or_null("note"))
    demo: bool = column("Demonstration data 是否演示数据.")


def _parse_instrument_id(identifier: str) -> UUID:
    return parse_id_of_kind(INSTRUMENT, identifier, field="instrument")


@strawberry.type(description="A place that holds instruments, most for one organisation 账户.")
class Account(Governed):
    KIND: ClassVar = ACCOUNT
    CAPTION: ClassVar = projections.ACCOUNT_CAPTION
    kind: AccountKind = column("Its purpose 账户类别.")
    organisation: Organisation | None = relation(
        "Whose it is; null for issuance and outside money 所属单位."
    )

    balances: list[Balance] = projected_field(
        "The rights it holds, now or as it was known at a moment; with `effective`, by"
        " what had taken effect by then as a sum and slower 持有量（可查历史时点）.",
        projections.BALANCES,
        arguments={
            "as_of": FieldArgument(datetime | None),
            "effective": FieldArgument(bool, default=False),
        },
    )

    money: Balance | None = projected_field(
        "Its money now or at a moment, for those who may see prices 资金余额.",
        projections.MONEY_BALANCE,
        arguments={
            "as_of": FieldArgument(datetime | None),
            "effective": FieldArgument(bool, default=False),
        },
    )

    statement: list[StatementLine] = projected_field(
        "The movements of one instrument, oldest first; at most 100 lines 账户明细.",
        projections.STATEMENT,
        arguments={
            "instrument": FieldArgument(strawberry.ID, parse=_parse_instrument_id),
            "since": FieldArgument(datetime),
            "until": FieldArgument(datetime),
            "first": FieldArgument(int),
            "after_sequence": FieldArgument(int, 0),
        },
        check_arguments=bounded_list,
    )


@strawberry.type(description="Public reserve of one pollutant 政府储备公示.")
class ReserveTotal:
    organisation: Organisation = projected_field("Whose reserve 储备所属单位.", projections.HOLDER)
    instrument: Instrument = projected_field(
        "The instrument 标的.", projections.POSITION_INSTRUMENT
    )
    quantity: Quantity = projected_field("How much 数量.", projections.QUANTITY)


@strawberry.type
class AccountQuery:
    accounts = shared_list(ACCOUNTS, "Accounts 账户.")

    reserve_totals: list[ReserveTotal] = projected_field(
        "Public totals of the reserves 政府储备公示.", projections.reserve_totals
    )
