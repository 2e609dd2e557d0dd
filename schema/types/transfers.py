"""Negotiated transfers and their certificates in the API."""

from datetime import date, datetime
from typing import Annotated, ClassVar

import strawberry

from registry.kernel.errors import NotFound
from registry.kernel.quantities import format_quantity
from registry.kernel.state_machine import allowed_steps
from registry.ledger.instruments import instruments_of
from registry.reading.keyset import Ordering
from registry.reading.projections import plain_column
from registry.reference.queries import pollutants_by_code
from registry.transfers import projections, queries
from registry.transfers.facts import CERTIFICATE, TRANSFER
from registry.transfers.rules import (
    NEVER,
    TRANSITIONS,
    Opinion,
    Regime,
    State,
    Step,
    TransferSide,
    state_at,
)
from schema.framework.context import Info
from schema.framework.governed import Governed, column, relation
from schema.framework.lists import FilterSpec, list_field, shared_list
from schema.framework.projected import projected
from schema.framework.refusals import LocalisedText
from schema.framework.scalars import Money, Price, Quantity
from schema.types.accounts import Instrument
from schema.types.parties import Organisation
from schema.types.reference import Pollutant
from schema.types.shared_lists import TRANSFERS


@strawberry.type(description="What a city thinks of a transfer across its border 市级意见.")
class TransferOpinion:
    """An opinion; it does not bind the province."""

    city: str = strawberry.field(description="Code of the city 设区市代码.")
    favourable: bool = strawberry.field(description="Whether it is for it 是否同意.")
    reasons: str = strawberry.field(description="Its reasons 理由.")
    given_at: datetime = strawberry.field(description="When it was given 出具时间.")


@strawberry.type(description="What a county remarked; it binds nobody 县级意见.")
class TransferComment:
    """A comment."""

    county: str = strawberry.field(description="Code of the county 县级代码.")
    text: str = strawberry.field(description="What it says 内容.")
    given_at: datetime = strawberry.field(description="When it was given 提出时间.")


@strawberry.type(description="A condition as the centre found it 资格审核结果.")
class EligibilityFinding:
    """A finding, kept with what it rests on."""

    name: str = strawberry.field(description="Stable word for the condition 条件名称.")
    met: bool = strawberry.field(description="Whether it was met 是否满足.")
    message: LocalisedText = strawberry.field(
        description="What was found 核查情况.", metadata=projected(projections.FINDING_MESSAGE)
    )
    legal_basis: LocalisedText = strawberry.field(
        description="Law and article, or parameter 法律依据或参数.",
        metadata=projected(projections.FINDING_LEGAL_BASIS),
    )
    source: LocalisedText = strawberry.field(
        description="Where the facts were read 数据来源.",
        metadata=projected(projections.FINDING_SOURCE),
    )
    evaluated_on: date = strawberry.field(description="On which day 核查日期.")


