"""The conditions of rights that leave their city, each a function of one case. Pure."""

from policies.vocabulary import Text
from registry.kernel.errors import Condition
from registry.kernel.quantities import format_quantity
from registry.transfers.eligibility_input import Need, TransferSnapshot, condition
from registry.transfers.legal_bases import (
    NATIONAL_OPINION,
    cite_parameter,
    unknown_parameter_condition,
)
from registry.transfers.rules import Regime


@condition()
def check_area(snapshot: TransferSnapshot) -> Condition:
    """Rights stay in their city, unless the regime of the day lets them leave it."""
    if not snapshot.is_cross_city:
        return Condition(
            "area",
            met=True,
            message=Text("Both sides are in one city.", "双方在同一设区市。"),
            legal_basis=NATIONAL_OPINION,
            source="register of organisations",
        )
    regime = snapshot.parameter("cross_region_regime")
    if regime is None or regime.value is None:
        return unknown_parameter_condition("area", "cross_region_regime", snapshot.as_of)
    met = regime.word == Regime.CROSS_REGION
    return Condition(
        "area",
        met,
        Text(
            f"On {snapshot.as_of} rights may pass between cities.",
            f"{snapshot.as_of}排污权可以跨设区市流转。",
        )
        if met
        else Text(
            f"On {snapshot.as_of} rights are traded within one city only; the parties are in two.",
            f"{snapshot.as_of}排污权仅可在同一设区市内交易,而双方分属两市。",
        ),
        regime.legal_basis,
        cite_parameter(regime),
    )


@condition(Need.ASSESSMENT)
def check_receiving_area(snapshot: TransferSnapshot) -> Condition | None:
    """Last year the buyer's city attained its quality, reduced enough and improved enough."""
    if not snapshot.is_cross_city:
        return None
    rule, found = snapshot.parameter("receiver_tests"), snapshot.assessment
    if rule is None or rule.value is None:
        return unknown_parameter_condition("receiving_area", "receiver_tests", snapshot.as_of)
    if found is None:
        return Condition(
            "receiving_area",
            met=False,
            message=Text(
                f"No assessment of the buyer's city is recorded for {snapshot.as_of.year - 1}.",
                f"受让方所在市{snapshot.as_of.year - 1}年度考核结果未登记。",
            ),
            legal_basis=rule.legal_basis,
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
        rule.legal_basis,
        found.source,
    )


@condition()
def check_local_notice(snapshot: TransferSnapshot) -> Condition | None:
    """The seller first gave notice in the own city, for a number of trading days."""
    if not snapshot.is_cross_city:
        return None
    period = snapshot.parameter("cross_region_wait_trading_days")
    if period is None or period.value is None:
        return unknown_parameter_condition(
            "local_notice", "cross_region_wait_trading_days", snapshot.as_of
        )
    days = period.days
    if snapshot.announced_on is None:
        message = Text(
            f"Across cities the seller first gives notice in its own city for {days} trading days.",
            f"跨区域转让前,出让方须先在本市公告{days}个交易日。",
        )
    else:
        message = Text(
            f"{snapshot.trading_days_since_notice} of {days} trading days have passed since"
            f" the notice of {snapshot.announced_on}.",
            f"自{snapshot.announced_on}公告起已满{snapshot.trading_days_since_notice}个交易日,须满{days}个交易日。",
        )
    met = snapshot.announced_on is not None and snapshot.trading_days_since_notice >= days
    return Condition(
        "local_notice", met, message, period.legal_basis, "notice declared by the seller"
    )


@condition(Need.CITY_CAP)
def check_city_cap(snapshot: TransferSnapshot) -> Condition | None:
    """The buyer's city stays within its recorded total; the refusal hides its holdings."""
    if not snapshot.is_cross_city or snapshot.city_total is None:
        return None
    total = snapshot.city_total
    scale, unit = snapshot.right.scale, snapshot.right.unit
    met = total.held + snapshot.quantity <= total.cap
    cap, more = (format_quantity(n, scale) for n in (total.cap, snapshot.quantity))
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
