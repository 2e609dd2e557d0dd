"""Words that several concepts use: the verb to see, and facts about viewers and any object."""

from policies.word_types import ConceptWords, FactSpec, Text, Verb

VIEW = Verb("view", Text("see", "查看"))


def own_fact(what_en: str, what_zh: str) -> FactSpec:
    """«your organisation is …»."""
    return FactSpec(
        Text(f"your organisation is {what_en}", f"本单位是{what_zh}"),
        Text(f"your organisation is not {what_en}", f"本单位不是{what_zh}"),
    )


def inside_fact(what_en: str, what_zh: str) -> FactSpec:
    """«… lies in your division»."""
    return FactSpec(
        Text(f"{what_en} lies in your division", f"{what_zh}在本辖区内"),
        Text(f"{what_en} lies outside your division", f"{what_zh}不在本辖区内"),
    )


def stage_fact(state_en: str, state_zh: str) -> FactSpec:
    """«the case is …», in one of its states."""
    return FactSpec(
        Text(f"the case is {state_en}", f"案件处于“{state_zh}”"),
        Text(f"the case is not {state_en}", f"案件不处于“{state_zh}”"),
    )


FACTS: dict[str, FactSpec] = {
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
    "own": own_fact("the one it belongs to", "其所属单位"),
    "inside": inside_fact("it", "该对象"),
    "beginning": FactSpec(
        Text("the registry has no organisation yet", "系统尚无任何单位"),
        Text("the registry has organisations already", "系统已有单位"),
        viewer_only=True,
    ),
    "published": FactSpec(Text("it is public", "已公开"), Text("it is not public", "未公开")),
    "submitter": FactSpec(
        Text("you submitted it yourself", "该件由您本人提交"),
        Text("you did not submit it", "该件非您本人提交"),
    ),
    "same_body_as_submitter": FactSpec(
        Text("your own organisation submitted it", "该件由本单位提交"),
        Text("another organisation submitted it", "该件由其他单位提交"),
    ),
    "already_acted": FactSpec(
        Text("you have signed in this case already", "您已在本案中签署"),
        Text("you have not signed in this case", "您未在本案中签署"),
    ),
    "acted_elsewhere": FactSpec(
        Text("you have acted in this case for another organisation", "您已代表其他单位办理本案"),
        Text("you have acted in this case for no other organisation", "您未代表其他单位办理本案"),
    ),
    "stage_draft": stage_fact("a draft", "草稿"),
    "stage_proposed": stage_fact("proposed", "已提出"),
    "stage_in_force": stage_fact("in force", "有效"),
    "stage_open": stage_fact("open", "正常"),
}

WORDS = ConceptWords({}, FACTS)
