"""Roles, and the groups that they belong to."""

from policies.word_types import Text

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
    "signatory": Text("organisations that sign agreements", "协议签约方"),
    "person": Text("everybody with an appointment", "全体任职人员"),
    "anyone": Text("anyone", "任何人"),
}
