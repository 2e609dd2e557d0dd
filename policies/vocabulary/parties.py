"""The words for organisations, people, appointments, sanctions, clients."""

from policies.vocabulary.shared import VIEW
from policies.word_types import APPROVE, INITIATE, ConceptWords, FactSpec, KindSpec, Text, Verb

KINDS: dict[str, KindSpec] = {
    "Organisation": KindSpec(
        Text("organisation", "单位"),
        (
            VIEW,
            Verb(
                "view_details",
                Text("see identifiers and signing rules of", "查看详情"),
            ),
            Verb("register", Text("register", "登记"), duty=INITIATE, creates=True),
            Verb("change", Text("change the particulars of", "变更"), duty=INITIATE),
            Verb("close", Text("close", "注销"), duty=APPROVE),
            Verb("bootstrap", Text("found the registry with", "系统初始化"), creates=True),
        ),
    ),
    "Person": KindSpec(
        Text("person", "人员"),
        (VIEW, Verb("register", Text("register", "登记"), duty=INITIATE, creates=True)),
    ),
    "Appointment": KindSpec(
        Text("appointment", "任职"),
        (
            VIEW,
            Verb("appoint", Text("propose", "任命"), duty=INITIATE, creates=True),
            Verb("countersign", Text("countersign", "会签"), duty=APPROVE, creates_task=True),
            Verb("end", Text("end", "免职"), duty=APPROVE),
        ),
    ),
    "Sanction": KindSpec(
        Text("sanction", "惩戒措施"),
        (
            VIEW,
            Verb("impose", Text("impose", "实施"), duty=INITIATE, creates=True),
            Verb("lift", Text("lift", "解除"), duty=APPROVE),
        ),
    ),
    "Client": KindSpec(
        Text("client", "接入应用"),
        (
            VIEW,
            Verb("register", Text("register", "登记"), duty=INITIATE, creates=True),
            Verb("revoke", Text("revoke", "撤销"), duty=APPROVE),
            Verb(
                "register_persisted_query",
                Text("register a persisted query for", "登记查询文档"),
                duty=INITIATE,
            ),
            Verb(
                "retire_persisted_query",
                Text("retire a persisted query of", "停用查询文档"),
                duty=INITIATE,
            ),
            Verb(
                "restrict_to_persisted_queries",
                Text("restrict to persisted queries", "限定查询文档"),
                duty=APPROVE,
            ),
        ),
    ),
}

FACTS: dict[str, FactSpec] = {
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
}

WORDS = ConceptWords(KINDS, FACTS)
