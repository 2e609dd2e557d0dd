"""Refusals for the constraints of the tables of parties."""

from collections.abc import Callable

from policies.vocabulary import Text
from registry.db.session import register_constraint_errors
from registry.kernel.errors import Duplicate, Malformed, NotFound, Refused

RefusalFactory = Callable[[], Refused]


def _duplicate(field: str, en: str, zh: str) -> RefusalFactory:
    return lambda: Duplicate(Text(en, zh), field=field)


def _malformed(field: str, en: str, zh: str) -> RefusalFactory:
    return lambda: Malformed(field, en, zh)


def _bad_length(field: str, shortest: int, longest: int) -> RefusalFactory:
    return _malformed(
        field,
        f"{field} has {shortest} to {longest} characters.",
        f"{field}长度为{shortest}至{longest}个字符。",
    )


_UNIQUE_CONSTRAINTS = {
    "organisation_credit_code_once": _duplicate(
        "creditCode",
        "An organisation with this credit code is registered.",
        "该统一社会信用代码已登记。",
    ),
    "organisation_name_once": _duplicate(
        "name", "An open organisation has this name.", "已有同名单位。"
    ),
    "organisation_single": _duplicate(
        "kind", "There is one province and one centre.", "省厅和交易中心各仅有一个。"
    ),
    "organisation_bureau_once": _duplicate(
        "division", "The division has its bureau already.", "该行政区划已有生态环境主管部门。"
    ),
    "person_subject": _duplicate(
        "subject", "Somebody signs in under this name already.", "该登录名已登记。"
    ),
    "appointment_once": _duplicate(
        "person",
        "The same appointment is proposed or in force.",
        "该人员的同一任职已提出或已生效。",
    ),
    "client_name_once": _duplicate("name", "A client has this name.", "该应用名称已登记。"),
    "persisted_query_once": _duplicate(
        "text", "The client has registered this document.", "该应用已登记此查询文档。"
    ),
}

_CHECK_CONSTRAINTS = {
    "organisation_name": _bad_length("name", 2, 200),
    "organisation_name_en": _bad_length("nameEn", 2, 200),
    "organisation_industry": _malformed(
        "industry",
        "The table of industries has no such code.",
        "行业代码不存在。",
    ),
    "organisation_installed_mw": _malformed(
        "installedMw", "Installed capacity is 0 to 100000 MW.", "装机容量为0至100000兆瓦。"
    ),
    "person_subject_length": _bad_length("subject", 3, 200),
    "appointment_period": _malformed(
        "validUntil", "An appointment ends after it begins.", "任职截止时间须晚于起始时间。"
    ),
    "appointment_of_use": _malformed(
        "mayInitiate",
        "An appointment lets its holder initiate, approve, or both.",
        "任职须具有经办或审批权限。",
    ),
    "appointment_person": _malformed(
        "person",
        "A natural person stands on one side of the market.",
        "一人不得同时任职于管理方和市场方。",
    ),
    "sanction_period": _malformed(
        "endsAt", "A sanction ends after it begins.", "惩戒截止时间须晚于起始时间。"
    ),
    "client_name": _malformed(
        "name",
        "A client's name has 2 to 63 small letters, digits and hyphens, no hyphen first.",
        "应用名称为2至63个小写字母、数字或连字符,且不以连字符开头。",
    ),
    "person_organisation": lambda: NotFound("organisation"),
    "appointment_organisation": lambda: NotFound("organisation"),
}


def register() -> None:
    """Tell the database room what these constraints mean. Doing it twice changes nothing."""
    register_constraint_errors({**_UNIQUE_CONSTRAINTS, **_CHECK_CONSTRAINTS})
