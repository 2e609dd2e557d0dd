"""The words for transfers and certificates."""

from policies.vocabulary.shared import VIEW, inside_fact, own_fact, stage_fact
from policies.word_types import APPROVE, INITIATE, ConceptWords, FactSpec, KindSpec, Text, Verb

KINDS: dict[str, KindSpec] = {
    "Transfer": KindSpec(
        Text("transfer", "协议转让"),
        (
            VIEW,
            Verb("view_price", Text("see the price of", "查看价格")),
            Verb("draft", Text("draft", "起草"), duty=INITIATE, creates=True),
            Verb("offer", Text("offer", "发出要约"), duty=INITIATE, creates_task=True),
            Verb("countersign", Text("countersign", "会签"), duty=APPROVE, creates_task=True),
            Verb(
                "accept",
                Text("accept", "接受要约"),
                Text("Accepting approves nothing.", "不构成审批"),
                duty=INITIATE,
                creates_task=True,
            ),
            Verb("withdraw", Text("withdraw", "撤回"), duty=INITIATE),
            Verb("comment", Text("comment on", "提出意见"), duty=INITIATE),
            Verb(
                "qualify",
                Text("decide the eligibility of both sides of", "审核双方交易资格"),
                duty=APPROVE,
                creates_task=True,
            ),
            Verb(
                "opine",
                Text("give the city's opinion on", "出具市级意见"),
                duty=APPROVE,
                creates_task=True,
            ),
            Verb("approve", Text("approve", "批准"), duty=APPROVE, creates_task=True),
            Verb("reject", Text("reject", "驳回"), duty=APPROVE),
            Verb(
                "contract",
                Text("record the contract of", "登记合同"),
                duty=INITIATE,
                creates_task=True,
            ),
            Verb(
                "record_payment",
                Text("record the payment of", "登记付款"),
                duty=INITIATE,
                creates_task=True,
            ),
            Verb("settle", Text("settle", "权款结算"), duty=INITIATE, creates_task=True),
            Verb("declare_default", Text("declare the default of", "认定违约"), duty=APPROVE),
            Verb("expire", Text("let expire", "到期失效"), duty=INITIATE),
        ),
    ),
    "Certificate": KindSpec(Text("attestation certificate", "交易鉴证书"), (VIEW,)),
}


def _city_own_fact(side_en: str, side_zh: str) -> FactSpec:
    return FactSpec(
        Text(f"you act for the whole city of {side_en}", f"您代表{side_zh}所在市全市行使职权"),
        Text(f"you do not act for the city of {side_en}", f"您不代表{side_zh}所在市行使职权"),
    )


FACTS: dict[str, FactSpec] = {
    "own_sale": own_fact("the seller", "出让方"),
    "own_purchase": own_fact("the buyer", "受让方"),
    "seller_inside": inside_fact("the seller", "出让方"),
    "buyer_inside": inside_fact("the buyer", "受让方"),
    "seller_city_own": _city_own_fact("the seller", "出让方"),
    "buyer_city_own": _city_own_fact("the buyer", "受让方"),
    "same_city": FactSpec(
        Text("both sides are in one city", "双方在同一设区市"),
        Text("the transfer crosses city borders", "双方跨设区市"),
    ),
    "cross_city": FactSpec(
        Text("the transfer crosses city borders", "双方跨设区市"),
        Text("both sides are in one city", "双方在同一设区市"),
    ),
    "both_opinions_given": FactSpec(
        Text("both cities have given their opinion", "双方市级意见均已出具"),
        Text("one of the two cities has not given its opinion yet", "尚缺一方市级意见"),
    ),
    "own_opinion_given": FactSpec(
        Text("your city has given its opinion", "本市意见已出具"),
        Text("your city has not given its opinion yet", "本市意见尚未出具"),
    ),
    "awaiting_own_side": FactSpec(
        Text("the second signature of your organisation is awaited", "等待本单位会签"),
        Text("no second signature of your organisation is awaited", "无需本单位会签"),
    ),
    "was_offered": FactSpec(
        Text("the offer has reached the buyer", "要约已送达受让方"),
        Text("the offer has not reached the buyer", "要约尚未送达受让方"),
    ),
    "overdue": FactSpec(
        Text("its time limit has passed", "办理期限已过"),
        Text("its time limit has not passed", "办理期限未过"),
    ),
    "stage_awaiting_signature": stage_fact("awaiting a second signature", "待会签"),
    "stage_offered": stage_fact("offered and within its time limit", "要约有效期内"),
    "stage_accepted": stage_fact("accepted", "已接受"),
    "stage_eligible": stage_fact("found eligible", "资格审核通过"),
    "stage_approved": stage_fact("approved", "已批准"),
    "stage_contracted": stage_fact("contracted", "已签约"),
    "stage_paid": stage_fact("paid", "已付款"),
    "stage_before_contract": stage_fact("before its contract", "签约之前"),
    "stage_final": stage_fact("closed", "已终结"),
}

EXCLUSIVE: tuple[frozenset[str], ...] = (
    frozenset({"stage_before_contract", "stage_contracted", "stage_paid", "stage_final"}),
    frozenset({"stage_offered", "overdue"}),
    frozenset({"stage_draft", "was_offered"}),
    frozenset({"same_city", "cross_city"}),
    frozenset({"own_sale", "own_purchase"}),
)

IMPLIED_BY = {"own_opinion_given": "both_opinions_given"}

WORDS = ConceptWords(KINDS, FACTS, EXCLUSIVE, IMPLIED_BY)