@strawberry.type(
    description="A sale of rights from one enterprise to another at an agreed price 协议转让."
)
class Transfer(Governed):
    """A case with everything that was said and found on its way."""

    KIND: ClassVar = TRANSFER
    case_number: str = column(
        "Its number, from the first day 受理编号.", projection=plain_column("case_number")
    )
    seller: Organisation = relation("Who sells 出让方.")
    buyer: Organisation = relation("Who buys 受让方.")
    seller_city: str = column("Code of the seller's city when it was drafted 出让方所在市代码.")
    buyer_city: str = column("Code of the buyer's city when it was drafted 受让方所在市代码.")
    crosses_cities: bool = column(
        "Whether the sides are in two cities 是否跨市.",
        name="is_cross_city",
        projection=projections.IS_CROSS_CITY,
    )
    price: Price | None = column("Yuan for one unit, for the whole right 单价.", name="price_fen")
    sum: Money | None = column("Quantity times price 总价.", name="sum_fen")
    note: str | None = column("What the seller adds 备注.", null_value="")
    announced_on: date | None = column("Day of the notice in the seller's city 本市公告日期.")
    announcement: str | None = column("Where that notice was published 公告出处.", null_value="")
    regime: Regime = column("The regime it was last judged under 适用流转制度.")
    awaiting: TransferSide | None = column(
        "The side whose second signature is awaited 待会签方.",
        null_value="",
    )
    deadline_at: datetime | None = column(
        "The last moment of the present state; null where it has none 办理期限.",
        null_value=NEVER,
    )
    accept_by: date | None = column("The last day the seller set for acceptance 接受期限.")
    seller_opinion: Opinion | None = column(
        "The opinion of the seller's city 转出地市级意见.",
        null_value="",
    )
    buyer_opinion: Opinion | None = column(
        "The opinion of the buyer's city 转入地市级意见.",
        null_value="",
    )
    contract_number: str | None = column("Number of the contract 合同编号.", null_value="")
    bank_reference: str | None = column(
        "The bank's reference of the payment 银行流水号.", null_value=""
    )
    number: str | None = column("Attestation number, once it is settled 鉴证书编号.", null_value="")
    reason: str | None = column("Why it was withdrawn, rejected or not kept 原因.", null_value="")
    in_default: TransferSide | None = column(
        "The side that did not keep the contract 违约方.",
        null_value="",
    )
    demo: bool = column("Demonstration data 是否演示数据.")
    drafted_at: datetime = column("When it was drafted 起草时间.")
    changed_at: datetime = column("When it last changed 最近变更时间.")

    @strawberry.field(
        description="Where it stands as of now: what has passed its deadline is expired 当前状态.",
        metadata=projected(projections.STATE),
    )
    async def state(self, info: Info) -> State:
        """Judged by the registry's clock, whether or not it was swept."""
        now = (await info.context.viewer()).now
        return state_at(State(self.record.state), self.record.deadline_at, now)

    @strawberry.field(
        description="What can happen next, whoever may do it; see availableActions 后续步骤.",
        metadata=projected(projections.NEXT_STEPS),
    )
    async def next_steps(self, info: Info) -> list[Step]:
        """The steps of the life that lead on from the state as of now."""
        return list(allowed_steps(TRANSITIONS, await self.state(info)))

    @strawberry.field(
        description="What is sold 转让标的.", metadata=projected(projections.INSTRUMENT)
    )
    async def instrument(self, info: Info) -> Instrument:
        """Anybody who sees the case may know what it is about."""
        found = await info.context.load_batched(instruments_of, self.record.instrument_id)
        if found is None:
            raise NotFound("instrument")
        return Instrument.of(found)

    @strawberry.field(
        description="How much, in the instrument's unit 数量.",
        metadata=projected(projections.QUANTITY),
    )
    async def quantity(self, info: Info) -> Quantity:
        """A decimal with the decimals of the instrument."""
        scale = (await self.instrument(info)).decimals
        return Quantity(format_quantity(self.record.quantity, scale))

    @strawberry.field(
        description="What the two cities think of it 市级意见.",
        metadata=projected(projections.OPINIONS),
    )
    async def opinions(self, info: Info) -> list[TransferOpinion]:
        """In the order in which they were given; none inside one city."""
        found = await info.context.load_batched(queries.opinions_of, self.record.pk) or []
        same = ("city", "favourable", "reasons", "given_at")
        return [TransferOpinion(**{name: getattr(o, name) for name in same}) for o in found]

    @strawberry.field(
        description="What counties remarked, oldest first 县级意见.",
        metadata=projected(projections.COMMENTS),
    )
    async def comments(self, info: Info) -> list[TransferComment]:
        """They bind nobody."""
        found = await info.context.load_batched(queries.comments_of, self.record.pk) or []
        same = ("county", "text", "given_at")
        return [TransferComment(**{name: getattr(c, name) for name in same}) for c in found]

    @strawberry.field(
        description="What the centre found when it decided eligibility 资格审核结果.",
        metadata=projected(projections.FINDINGS),
    )
    async def findings(self, info: Info) -> list[EligibilityFinding]:
        """By name; none before that decision."""
        found = await info.context.load_batched(queries.findings_of, self.record.pk) or []
        same = ("name", "met", "evaluated_on")
        return [
            EligibilityFinding(
                message=LocalisedText(en=each.message_en, zh=each.message_zh),
                legal_basis=LocalisedText.parse(each.legal_basis),
                source=LocalisedText.parse(each.source),
                **{name: getattr(each, name) for name in same},
            )
            for each in found
        ]

    @strawberry.field(
        description="The attestation of its settlement 交易鉴证书.",
        metadata=projected(projections.CERTIFICATE),
    )
    async def certificate(
        self, info: Info
    ) -> Annotated["Certificate", strawberry.lazy("schema.types.transfers")] | None:
        """None before it is settled."""
        id = await info.context.load_batched(queries.certificates_of, self.record.pk)
        record = await info.context.load(CERTIFICATE, id) if id else None
        return Certificate(record=record) if record else None


@strawberry.type(
    description="The attestation of a performed transfer; anybody may verify it 交易鉴证书."
)
class Certificate(Governed):
    """Public, and therefore without the price."""

    KIND: ClassVar = CERTIFICATE
    number: str = column("Its number 编号.")
    issued_at: datetime = column("When it was issued 出具时间.")
    seller: Organisation = relation("Who sold 出让方.")
    buyer: Organisation = relation("Who bought 受让方.")
    transfer: Transfer | None = relation("The case, where the viewer may see it 转让案件.")
    demo: bool = column("Demonstration data 是否演示数据.")

    @strawberry.field(
        description="What was transferred 污染物.",
        metadata=projected(projections.CERTIFIED_POLLUTANT),
    )
    async def pollutant(self, info: Info) -> Pollutant:
        """The pollutant of the right."""
        found = await info.context.load_batched(pollutants_by_code, self.record.pollutant)
        if found is None:
            raise NotFound("pollutant")
        return Pollutant.of(found)

    @strawberry.field(
        description="How much, in the pollutant's unit 数量.",
        metadata=projected(projections.CERTIFIED_QUANTITY),
    )
    async def quantity(self, info: Info) -> Quantity:
        """A decimal with the decimals of the pollutant."""
        decimals = (await self.pollutant(info)).decimals
        return Quantity(format_quantity(self.record.quantity, decimals))

    @strawberry.field(
        description="Since when it is void because the settlement was reversed 失效时间.",
        metadata=projected(projections.REVOKED_AT),
    )
    async def revoked_at(self, info: Info) -> datetime | None:
        """None while it holds."""
        return await info.context.load_batched(queries.revocations_of, self.record.pk)


@strawberry.type
class TransferQuery:
    """Cases and certificates."""

    transfers = shared_list(TRANSFERS, "Transfers this appointment may see 协议转让.")
    certificates = list_field(
        Certificate,
        "Attestation certificates, for everybody 交易鉴证书.",
        orders={"newest": Ordering("issued_at", datetime, descending=True)},
        where={
            "pollutant": FilterSpec("Code of the pollutant 污染物代码", "pollutant"),
            "issued_at": FilterSpec("When it was issued 出具时间", "issued_at", is_time=True),
        },
    )

    @strawberry.field(
        description="Verify a certificate by its number; null where there is none 查验鉴证书.",
        metadata=projected(projections.CERTIFICATE_BY_NUMBER),
    )
    async def certificate(self, info: Info, number: str) -> Certificate | None:
        """Anybody may ask."""
        id = await queries.find_certificate(number)
        record = await info.context.load(CERTIFICATE, id) if id else None
        return Certificate(record=record) if record else None
