"""Negotiated transfers and their certificates in the API."""

from datetime import date, datetime
from typing import Annotated, ClassVar

import strawberry

from registry.kernel.quantities import Money, Price, Quantity
from registry.kernel.texts import comparison_form
from registry.reading.keyset import Ordering
from registry.reading.projections import bilingual, plain_column
from registry.transfers import projections
from registry.transfers.facts import CERTIFICATE, TRANSFER
from registry.transfers.rules import (
    NEVER,
    Opinion,
    Regime,
    State,
    Step,
    TransferSide,
)
from schema.framework.fields import FieldArgument, column, projected_field, relation
from schema.framework.governed import Governed
from schema.framework.lists import FilterSpec, TimeFilter, list_field, shared_list
from schema.framework.refusals import LocalisedText
from schema.types.accounts import Instrument
from schema.types.parties import Organisation
from schema.types.reference import Division, Pollutant, division_field
from schema.types.shared_lists import TRANSFERS


@strawberry.type(description="Opinion of a city on a transfer across its border 市级意见.")
class TransferOpinion:
    city: Division = division_field("The city 设区的市.", column="city")
    favourable: bool = column("Whether it is for it 是否同意.")
    reasons: str = column("Its reasons 理由.")
    given_at: datetime = column("When it was given 出具时间.")


@strawberry.type(description="Remark of a county; not binding 县级意见.")
class TransferComment:
    county: Division = division_field("The county 县（市、区）.", column="county")
    text: str = column("Its text 内容.")
    given_at: datetime = column("When it was given 提出时间.")


@strawberry.type(description="A condition as the centre found it 资格审核结果.")
class EligibilityFinding:
    name: str = column("Stable word for the condition 条件名称.")
    met: bool = column("Whether it was met 是否满足.")
    message: LocalisedText = projected_field("The finding 核查情况.", projections.FINDING_MESSAGE)
    legal_basis: LocalisedText = projected_field(
        "Law and article, or parameter 法律依据或参数.", projections.FINDING_LEGAL_BASIS
    )
    source: LocalisedText = projected_field(
        "Where the facts were read 数据来源.", projections.FINDING_SOURCE
    )
    evaluated_on: date = column("On which day 核查日期.")


@strawberry.type(description="A sale of rights between enterprises at an agreed price 协议转让.")
class Transfer(Governed):
    KIND: ClassVar = TRANSFER
    CAPTION: ClassVar = bilingual(
        "'Transfer ' || {t}.case_number", "'协议转让 ' || {t}.case_number"
    )
    case_number: str = column(
        "Its number, from the first day 受理编号.", projection=plain_column("case_number")
    )
    seller: Organisation = relation("The seller 出让方.")
    buyer: Organisation = relation("The buyer 受让方.")
    seller_city: Division = division_field(
        "The seller's city when it was drafted 出让方所在市.", column="seller_city"
    )
    buyer_city: Division = division_field(
        "The buyer's city when it was drafted 受让方所在市.", column="buyer_city"
    )
    crosses_cities: bool = column(
        "Whether the sides are in two cities 是否跨市.",
        name="is_cross_city",
        projection=projections.IS_CROSS_CITY,
    )
    price: Price | None = column("Yuan for one unit, for the whole right 单价.", name="price_fen")
    sum: Money | None = column("Quantity times price 总价.", name="sum_fen")
    note: str | None = column("Note of the seller 备注.", null_value="")
    announced_on: date | None = column("Day of the notice in the seller's city 本市公告日期.")
    announcement: str | None = column("Where that notice was published 公告出处.", null_value="")
    regime: Regime = column("The regime it was last judged under 适用流转制度.")
    awaiting: TransferSide | None = column(
        "The side whose second signature is awaited 待第二签署方.",
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
    state: State = projected_field(
        "Its state now; past its deadline it is expired 当前状态.",
        projections.STATE,
    )
    next_steps: list[Step] = projected_field(
        "Possible next steps, for any actor; see availableActions 后续步骤.",
        projections.NEXT_STEPS,
    )
    instrument: Instrument = projected_field(
        "The instrument on sale 转让标的.", projections.INSTRUMENT
    )
    quantity: Quantity = projected_field(
        "How much, in the instrument's unit 数量.", projections.QUANTITY
    )
    opinions: list[TransferOpinion] = projected_field(
        "Opinions of the two cities 市级意见.", projections.OPINIONS
    )
    comments: list[TransferComment] = projected_field(
        "Remarks of counties, oldest first 县级意见.", projections.COMMENTS
    )
    findings: list[EligibilityFinding] = projected_field(
        "Findings of the centre on eligibility 资格审核结果.", projections.FINDINGS
    )
    certificate: Annotated["Certificate", strawberry.lazy("schema.types.transfers")] | None = (
        projected_field("The attestation of its settlement 交易鉴证书.", projections.CERTIFICATE)
    )


@strawberry.type(
    description="The attestation of a performed transfer; anybody may verify it"
    " 《河北省主要污染物排放权交易鉴证书》."
)
class Certificate(Governed):
    KIND: ClassVar = CERTIFICATE
    CAPTION: ClassVar = bilingual("'Certificate ' || {t}.number", "'交易鉴证书 ' || {t}.number")
    number: str = column("Its number 编号.")
    title: LocalisedText = projected_field(
        "Its full title 鉴证书名称.", projections.CERTIFICATE_TITLE
    )
    issuer: Organisation | None = projected_field(
        "The organisation that settled the trade and issued it 出具机构.",
        projections.CERTIFICATE_ISSUER,
    )
    issued_at: datetime = column("When it was issued 出具时间.")
    seller: Organisation = relation("The seller 出让方.")
    buyer: Organisation = relation("The buyer 受让方.")
    transfer: Transfer | None = relation("The case, where the viewer may see it 转让事项.")
    demo: bool = column("Demonstration data 是否演示数据.")
    pollutant: Pollutant = projected_field(
        "The pollutant transferred 污染物.", projections.CERTIFIED_POLLUTANT
    )
    quantity: Quantity = projected_field(
        "How much, in the pollutant's unit 数量.", projections.CERTIFIED_QUANTITY
    )
    revoked_at: datetime | None = projected_field(
        "Since when it is void because the settlement was reversed 作废时间.",
        projections.REVOKED_AT,
    )


@strawberry.type
class TransferQuery:
    transfers = shared_list(TRANSFERS, "Transfers this appointment may see 协议转让.")
    certificates = list_field(
        Certificate,
        "Attestation certificates, for everybody 交易鉴证书.",
        orders={
            "newest": Ordering("issued_at", datetime, descending=True),
            "oldest": Ordering("issued_at", datetime),
        },
        where={
            "pollutant": FilterSpec(
                "Code of the pollutant 污染物代码", "pollutant", codes="Pollutant"
            ),
            "issued_at": FilterSpec("When it was issued 出具时间", "issued_at", form=TimeFilter),
        },
    )
    certificate: Certificate | None = projected_field(
        "Verify a certificate by its number; null where there is none 查验鉴证书.",
        projections.CERTIFICATE_BY_NUMBER,
        arguments={"number": FieldArgument(str, parse=comparison_form)},
    )
