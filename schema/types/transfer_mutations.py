"""The mutations of a negotiated transfer, in the order of its life."""

from datetime import date

import strawberry

from registry.transfers import approval, offer, settlement
from registry.transfers.rules import TransferSide
from schema.framework.inputs import CommandInput, node_id_field
from schema.framework.mutations import governed_mutation
from schema.framework.scalars import Money, Price, Quantity
from schema.types.transfers import Transfer


@strawberry.input(description="Propose a sale 起草协议转让.")
class DraftTransferInput(CommandInput):
    """The proposal of the seller."""

    buyer: strawberry.ID = node_id_field("Organisation", "The enterprise that is to buy 受让方.")
    instrument: strawberry.ID = node_id_field(
        "Instrument", "The instrument on sale, one's own 转让标的."
    )
    quantity: Quantity = strawberry.field(description="How much, in its unit 数量.")
    price: Price = strawberry.field(description="Yuan for one unit, for the whole right 单价.")
    note: str = strawberry.field(default="", description="A note 备注.")
    announced_on: date | None = strawberry.field(
        default=strawberry.UNSET,
        description="Across cities: day of the notice in one's own city 本市公告日期.",
    )
    announcement: str = strawberry.field(
        default="", description="Across cities: where that notice was published 公告出处."
    )


@strawberry.input(description="Which transfer 指定转让案件.")
class TransferInput(CommandInput):
    """The transfer of a step."""

    id: strawberry.ID = node_id_field("Transfer", "The transfer 转让案件.")


@strawberry.input(description="Sign the offer 发出要约.")
class OfferTransferInput(TransferInput):
    """The seller's signature."""

    accept_by: date | None = strawberry.field(
        default=strawberry.UNSET, description="Last day to accept, within the legal limit 接受期限."
    )


@strawberry.input(description="A step that is explained 附原因的操作.")
class ReasonedTransferInput(TransferInput):
    """A step with its reason."""

    reason: str = strawberry.field(description="Why, 1 to 2000 characters 原因.")


@strawberry.input(description="A remark of the county 县级意见.")
class CommentOnTransferInput(TransferInput):
    """A remark of a county."""

    text: str = strawberry.field(description="The remark, 1 to 2000 characters 内容.")


@strawberry.input(description="The opinion of a city 市级意见.")
class OpineOnTransferInput(TransferInput):
    """An opinion of a city."""

    favourable: bool = strawberry.field(description="Whether it is for it 是否同意.")
    reasons: str = strawberry.field(description="Its reasons, 1 to 2000 characters 理由.")


@strawberry.input(description="The contract both sides signed 登记合同.")
class ContractTransferInput(TransferInput):
    """The contract."""

    contract_number: str = strawberry.field(description="Its number, used once 合同编号.")


@strawberry.input(description="The buyer's money as it arrived 登记付款.")
class RecordPaymentInput(TransferInput):
    """A line of the bank's statement."""

    money: Money = strawberry.field(description="How much; exactly the sum due 金额.")
    reference: str = strawberry.field(description="The bank's reference, used once 银行流水号.")


@strawberry.input(description="The party that breaks the contract 认定违约.")
class DeclareDefaultInput(ReasonedTransferInput):
    """A default."""

    side: TransferSide = strawberry.field(description="The party that breaks it 违约方.")


@strawberry.type
class TransferMutation:
    """From draft to settlement, and every way out."""

    draft_transfer = governed_mutation(
        Transfer,
        "draft",
        offer.draft_transfer,
        DraftTransferInput,
        "Draft a sale of one's own rights; nothing is blocked yet 起草协议转让.",
    )
    offer_transfer = governed_mutation(
        Transfer,
        "offer",
        offer.offer_transfer,
        OfferTransferInput,
        "Sign the offer for the seller; the units are blocked from now on 发出要约.",
    )
    countersign_transfer = governed_mutation(
        Transfer,
        "countersign",
        offer.countersign_transfer,
        TransferInput,
        "Sign as the second representative of one's side 会签.",
    )
    accept_transfer = governed_mutation(
        Transfer,
        "accept",
        offer.accept_transfer,
        TransferInput,
        "Accept the offer for the buyer. This is NOT an approval: the centre still decides the"
        " eligibility of both sides, and the city or the province approves 接受要约(不构成审批).",
    )
    withdraw_transfer = governed_mutation(
        Transfer,
        "withdraw",
        offer.withdraw_transfer,
        ReasonedTransferInput,
        "End it before the contract, for either side; what was blocked comes home 撤回.",
    )
    comment_on_transfer = governed_mutation(
        Transfer,
        "comment",
        approval.comment_on_transfer,
        CommentOnTransferInput,
        "Remark on it for the county 提出意见.",
    )
    qualify_transfer = governed_mutation(
        Transfer,
        "qualify",
        approval.qualify_transfer,
        TransferInput,
        "Find both sides eligible, with every finding on record 审核双方交易资格.",
    )
    opine_on_transfer = governed_mutation(
        Transfer,
        "opine",
        approval.opine_on_transfer,
        OpineOnTransferInput,
        "Give a city's opinion on a transfer across its border 出具市级意见.",
    )
    approve_transfer = governed_mutation(
        Transfer,
        "approve",
        approval.approve_transfer,
        TransferInput,
        "Approve it: the city inside itself, the province across cities 批准.",
    )
    reject_transfer = governed_mutation(
        Transfer,
        "reject",
        approval.reject_transfer,
        ReasonedTransferInput,
        "End it because a side is not eligible or it is not approved 驳回.",
    )
    contract_transfer = governed_mutation(
        Transfer,
        "contract",
        settlement.contract_transfer,
        ContractTransferInput,
        "Record the contract; from now on not keeping it is a default 登记合同.",
    )
    record_payment = governed_mutation(
        Transfer,
        "record_payment",
        settlement.record_payment,
        RecordPaymentInput,
        "Record the buyer's payment into their escrow 登记付款.",
    )
    settle_transfer = governed_mutation(
        Transfer,
        "settle",
        settlement.settle_transfer,
        TransferInput,
        "Exchange rights and money in one entry and attest it 权款结算.",
    )
    declare_default = governed_mutation(
        Transfer,
        "declare_default",
        settlement.declare_default,
        DeclareDefaultInput,
        "End a contract that one side does not keep; rights and money go home 认定违约.",
    )
    expire_transfer = governed_mutation(
        Transfer,
        "expire",
        settlement.expire_transfer,
        TransferInput,
        "Write down that its time limit has passed; what was blocked comes home 到期失效.",
    )
