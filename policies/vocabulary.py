"""The closed lists of words that a rule may use: roles, kinds of object, verbs, facts.

A word that is not here cannot be written in the rule book; the loader refuses the whole book. The
lists know nothing of tables or programs: what a fact means for a record stands in the ``facts.py``
of its concept.
"""

from policies.word_types import FactSpec, KindSpec, Text, Verb, Vocabulary

__all__ = [
    "EXCLUSIVE",
    "FACTS",
    "GROUPS",
    "IMPLIED_BY",
    "KINDS",
    "ROLES",
    "VOCABULARY",
    "FactSpec",
    "KindSpec",
    "Text",
    "Verb",
    "Vocabulary",
]

ROLES: dict[str, Text] = {
    "province": Text("provincial ecology department", "省生态环境厅"),
    "centre": Text("trading service centre", "排污权交易服务中心"),
    "city": Text("city ecology bureau", "市生态环境局"),
    "county": Text("county ecology branch", "县级生态环境分局"),
    "government": Text("local government", "地方人民政府"),
    "enterprise": Text("enterprise", "企业"),
    "bank": Text("bank", "银行"),
    "verifier": Text("verifier", "核查机构"),
    "auditor": Text("auditor", "审计机构"),
    "portal": Text("partner portal", "合作平台"),
    "public": Text("public", "社会公众"),
    "operator": Text("system operator", "系统运维"),
    "registry": Text("the registry itself", "登记系统"),
}

GROUPS: dict[str, Text] = {
    "authority": Text("authorities", "生态环境主管部门"),
    "official": Text("authorities and the centre", "主管部门及交易中心"),
    "participant": Text("market participants", "市场主体"),
    "signatory": Text("bodies that sign agreements", "协议签约方"),
    "person": Text("everybody with an appointment", "全体任职人员"),
    "anyone": Text("anyone", "任何人"),
}

_VIEW = Verb("view", Text("see", "查看"))

KINDS: dict[str, KindSpec] = {
    "Organisation": KindSpec(
        Text("organisation", "单位"),
        (
            _VIEW,
            Verb(
                "view_details",
                Text("see identifiers and signing rules of", "查看详情"),
            ),
            Verb("register", Text("register", "登记"), creates=True),
            Verb("change", Text("change the particulars of", "变更")),
            Verb("close", Text("close", "注销")),
            Verb("bootstrap", Text("found the registry with", "系统初始化"), creates=True),
        ),
    ),
    "Person": KindSpec(
        Text("person", "人员"),
        (_VIEW, Verb("register", Text("register", "登记"), creates=True)),
    ),
    "Appointment": KindSpec(
        Text("appointment", "任职"),
        (
            _VIEW,
            Verb("appoint", Text("propose", "任命"), creates=True),
            Verb("countersign", Text("countersign", "会签"), creates_task=True),
            Verb("end", Text("end", "免职")),
        ),
    ),
    "Sanction": KindSpec(
        Text("sanction", "惩戒措施"),
        (
            _VIEW,
            Verb("impose", Text("impose", "实施"), creates=True),
            Verb("lift", Text("lift", "解除")),
        ),
    ),
    "Freeze": KindSpec(
        Text("freeze", "冻结"),
        (
            _VIEW,
            Verb("impose", Text("impose", "实施冻结"), creates=True),
            Verb("lift", Text("lift", "解除冻结")),
        ),
    ),
    "Client": KindSpec(
        Text("client program", "接入应用"),
        (
            _VIEW,
            Verb("register", Text("register", "登记"), creates=True),
            Verb("revoke", Text("revoke", "撤销")),
            Verb(
                "register_persisted_query", Text("register a persisted query for", "登记查询文档")
            ),
            Verb("retire_persisted_query", Text("retire a persisted query of", "停用查询文档")),
            Verb(
                "restrict_to_persisted_queries",
                Text("restrict to persisted queries", "限定查询文档"),
            ),
        ),
    ),
    "Account": KindSpec(
        Text("account", "账户"),
        (
            _VIEW,
            Verb("view_money", Text("see the money in", "查看资金")),
            Verb(
                "open_reserve",
                Text("enter the opening stock of the reserve into", "登记储备期初库存"),
            ),
            Verb("open_holding", Text("enter an opening holding into", "登记期初持有量")),
            Verb("pay_out", Text("pay out money from", "登记出金")),
        ),
    ),
    "Reversal": KindSpec(
        Text("reversal", "冲正"),
        (
            _VIEW,
            Verb("propose", Text("propose", "提出冲正"), creates=True),
            Verb("approve", Text("approve", "批准冲正"), creates_task=True),
            Verb("reject", Text("reject", "驳回冲正")),
        ),
    ),
    "Permit": KindSpec(
        Text("discharge permit", "排污许可证"),
        (
            _VIEW,
            Verb("view_limits", Text("see limits and outlets of", "查看许可限值与排放口")),
            Verb("register", Text("register", "登记"), creates=True),
            Verb("change", Text("change the limits of", "变更许可限值")),
            Verb("revoke", Text("revoke", "撤销")),
        ),
    ),
    "ConstructionProject": KindSpec(
        Text("construction project", "建设项目"),
        (
            _VIEW,
            Verb("view_demand", Text("see the demand of", "查看需求量")),
            Verb("register", Text("register", "登记"), creates=True),
            Verb("assess", Text("record the assessed demand of", "登记环评核定需求量")),
        ),
    ),
    "Assessment": KindSpec(
        Text("environmental assessment of an area", "区域环境质量考核"),
        (_VIEW, Verb("record", Text("record", "登记"), creates=True)),
    ),
    "Transfer": KindSpec(
        Text("transfer", "协议转让"),
        (
            _VIEW,
            Verb("view_price", Text("see the price of", "查看价格")),
            Verb("draft", Text("draft", "起草"), creates=True),
            Verb("offer", Text("offer", "发出要约"), creates_task=True),
            Verb("countersign", Text("countersign", "会签"), creates_task=True),
            Verb(
                "accept",
                Text("accept (which approves nothing)", "接受要约(不构成审批)"),
                creates_task=True,
            ),
            Verb("withdraw", Text("withdraw", "撤回")),
            Verb("comment", Text("comment on", "提出意见")),
            Verb(
                "qualify",
                Text("decide the eligibility of both sides of", "审核双方交易资格"),
                creates_task=True,
            ),
            Verb("opine", Text("give the city's opinion on", "出具市级意见"), creates_task=True),
            Verb("approve", Text("approve", "批准"), creates_task=True),
            Verb("reject", Text("reject", "驳回")),
            Verb("contract", Text("record the contract of", "登记合同"), creates_task=True),
            Verb("record_payment", Text("record the payment of", "登记付款"), creates_task=True),
            Verb("settle", Text("settle", "权款结算"), creates_task=True),
            Verb("declare_default", Text("declare the default of", "认定违约")),
            Verb("expire", Text("let expire", "到期失效")),
        ),
    ),
    "Agreement": KindSpec(
        Text("cooperation agreement", "合作协议"),
        (
            _VIEW,
            Verb("draft", Text("draft", "起草"), creates=True),
            Verb("sign", Text("sign", "签署"), creates_task=True),
            Verb("withdraw", Text("withdraw", "撤回")),
            Verb("bring_into_force", Text("bring into force", "生效"), creates_task=True),
            Verb("plan_milestone", Text("plan a milestone of", "设定里程碑")),
            Verb("reach_milestone", Text("record a reached milestone of", "登记里程碑完成")),
            Verb("complete", Text("complete", "履行完毕")),
            Verb("terminate", Text("terminate", "终止")),
        ),
    ),
    "Certificate": KindSpec(Text("attestation certificate", "交易鉴证书"), (_VIEW,)),
}


