"""What must hold where rights leave their city, each condition a function of one case. Pure."""

from policies.vocabulary import Text
from registry.kernel.errors import Condition
from registry.kernel.quantities import format_quantity
from registry.transfers.eligibility_input import Case
from registry.transfers.legal_bases import (
    NATIONAL_OPINION,
    cited,
    unknown,
)
from registry.transfers.rules import Regime


def area(case: Case) -> Condition:
    """Rights stay in their city, unless the regime of the day lets them leave it."""
    if not case.crosses:
        return Condition(
            "area",
            met=True,
            message=Text("Both sides are in one city.", "双方在同一设区市。"),
            ground=NATIONAL_OPINION,
            source="register of organisations",
        )
    if case.regime is None or case.regime.value is None:
        return unknown("area", "cross_region_regime", case.on)
    met = case.regime.word == Regime.CROSS_REGION
    return Condition(
        "area",
        met,
        Text(f"On {case.on} rights may pass between cities.", f"{case.on}排污权可以跨设区市流转。")
        if met
        else Text(
            f"On {case.on} rights are traded within one city only, and the sides are in two.",
            f"{case.on}排污权仅可在同一设区市内交易,而双方分属两市。",
        ),
        case.regime.ground,
        cited(case.regime),
    )


def receiving_area(case: Case) -> Condition | None:
    """Last year the buyer's city attained its quality, reduced enough and improved enough."""
    rule, found = case.receiver_tests, case.assessment
    if not case.crosses:
        return None
    if rule is None or rule.value is None:
        return unknown("receiving_area", "receiver_tests", case.on)
    if found is None:
        return Condition(
            "receiving_area",
            met=False,
            message=Text(
                f"No assessment of the buyer's city is recorded for {case.on.year - 1}.",
                f"受让方所在市{case.on.year - 1}年度考核结果未登记。",
            ),
            ground=rule.ground,
            source="environment assessments",
        )
    tests = (found.quality_attained, found.reduction_task_done, found.improvement_target_met)
    en = ("quality attained", "reduction task done", "improvement target met")
    zh = ("环境质量达标", "减排任务完成", "改善目标完成")
    results = list(zip(en, zh, tests, strict=True))
    return Condition(
        "receiving_area",
        all(tests) if rule.word == "ALL" else any(tests),
        Text(
            f"The buyer's city in {found.year}: "
            + ", ".join(f"{name} {'yes' if met else 'no'}" for name, _, met in results)
            + ".",
            f"受让方所在市{found.year}年度:"
            + "、".join(f"{name}{'是' if met else '否'}" for _, name, met in results)
            + "。",
        ),
        rule.ground,
        found.source,
    )


def local_notice(case: Case) -> Condition | None:
    """The seller looked for a buyer in his own city first, for so many trading days."""
    if not case.crosses:
        return None
    if case.wait is None or case.wait.value is None:
        return unknown("local_notice", "cross_region_wait_trading_days", case.on)
    days = case.wait.days
    if case.announced_on is None:
        message = Text(
            f"Across cities the seller first gives notice in his own city for {days} trading days.",
            f"跨区域转让前,出让方须先在本市公告{days}个交易日。",
        )
    else:
        message = Text(
            f"{case.waited} of {days} trading days have passed since"
            f" the notice of {case.announced_on}.",
            f"自{case.announced_on}公告起已满{case.waited}个交易日,须满{days}个交易日。",
        )
    met = case.announced_on is not None and case.waited >= days
    return Condition(
        "local_notice", met, message, case.wait.ground, "notice declared by the seller"
    )


def city_cap(case: Case) -> Condition | None:
    """The buyer's city stays within the total recorded for it. What it holds now is not told."""
    if not case.crosses or case.cap is None:
        return None
    scale, unit = case.right.scale, case.right.unit
    met = case.city_holds + case.quantity <= case.cap
    cap, more = (format_quantity(n, scale) for n in (case.cap, case.quantity))
    return Condition(
        "city_cap",
        met,
        Text(
            f"The buyer's city stays within its total of {cap} {unit}.",
            f"受让方所在市不超过总量上限{cap} {unit}。",
        )
        if met
        else Text(
            f"With {more} {unit} more the buyer's city would exceed its total of {cap} {unit}.",
            f"再转入{more} {unit}后,受让方所在市将超过总量上限{cap} {unit}。",
        ),
        NATIONAL_OPINION,
        "totals of cities",
    )
