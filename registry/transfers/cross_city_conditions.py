"""The conditions of rights that leave their city, each a function of one case. Pure."""

from policies.vocabulary import Text
from registry.kernel.errors import Condition
from registry.kernel.legal_bases import (
    NATIONAL_OPINION_ITEM_3,
    REGISTER_OF_ORGANISATIONS,
    REGISTRY_RULE,
)
from registry.kernel.quantities import format_quantity
from registry.transfers.eligibility_input import Need, TransferSnapshot, condition
from registry.transfers.legal_bases import (
    cite_parameter,
    finding,
    unit_text,
    unknown_parameter_condition,
)
from registry.transfers.rules import Regime

_DECLARED = Text("notice declared by the seller, not verified", "出让方申报的公告，未经核实")
_NOTICE_PERIOD = "cross_region_wait_trading_days"


@condition()
def check_area(case: TransferSnapshot) -> Condition:
    """Rights stay in their city, unless the regime of the day lets them leave it."""
    regime = case.parameter("cross_region_regime")
    if not case.is_cross_city:
        basis = regime.legal_basis if regime and regime.value else REGISTRY_RULE
        return finding("area", basis, REGISTER_OF_ORGANISATIONS, "one_city", met=True)
    if regime is None or regime.value is None:
        return unknown_parameter_condition("area", "cross_region_regime", case.as_of)
    met, outcome = regime.word != Regime.SAME_CITY, "pilot" if case.is_pilot else ""
    return finding("area", regime.legal_basis, cite_parameter(regime), outcome, met=met, case=case)


@condition(Need.ASSESSMENT)
def check_receiving_area(case: TransferSnapshot) -> Condition | None:
    """Last year the buyer's city attained its quality, reduced enough and improved enough."""
    if not case.is_cross_city or case.is_pilot:
        return None
    rule, found = case.parameter("receiver_tests"), case.assessment
    if rule is None or rule.value is None:
        return unknown_parameter_condition("receiving_area", "receiver_tests", case.as_of)
    if found is None:
        basis, year = (
            (rule.legal_basis, Text("assessments of cities", "区域环境质量考核")),
            case.as_of.year - 1,
        )
        return finding("receiving_area", *basis, "unknown", met=False, year=year)
    tests = (found.quality_attained, found.reduction_task_done, found.improvement_target_met)
    en = ("quality attained", "reduction task done", "improvement target met")
    zh = ("环境质量{}达标", "减排任务{}完成", "改善目标{}完成")
    return finding(
        "receiving_area",
        rule.legal_basis,
        Text.parse(found.source),
        "assessed",
        met=all(tests) if rule.word == "ALL" else any(tests),
        found=found,
        results=Text(
            ", ".join(f"{text} {'yes' if tests[i] else 'no'}" for i, text in enumerate(en)),
            "；".join(text.format("" if tests[i] else "未") for i, text in enumerate(zh)),
        ),
    )


@condition()
def check_local_notice(case: TransferSnapshot) -> Condition | None:
    """The seller first gave notice in the own city, for a number of trading days."""
    if not case.is_cross_city or case.is_pilot:
        return None
    period = case.parameter(_NOTICE_PERIOD)
    if period is None or period.value is None:
        return unknown_parameter_condition("local_notice", _NOTICE_PERIOD, case.as_of)
    given = case.announced_on is not None
    met = given and case.trading_days_since_notice >= period.days
    basis = period.legal_basis, _DECLARED
    outcome = "given" if given else "missing"
    return finding("local_notice", *basis, outcome, met=met, case=case, days=period.days)


@condition(Need.CITY_CAP)
def check_city_cap(case: TransferSnapshot) -> Condition | None:
    """The buyer's city stays within its recorded total; the refusal hides its holdings."""
    if not case.is_cross_city or case.city_total is None:
        return None
    total = case.city_total
    met = total.held + case.quantity <= total.cap
    cap, more = (format_quantity(n, case.right.scale) for n in (total.cap, case.quantity))
    basis, unit = (NATIONAL_OPINION_ITEM_3, Text("totals of cities", "各市总量")), case.right.unit
    return finding("city_cap", *basis, met=met, unit=unit_text(unit), cap=cap, more=more)