def _own_fact(what_en: str, what_zh: str) -> FactSpec:
    return FactSpec(
        Text(f"your organisation is {what_en}", f"本单位是{what_zh}"),
        Text(f"your organisation is not {what_en}", f"本单位不是{what_zh}"),
    )


def _inside_fact(what_en: str, what_zh: str) -> FactSpec:
    return FactSpec(
        Text(f"{what_en} lies in your division", f"{what_zh}在本辖区内"),
        Text(f"{what_en} lies outside your division", f"{what_zh}不在本辖区内"),
    )


def _city_own_fact(side_en: str, side_zh: str) -> FactSpec:
    return FactSpec(
        Text(f"you act for the whole city of {side_en}", f"您代表{side_zh}所在市全市行使职权"),
        Text(f"you do not act for the city of {side_en}", f"您不代表{side_zh}所在市行使职权"),
    )


def _stage_fact(state_en: str, state_zh: str) -> FactSpec:
    return FactSpec(
        Text(f"the case is {state_en}", f"案件处于“{state_zh}”"),
        Text(f"the case is not {state_en}", f"案件不处于“{state_zh}”"),
    )


FACTS: dict[str, FactSpec] = {
    # Who acts.
    "scope_missing": FactSpec(
        Text("the client acting for you was not given this scope", "代您操作的应用没有此项授权"),
        Text("the client has the scope", "应用已获授权"),
        viewer_only=True,
    ),
    "appointment_lapsed": FactSpec(
        Text("your appointment is not in force", "您的任职不在有效期内"),
        Text("your appointment is in force", "您的任职有效"),
        viewer_only=True,
    ),
    "sanctioned": FactSpec(
        Text("your organisation is under a sanction", "本单位处于惩戒期"),
        Text("your organisation is under no sanction", "本单位未受惩戒"),
        viewer_only=True,
    ),
    "frozen": FactSpec(
        Text("your organisation is frozen", "本单位已被冻结"),
        Text("your organisation is not frozen", "本单位未被冻结"),
        viewer_only=True,
    ),
    "may_initiate": FactSpec(
        Text("your appointment lets you initiate", "您有经办权限"),
        Text("your appointment does not let you initiate", "您没有经办权限"),
        viewer_only=True,
    ),
    "may_approve": FactSpec(
        Text("your appointment lets you approve", "您有审批权限"),
        Text("your appointment does not let you approve", "您没有审批权限"),
        viewer_only=True,
    ),
    # Who stands where towards the object.
    "own": _own_fact("the one it belongs to", "其所属单位"),
    "inside": _inside_fact("it", "该对象"),
    "own_sale": _own_fact("the seller", "出让方"),
    "own_purchase": _own_fact("the buyer", "受让方"),
    "seller_inside": _inside_fact("the seller", "出让方"),
    "buyer_inside": _inside_fact("the buyer", "受让方"),
    "seller_city_own": _city_own_fact("the seller", "出让方"),
    "buyer_city_own": _city_own_fact("the buyer", "受让方"),
    "party": _own_fact("a party", "签约方"),
    "may_register_kind": FactSpec(
        Text("it is of a kind that others register", "该类单位由主管部门登记"),
        Text(
            "it is an authority, which only the province registers", "该单位为主管部门,仅由省厅登记"
        ),
    ),
    "person_of_own": FactSpec(
        Text("the person belongs to your organisation", "该人员属于本单位"),
        Text("the person does not belong to your organisation", "该人员不属于本单位"),
    ),
    "self": FactSpec(
        Text("it is about yourself", "涉及您本人"), Text("it is not about yourself", "不涉及您本人")
    ),
    "first_of_organisation": FactSpec(
        Text("the organisation cannot appoint its own people yet", "该单位尚不能自行任命人员"),
        Text("the organisation appoints its own people", "该单位可自行任命人员"),
    ),
    "beginning": FactSpec(
        Text("the registry has no organisation yet", "系统尚无任何单位"),
        Text("the registry has organisations already", "系统已有单位"),
        viewer_only=True,
    ),
    "in_escrow": FactSpec(
        Text("what it holds is bound to an open case", "所持属于未结案件"),
        Text("what it holds is bound to no open case", "所持不属于未结案件"),
    ),
    "own_rights": _own_fact("the holder", "持有人"),
    "published": FactSpec(Text("it is public", "已公开"), Text("it is not public", "未公开")),
    # Four eyes.
    "submitter": FactSpec(
        Text("you submitted it yourself", "该件由您本人提交"),
        Text("you did not submit it", "该件非您本人提交"),
    ),
    "same_body_as_submitter": FactSpec(
        Text("your own body submitted it", "该件由本单位提交"),
        Text("another body submitted it", "该件由其他单位提交"),
    ),
    "already_acted": FactSpec(
        Text("you have signed in this case already", "您已在本案中签署"),
        Text("you have not signed in this case", "您未在本案中签署"),
    ),
    "acted_elsewhere": FactSpec(
        Text("you have acted in this case for another body", "您已代表其他单位办理本案"),
        Text("you have acted in this case for no other body", "您未代表其他单位办理本案"),
    ),
    # Where the case stands.
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
    "own_signature_given": FactSpec(
        Text("your organisation has signed", "本单位已签署"),
        Text("your organisation has not signed yet", "本单位尚未签署"),
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
    "stage_draft": _stage_fact("a draft", "草稿"),
    "stage_proposed": _stage_fact("proposed", "已提出"),
    "stage_in_force": _stage_fact("in force", "有效"),
    "stage_open": _stage_fact("open", "正常"),
    "stage_awaiting_signature": _stage_fact("awaiting a second signature", "待会签"),
    "stage_offered": _stage_fact("offered and within its time limit", "要约有效期内"),
    "stage_accepted": _stage_fact("accepted", "已接受"),
    "stage_eligible": _stage_fact("found eligible", "资格审核通过"),
    "stage_approved": _stage_fact("approved", "已批准"),
    "stage_contracted": _stage_fact("contracted", "已签约"),
    "stage_paid": _stage_fact("paid", "已付款"),
    "stage_before_contract": _stage_fact("before its contract", "签约之前"),
    "stage_final": _stage_fact("closed", "已终结"),
    "stage_signed": _stage_fact("signed by all", "各方已签署"),
    "stage_planned": _stage_fact("planned", "计划中"),
}

EXCLUSIVE: tuple[frozenset[str], ...] = (
    frozenset(
        name for name in FACTS if name.startswith("stage_") and name != "stage_before_contract"
    ),
    frozenset({"stage_before_contract", "stage_contracted", "stage_paid", "stage_final"}),
    frozenset({"stage_offered", "overdue"}),
    frozenset({"stage_draft", "was_offered"}),
    frozenset({"same_city", "cross_city"}),
    frozenset({"own_sale", "own_purchase"}),
)

IMPLIED_BY = {"own_opinion_given": "both_opinions_given"}
"""Facts about a viewer that are true of every viewer concerned where another fact is true."""

VOCABULARY = Vocabulary(ROLES, GROUPS, KINDS, FACTS, EXCLUSIVE)
