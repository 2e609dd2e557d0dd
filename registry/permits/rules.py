"""Rules of permits, projects, assessments and changes of limits. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Annotated, NotRequired, TypedDict

from policies.vocabulary import Text
from registry.kernel.errors import Condition, Malformed
from registry.kernel.identifiers import check_outlet, permit_holder
from registry.kernel.legal_bases import (
    NUMBERING_STANDARD,
    PERMIT_REGULATION,
    REGISTER_OF_ORGANISATIONS,
    REGISTER_OF_PERMITS,
)
from registry.kernel.parameters import Parameter
from registry.kernel.quantities import Quantity
from registry.kernel.words import DescribedEnum, chinese_day

LIMITS_MAX = 50
OUTLETS_MAX = 200
DEMANDS_MAX = 50
NAME_LENGTH_MAX = 200
YEAR_MIN = 2000

NO_CREDIT_CODE_PREFIX = "H9"


class PermitState(DescribedEnum):
    """The state of a permit, its dates apart 许可证状态."""

    IN_FORCE = "in_force", "In force", "有效"
    REVOKED = "revoked", "Revoked", "已撤销"


PERMIT_TRANSITIONS = {
    (PermitState.IN_FORCE, "change"): PermitState.IN_FORCE,
    (PermitState.IN_FORCE, "revoke"): PermitState.REVOKED,
}


class PermitEnding(DescribedEnum):
    """The act that ended a permit before its last day 许可证终止方式."""

    SET_ASIDE = "set_aside", "Set aside: it should not have been issued", "撤销"
    DEREGISTERED = "deregistered", "Deregistered: its holder needs it no more", "注销"
    FORFEITED = "forfeited", "Forfeited as a penalty", "吊销"


class PermitCategory(DescribedEnum):
    """The management category of a permit 管理类别."""

    KEY = "key", "Key management", "重点管理"
    SIMPLIFIED = "simplified", "Simplified management", "简化管理"


class Medium(DescribedEnum):
    """The medium that is polluted 环境要素."""

    AIR = "air", "Air", "大气"
    WATER = "water", "Water", "水"


class ProjectState(DescribedEnum):
    """The state of a construction project 项目状态."""

    PLANNED = "planned", "Planned", "计划中"
    ASSESSED = "assessed", "Its demand is assessed", "需求量已核定"


PROJECT_TRANSITIONS = {
    (ProjectState.PLANNED, "assess"): ProjectState.ASSESSED,
    (ProjectState.ASSESSED, "assess"): ProjectState.ASSESSED,
}


_PollutantCode = Annotated[str, Parameter("Code of the pollutant 污染物代码.", codes="Pollutant")]


class LimitDraft(TypedDict):
    """A limit to be recorded: the quantity of a year 许可排放量."""

    pollutant: _PollutantCode
    quantity: Annotated[Quantity, Parameter("How much, in its unit 年许可量.")]


class OutletDraft(TypedDict):
    """An outlet to be recorded 排放口."""

    code: Annotated[str, Parameter("DA001 for air, DW001 for water 排放口编号.")]
    river_system: Annotated[
        NotRequired[str | None],
        Parameter("Code of the river system; for water only 水系代码.", codes="RiverSystem"),
    ]


class DemandDraft(TypedDict):
    """A demand to be recorded, of a project for a pollutant 项目需求量."""

    pollutant: _PollutantCode
    quantity: Annotated[
        NotRequired[Quantity | None],
        Parameter("How much, in its unit; left out where no source gives it 年需求量."),
    ]


def outlet_medium(code: str) -> Medium:
    """The medium of a checked outlet code.

    Rule: HJ 608-2017 annex A: DA for air, DW for water.
    """
    return Medium.AIR if code.startswith("DA") else Medium.WATER


def parse_outlets(outlets: Sequence[OutletDraft]) -> list[tuple[str, Medium, str | None]]:
    """Code, medium and river system of each outlet."""
    check_count(outlets, "outlets", most=OUTLETS_MAX)
    checked = []
    for outlet in outlets:
        code, river = check_outlet(outlet["code"], "outlets.code"), outlet.get("river_system")
        medium = outlet_medium(code)
        if (river is None) == (medium is Medium.WATER):
            raise Malformed(
                "outlets.riverSystem",
                f"Outlet {code} names a river system if and only if it lets out into water.",
                f"排放口{code}：废水排放口须填写水系，废气排放口不得填写。",
            )
        checked.append((code, medium, river))
    check_unique((code for code, _, _ in checked), "outlets.code")
    return checked


def check_count(given: Sequence[object], field: str, *, most: int, least: int = 0) -> None:
    """Refuse a list that is too short or too long."""
    if not least <= len(given) <= most:
        raise Malformed(
            field, f"{field} has {least} to {most} entries.", f"{field}须为{least}至{most}项。"
        )


def check_unique(given: Iterable[str], field: str) -> None:
    """Refuse a list that names something twice."""
    seen: set[str] = set()
    for word in given:
        if word in seen:
            raise Malformed(field, f"{field} names {word} twice.", f"{field}重复填写{word}。")
        seen.add(word)


def day_before(day: date) -> date:
    """The last day of what a change replaces."""
    return day - timedelta(days=1)


def check_number_holder(number: str, credit_code: str | None) -> Condition:
    """Whether a permit number begins with the holder's credit code.

    Where none is on record, only a number of the form for bodies without one can be its own.

    Rule: HJ 608-2017 annex A; 《排污许可管理条例》.
    """
    body = permit_holder(number)
    met = body == credit_code if credit_code else body.startswith(NO_CREDIT_CODE_PREFIX)
    on_record = credit_code or "none"
    return Condition(
        name="number_is_the_holders",
        met=met,
        message=Text(
            f"The permit number belongs to {body}; the credit code on record is {on_record}.",
            f"许可证编号对应单位代码{body}；"
            f"持证单位登记的统一社会信用代码为{credit_code or '无'}。",
        ),
        legal_basis=NUMBERING_STANDARD,
        source=REGISTER_OF_ORGANISATIONS,
    )


def check_change_within_term(
    effective_from: date, valid_from: date, valid_until: date
) -> Condition:
    """Whether a change of limits takes effect while the permit is valid."""
    return Condition(
        name="change_is_within_the_permit",
        met=valid_from <= effective_from <= valid_until,
        message=Text(
            f"The change takes effect on {effective_from};"
            f" the permit is valid {valid_from} to {valid_until}.",
            f"变更自{chinese_day(effective_from)}起生效；"
            f"许可证有效期为{chinese_day(valid_from)}至{chinese_day(valid_until)}。",
        ),
        legal_basis=PERMIT_REGULATION,
        source=REGISTER_OF_PERMITS,
    )


def check_change_is_latest(pollutant: str, effective_from: date, newest: date | None) -> Condition:
    """Whether a change of a limit lies after the newest one on record; None where there is none.

    Rule: registry rule (what was in force on a day stays known).
    """
    since = newest or "no day"
    return Condition(
        name="change_is_later_than_the_newest",
        met=newest is None or effective_from > newest,
        message=Text(
            f"The newest limit of {pollutant} is in force from {since};"
            f" this change from {effective_from}.",
            f"最新许可排放量自{chinese_day(newest) if newest else '未登记之日'}起执行；"
            f"本次变更自{chinese_day(effective_from)}起执行。",
        ),
        source=REGISTER_OF_PERMITS,
    )
