"""Instruments, accounts, balances and statements in the API."""

from asyncio import gather
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import strawberry

from registry.access.authorizer import authorizer
from registry.kernel.quantities import format_quantity
from registry.ledger import operations, projections
from registry.ledger.account_statement import AccountStatementLine, load_positions, load_statement
from registry.ledger.facts import ACCOUNT
from registry.ledger.instruments import instrument_of, instruments_of
from registry.ledger.records import Instrument as InstrumentRecord
from registry.ledger.reserve_totals import reserve_totals
from registry.ledger.rules import MONEY_INSTRUMENT, AccountKind, Acquisition, EntryKind
from registry.reading.projections import column_expr, column_or_null, plain_column
from registry.reference.queries import pollutants_by_code
from schema.framework.context import Info
from schema.framework.global_ids import parse_id_of_kind, to_global_id
from schema.framework.governed import Governed, column, relation
from schema.framework.inputs import CommandInput, node_id_field
from schema.framework.lists import shared_list
from schema.framework.mutations import governed_mutation
from schema.framework.projected import bounded_list, check_bounded_list, projected
from schema.framework.scalars import Money, Quantity
from schema.types.parties import Organisation
from schema.types.reference import Pollutant
from schema.types.shared_lists import ACCOUNTS

INSTRUMENT = "Instrument"


@strawberry.type(description="What can be held: a right with all it carries, or money 权利品种.")
class Instrument:
    """An instrument; anybody may know what there is to hold."""

    TABLE: ClassVar = "instrument"

    record: strawberry.Private[InstrumentRecord]
    id: strawberry.ID = strawberry.field(
        description="Opaque identifier 标识.", metadata=projected(projections.INSTRUMENT_KEY)
    )
    code: str = strawberry.field(
        description="Readable name 代码.", metadata=projected(plain_column("code"))
    )
    acquisition: Acquisition | None = strawberry.field(description="Paid for or free 取得方式.")
    origin_city: str | None = strawberry.field(
        description="Code of the area it was taken from 来源地代码."
    )
    basin: str | None = strawberry.field(description="Its basin; water only 流域.")
    valid_from: date | None = strawberry.field(description="First day in force 生效日.")
    valid_until: date | None = strawberry.field(description="Last day in force 失效日.")
    unit: str = strawberry.field(
        description="The unit quantities are shown in 计量单位.",
        metadata=projected(plain_column("unit")),
    )
    decimals: int = strawberry.field(
        description="Decimals of a quantity 小数位数.", metadata=projected(column_expr("scale"))
    )
    demo: bool = strawberry.field(description="Demonstration data 是否演示数据.")

    @strawberry.field(
        description="The pollutant; null for money 污染物.",
        metadata=projected(projections.POLLUTANT),
    )
    async def pollutant(self, info: Info) -> Pollutant | None:
        """Read with those of the other instruments of the answer."""
        code = self.record.pollutant
        found = await info.context.load_batched(pollutants_by_code, code) if code else None
        return Pollutant.of(found) if found else None

    @classmethod
    def of(cls, record: InstrumentRecord) -> "Instrument":
        """The API's form of an instrument."""
        same = ("code", "origin_city", "basin", "valid_from", "valid_until", "unit", "demo")
        return cls(
            record=record,
            id=to_global_id(INSTRUMENT, record.id),
            acquisition=Acquisition(record.acquisition) if record.acquisition else None,
            decimals=record.scale,
            **{name: getattr(record, name) for name in same},
        )


@strawberry.type(description="What one account holds of one instrument 持仓.")
class Balance:
    """A position."""

    instrument: Instrument = strawberry.field(
        description="What is held 标的.", metadata=projected(projections.POSITION_INSTRUMENT)
    )
    quantity: Quantity = strawberry.field(
        description="How much, in the instrument's unit 数量.",
        metadata=projected(projections.QUANTITY),
    )
    frozen: bool = strawberry.field(description="Whether it is frozen 是否被冻结.")


