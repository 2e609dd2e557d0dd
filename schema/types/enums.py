"""The enums of the concepts: what each stored word is called, in both languages.

They come before the types, because the lists of several types are narrowed by them.
"""

from typing import TYPE_CHECKING

from registry.agreements.rules import AgreementKind, AgreementState, MilestoneState, Visibility
from registry.ledger.rules import (
    AccountKind,
    Acquisition,
    EntryKind,
    FreezeState,
    FreezeTarget,
    ReversalState,
)
from registry.parties.rules import (
    AppointmentState,
    ClientState,
    OrganisationKind,
    OrganisationState,
    SanctionKind,
    SanctionState,
    SourceCategory,
)
from registry.permits.rules import Medium, PermitCategory, PermitState, ProjectState
from registry.transfers.rules import Opinion, Regime, State, Step, TransferSide
from schema.framework.enums import describe_enum, describe_state, enum_of_words

describe_enum(
    SourceCategory,
    "The category of an emission source 污染源类别.",
    industrial="Industrial source 工业源",
    agricultural="Agricultural source 农业源",
    central_treatment="Centralised treatment facility 集中式治理设施",
    other="Other source 其他",
)

if TYPE_CHECKING:
    DivisionLevel = str
    PollutantMedium = str
else:
    DivisionLevel = enum_of_words(
        "DivisionLevel",
        "The level of a division 行政区划层级.",
        {"province": "Province 省", "city": "City 设区市", "county": "County 县(市、区)"},
    )
    PollutantMedium = enum_of_words(
        "PollutantMedium",
        "The medium of a pollutant 介质.",
        {"air": "Air 大气", "water": "Water 水", "mixed": "Air and water 大气和水"},
    )

