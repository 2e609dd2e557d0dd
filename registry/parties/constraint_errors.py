"""The refusals that the constraints of the parties' tables mean."""

from registry.db.errors import ConstraintErrors, bad_length, duplicate, malformed
from registry.kernel.errors import NotFound

CONSTRAINT_ERRORS: ConstraintErrors = {
    "organisation_credit_code_once": duplicate(
        "An organisation with this credit code is registered.",
        "该统一社会信用代码已登记。",
        field="creditCode",
    ),
    "organisation_name_once": duplicate(
        "An open organisation has this name.", "已有同名单位。", field="name"
    ),
    "organisation_single": duplicate(
        "There is one province and one centre.", "省厅和交易中心各仅有一个。", field="kind"
    ),
    "organisation_bureau_once": duplicate(
        "The division has its bureau already.", "该行政区划已有生态环境主管部门。", field="division"
    ),
    "person_subject": duplicate(
        "Somebody signs in under this name already.", "该登录名已登记。", field="subject"
    ),
    "appointment_once": duplicate(
        "The same appointment is proposed or in force.",
        "该人员的同一任职已提出或已生效。",
        field="person",
    ),
    "client_name_once": duplicate(
        "A client has this name.",
        "该应用名称已登记。",
        field="name",
    ),
    "persisted_query_once": duplicate(
        "The client has registered this document.", "该应用已登记此查询文档。", field="text"
    ),
    "organisation_name": bad_length("name", 2, 200),
    "organisation_name_en": bad_length("nameEn", 2, 200),
    "organisation_industry": malformed(
        "industry",
        "The table of industries has no such code.",
        "行业代码不存在。",
    ),
    "organisation_installed_mw": malformed(
        "installedMw", "Installed capacity is 0 to 100000 MW.", "装机容量为0至100000兆瓦。"
    ),
    "person_subject_length": bad_length("subject", 3, 200),
    "appointment_period": malformed(
        "validUntil", "An appointment ends after it begins.", "任职截止时间须晚于起始时间。"
    ),
    "appointment_of_use": malformed(
        "mayInitiate",
        "An appointment lets its holder initiate, approve, or both.",
        "任职须具有经办或审批权限。",
    ),
    "appointment_person": malformed(
        "person",
        "A natural person stands on one side of the market.",
        "一人不得同时任职于管理方和市场方。",
    ),
    "sanction_period": malformed(
        "endsAt", "A sanction ends after it begins.", "惩戒截止时间须晚于起始时间。"
    ),
    "client_name": malformed(
        "name",
        "A client's name has 2 to 63 small letters, digits and hyphens, no hyphen first.",
        "应用名称为2至63个小写字母、数字或连字符,且不以连字符开头。",
    ),
    "person_organisation": lambda: NotFound("organisation"),
    "appointment_organisation": lambda: NotFound("organisation"),
}