@strawberry.type(description="A line of a statement 账户明细.")
class StatementLine:
    """One movement as one account saw it."""

    sequence: int = strawberry.field(description="Number of the line, without gaps 序号.")
    entry: strawberry.ID = strawberry.field(
        description="The entry it belongs to 分录标识.", metadata=projected(projections.ENTRY)
    )
    kind: EntryKind = strawberry.field(description="Why it moved 分录类别.")
    change: Quantity = strawberry.field(
        description="Received, or given with a minus 变动数量.",
        metadata=projected(projections.CHANGE),
    )
    balance: Quantity = strawberry.field(
        description="Held after it 变动后余额.", metadata=projected(projections.BALANCE)
    )
    recorded_at: datetime = strawberry.field(description="When it was recorded 记账时间.")
    effective_at: datetime = strawberry.field(description="When it took effect 生效时间.")
    source: str | None = strawberry.field(description="Where the figure comes from 数据来源.")
    note: str | None = strawberry.field(
        description="What else there is to say 备注.", metadata=projected(column_or_null("note"))
    )
    demo: bool = strawberry.field(description="Demonstration data 是否演示数据.")

    @classmethod
    def of(cls, line: AccountStatementLine, scale: int) -> "StatementLine":
        """The API's form of a line."""
        same = ("sequence", "kind", "recorded_at", "effective_at", "source", "demo")
        return cls(
            entry=to_global_id("Entry", line.entry_id),
            change=_format_signed(line.change, scale),
            balance=Quantity(_format_signed(line.balance, scale)),
            note=line.note or None,
            **{name: getattr(line, name) for name in same},
        )


def _parse_instrument_id(identifier: str) -> UUID:
    return parse_id_of_kind(INSTRUMENT, identifier, field="instrument")


def _format_signed(units: int, scale: int) -> Quantity:
    sign = "-" if units < 0 else ""
    return Quantity(sign + format_quantity(abs(units), scale))


@strawberry.type(description="A place that holds instruments, most for one organisation 账户.")
class Account(Governed):
    """An account with its balances and statements."""

    KIND: ClassVar = ACCOUNT
    kind: AccountKind = column("What it is for 账户类别.")
    organisation: Organisation | None = relation(
        "Whose it is; null for issuance and outside money 所属单位."
    )

    @strawberry.field(
        description="The rights it holds, now or as it was known at a moment; with `effective`, by"
        " what had taken effect by then (a sum, slower) 持仓(可查历史时点).",
        metadata=projected(projections.BALANCES),
    )
    async def balances(
        self, info: Info, *, as_of: datetime | None = strawberry.UNSET, effective: bool = False
    ) -> list[Balance]:
        """By instrument; empty positions are left out."""
        held = await self._load_balances(info, as_of or None, effective=effective)
        return [balance for balance in held if balance.instrument.record.id != MONEY_INSTRUMENT]

    @strawberry.field(
        description="The money it holds, now or at a moment, for those who may see prices"
        " 资金余额.",
        metadata=projected(projections.MONEY_BALANCE),
    )
    async def money(
        self, info: Info, *, as_of: datetime | None = strawberry.UNSET, effective: bool = False
    ) -> Balance | None:
        """Null where there is none, or where it is masked."""
        if not await self._may_see_money(info):
            return None
        held = await self._load_balances(info, as_of or None, effective=effective)
        return next(
            (balance for balance in held if balance.instrument.record.id == MONEY_INSTRUMENT), None
        )

    async def _may_see_money(self, info: Info) -> bool:
        return authorizer.allows(await info.context.viewer(), ACCOUNT, "view_money", self.record)

    async def _load_balances(
        self, info: Info, as_of: datetime | None, *, effective: bool
    ) -> list[Balance]:
        now = (await info.context.viewer()).now
        moment = {"effective_at" if effective else "recorded_at": as_of}
        held = await load_positions([self.record.pk], now, **moment)
        known = await instruments_of(position.instrument_id for position in held)
        return [
            Balance(
                instrument=Instrument.of(known[position.instrument_id]),
                quantity=_format_signed(position.quantity, position.scale),
                frozen=position.frozen,
            )
            for position in held
        ]

    @strawberry.field(
        description="The movements of one instrument, oldest first; at most 100 lines 账户明细.",
        metadata=projected(
            projections.STATEMENT,
            argument_parsers={"instrument": _parse_instrument_id},
            check_arguments=bounded_list,
        ),
    )
    async def statement(
        self,
        info: Info,
        *,
        instrument: strawberry.ID,
        since: datetime,
        until: datetime,
        first: int,
        after_sequence: int = 0,
    ) -> list[StatementLine]:
        """From ``since`` and before ``until``, on the clock of what was known.

        Of money only for those who may see prices; others are answered as if there were none.
        """
        check_bounded_list(first)
        wanted = await instrument_of(_parse_instrument_id(instrument))
        if wanted.id == MONEY_INSTRUMENT and not await self._may_see_money(info):
            return []
        lines = await load_statement(
            self.record.pk, wanted.id, since, until, after=max(after_sequence, 0), limit=first
        )
        return [StatementLine.of(line, wanted.scale) for line in lines]