describe_enum(
    OrganisationKind,
    "The kind of an organisation, and with it the role of its people 单位类别.",
    province="Provincial ecology department 省生态环境厅",
    centre="Trading service centre 排污权交易服务中心",
    city="City ecology bureau 市生态环境局",
    county="County ecology branch 县级生态环境分局",
    government="Local government 地方人民政府",
    enterprise="Enterprise 企业",
    bank="Bank 银行",
    verifier="Verifier 核查机构",
    auditor="Auditor 审计机构",
    portal="Partner portal 合作平台",
    approval_bureau="Administrative approval bureau 行政审批局",
    price_authority="Price authority 价格主管部门",
    tax_bureau="Tax bureau 税务局",
)
describe_state(
    OrganisationState,
    "The state of an organisation 单位状态.",
    open="Takes part 正常",
    closed="Closed 已注销",
)
describe_state(
    AppointmentState,
    "The state of an appointment, its dates apart 任职状态.",
    proposed="Awaits the countersignature 待会签",
    in_force="In force 有效",
    ended="Ended 已终止",
)
describe_enum(
    SanctionKind,
    "The kind of a sanction 惩戒类别.",
    listed_supervision="Listed supervision 挂牌督办",
    ordered_to_correct="Ordered to correct 责令改正",
    penalty_period="Penalty period 处罚期",
)
describe_state(
    SanctionState,
    "The state of a sanction, its dates apart 惩戒状态.",
    in_force="In force 有效",
    lifted="Lifted 已解除",
)
describe_state(
    ClientState,
    "The state of a client 接入应用状态.",
    open="May send requests 正常",
    revoked="Revoked 已撤销",
)
describe_enum(
    PermitCategory,
    "The management category of a permit 管理类别.",
    key="Key management 重点管理",
    simplified="Simplified management 简化管理",
    registration="Registration management 登记管理",
)
describe_state(
    PermitState,
    "The state of a permit, its dates apart 许可证状态.",
    in_force="In force 有效",
    revoked="Revoked 已撤销",
)
describe_enum(Medium, "The medium that is polluted 环境要素.", air="Air 大气", water="Water 水")
describe_state(
    ProjectState,
    "The state of a construction project 项目状态.",
    planned="Planned 计划中",
    assessed="Its demand is assessed 需求量已核定",
)
describe_enum(
    AccountKind,
    "The purpose of an account 账户类别.",
    holding="Holding of an organisation 持有账户",
    escrow="Escrow of a transfer 交割账户",
    reserve="Reserve of a government 储备账户",
    issuance="Counterpart of issued rights 发行账户",
    outside="Counterpart of money outside the registry 场外资金账户",
)
describe_enum(
    Acquisition,
    "How a right was acquired 取得方式.",
    PAID="Acquired for payment 有偿取得",
    FREE="Acquired free of charge 无偿取得",
)
describe_enum(
    EntryKind,
    "The reason of a ledger entry 分录类别.",
    opening="Opening stock 期初",
    block="Rights locked for a transfer 冻结待交割",
    release="Locked rights released 解除冻结",
    payment="Payment received 付款",
    payout="Payment out 出金",
    settlement="Settlement of a transfer 权款结算",
    refund="Refund 退款",
    reversal="Reversal of an entry 冲正",
    expiry="Expiry of rights 到期失效",
    conversion="Conversion of rights 转换",
)
describe_enum(
    FreezeTarget,
    "The target of a freeze 冻结对象.",
    organisation="The whole organisation 单位",
    account="One account 账户",
    position="One instrument of an account 持仓",
)
describe_state(
    FreezeState,
    "The state of a freeze, its dates apart 冻结状态.",
    in_force="In force 有效",
    lifted="Lifted 已解除",
)
describe_state(
    ReversalState,
    "The state of a reversal 冲正状态.",
    proposed="Awaits the decision 已提出",
    approved="The entry is undone 已批准",
    rejected="The entry stays 已驳回",
)
describe_state(
    State,
    "The state of a transfer, as of now 转让状态.",
    graphql_name="TransferState",
    draft="Draft 草稿",
    awaiting_signature="Awaits a second signature 待会签",
    offered="Offered to the buyer 已发出要约",
    accepted="Accepted by the buyer 已接受",
    eligible="Found eligible 资格审核通过",
    approved="Approved 已批准",
    contracted="Under contract 已签约",
    paid="Paid into escrow 已付款",
    settled="Settled and attested 已结算",
    withdrawn="Withdrawn 已撤回",
    rejected="Rejected 已驳回",
    expired="Past its time limit 已失效",
    defaulted="One side did not keep the contract 已违约",
)
describe_enum(
    Step,
    "A step of a transfer 转让步骤.",
    graphql_name="TransferStep",
    offer="Sign the offer 发出要约",
    offer_first="Sign the offer first of two 要约首签",
    countersign_offer="Countersign the offer 会签要约",
    accept="Accept the offer 接受要约",
    accept_first="Sign the acceptance first of two 接受首签",
    countersign_acceptance="Countersign the acceptance 会签接受",
    qualify="Decide eligibility 资格审核",
    opine="Give a city's opinion 出具市级意见",
    approve="Approve 批准",
    contract="Record the contract 登记合同",
    pay="Record the payment 登记付款",
    settle="Exchange rights and money 权款结算",
    withdraw="Withdraw 撤回",
    reject="Reject 驳回",
    expire="Let expire 到期失效",
    default="Declare a default 认定违约",
)
describe_enum(
    TransferSide,
    "A side of a transfer 转让一方.",
    seller="The seller 出让方",
    buyer="The buyer 受让方",
)
describe_enum(
    Opinion,
    "The opinion of a city 市级意见.",
    graphql_name="CityOpinion",
    favourable="Favourable 同意",
    unfavourable="Unfavourable 不同意",
)
describe_enum(
    Regime,
    "Whether rights leave their city 流转制度.",
    graphql_name="TransferRegime",
    same_city="Within one city 市内",
    cross_region="Across regions 跨区域",
)
describe_enum(
    AgreementKind,
    "The kind of cooperation 协议类别.",
    strategic_cooperation="Strategic cooperation 战略合作",
    value_realisation="Realisation of value 价值实现",
    methodology_development="Development of methodology 方法学开发",
    mortgage_cooperation="Cooperation on mortgages 抵押贷款合作",
    financial_framework="Financial framework 金融框架",
)
describe_state(
    AgreementState,
    "The state of an agreement 协议状态.",
    draft="Draft 草稿",
    signed="Signed by all parties 各方已签署",
    in_force="In force 生效",
    completed="Completed 履行完毕",
    terminated="Terminated 已终止",
    withdrawn="Withdrawn 已撤回",
    expired="Past its last day 期满",
)
describe_enum(
    MilestoneState,
    "The state of a milestone 里程碑状态.",
    planned="Planned 计划中",
    reached="Reached 已完成",
)
describe_enum(
    Visibility,
    "Readers of an agreement once all have signed 公开范围.",
    graphql_name="AgreementVisibility",
    public="Everyone 社会公众",
    parties="Its parties only 仅签约方",
)