@strawberry.type(description="What the reserves hold of one pollutant, for everybody 政府储备公示.")
class ReserveTotal:
    """A public figure."""

    organisation: Organisation = strawberry.field(
        description="Whose reserve 储备所属单位.", metadata=projected(projections.HOLDER)
    )
    instrument: Instrument = strawberry.field(
        description="What is held 标的.", metadata=projected(projections.POSITION_INSTRUMENT)
    )
    quantity: Quantity = strawberry.field(
        description="How much 数量.", metadata=projected(projections.QUANTITY)
    )


@strawberry.input(description="Enter the opening stock of a reserve 登记储备期初库存.")
class OpenReserveInput(CommandInput):
    """What the reserve of a province or city holds at the beginning."""

    organisation: strawberry.ID = node_id_field("Organisation", "Whose reserve 储备所属单位.")
    pollutant: str = strawberry.field(description="Code of the pollutant 污染物代码.")
    quantity: Quantity = strawberry.field(description="How much, in its unit 数量.")
    source: str = strawberry.field(description="Where the figure comes from 数据来源.")
    basin: str | None = strawberry.field(
        default=strawberry.UNSET, description="Basin; water only 流域."
    )
    effective_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Since when it was held 生效时间."
    )
    demo: bool = strawberry.field(default=False, description="Demonstration data 是否演示数据.")


@strawberry.input(description="Enter an opening holding 登记期初持有量.")
class OpenHoldingInput(OpenReserveInput):
    """What an enterprise holds at the beginning."""

    acquisition: Acquisition = strawberry.field(
        default=Acquisition.PAID, description="Paid for or free 取得方式."
    )
    origin: str | None = strawberry.field(
        default=strawberry.UNSET, description="Code of the area it was taken from 来源地代码."
    )
    valid_from: date | None = strawberry.field(
        default=strawberry.UNSET, description="First day 生效日."
    )
    valid_until: date | None = strawberry.field(
        default=strawberry.UNSET, description="Last day 失效日."
    )


@strawberry.input(description="Record that the bank paid money out 登记出金.")
class RecordPayoutInput(CommandInput):
    """Money that leaves the registry."""

    id: strawberry.ID = node_id_field("Account", "The holding account 持有账户.")
    money: Money = strawberry.field(description="How much 金额.")
    reference: str = strawberry.field(description="The bank's reference, once 银行流水号.")
    note: str = strawberry.field(default="", description="What else there is to say 备注.")


@strawberry.type
class AccountQuery:
    """What accounts hold."""

    accounts = shared_list(ACCOUNTS, "Accounts 账户.")

    @strawberry.field(
        description="What the reserves hold, for everybody 政府储备公示.",
        metadata=projected(projections.RESERVE_TOTALS),
    )
    async def reserve_totals(self, info: Info) -> list[ReserveTotal]:
        """By reserve and instrument; a stock that no source gives is missing, not zero."""
        totals = await reserve_totals()
        known = await instruments_of(total.instrument_id for total in totals)
        cards = await gather(
            *(info.context.load(Organisation.KIND, total.organisation_id) for total in totals)
        )
        return [
            ReserveTotal(
                organisation=Organisation(record=card),
                instrument=Instrument.of(known[total.instrument_id]),
                quantity=_format_signed(total.quantity, known[total.instrument_id].scale),
            )
            for total, card in zip(totals, cards, strict=True)
        ]


@strawberry.type
class AccountMutation:
    """Opening stocks and paying out."""

    open_reserve = governed_mutation(
        Account,
        "open_reserve",
        operations.open_reserve,
        OpenReserveInput,
        "Enter the opening stock of a reserve 登记储备期初库存.",
    )
    open_holding = governed_mutation(
        Account,
        "open_holding",
        operations.open_holding,
        OpenHoldingInput,
        "Enter an opening holding 登记期初持有量.",
    )
    record_payout = governed_mutation(
        Account,
        "pay_out",
        operations.record_payout,
        RecordPayoutInput,
        "Record that the bank paid money out 登记出金.",
    )
