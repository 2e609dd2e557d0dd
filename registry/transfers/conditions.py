"""What must hold for a transfer, each condition a function of one case. No database, no clock.

A condition that does not concern a case answers None. Of the measures against a side a message says
only that there are some.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

from policies.vocabulary import Text
from registry.errors import Condition
from registry.parameters.lookup import Parameter
from registry.transfers.case import Case, Party
from registry.transfers.rules import Regime
from registry.values import format_money, format_quantity

AIR = "air"
WATER = "water"

PLATFORM_RULES = "河北省排污权市场交易细则"
NATIONAL_OPINION = "国办发〔2014〕38号 item 9 (第九项)"
CROSS_REGION = "河北省排污权跨区域流转和交易管理暂行办法"
TRADING_MEASURES = "河北省排污权市场交易管理暂行办法"


Check = Callable[[Case], Condition | None]


def weighed(case: Case, checks: Iterable[Check]) -> list[Condition]:
    """All conditions that concern the case, met or not, each with the day its facts are of."""
    return [
        replace(found, source=f"{found.source}; as of {case.on}")
        for check in checks
        if (found := check(case)) is not None
    ]


def price_floor(case: Case) -> Condition:
    """The price is not below the base price (交易基准价格).

    What was found is read by some who may not see the price: it is named where it is too low.
    """
    floor, unit = case.floor, case.right.unit
    if floor is None or floor.value is None or floor.unit != f"yuan_per_{unit}":
        return _unknown("price_floor", "base_price", case.on)
    least = f"{format_money(floor.money_fen)}"
    met = case.price_fen >= floor.money_fen
    price = format_money(case.price_fen)
    return Condition(
        "price_floor",
        met,
        Text(
            f"The price is not below the base price of {least} yuan/{unit}.",
            f"价格不低于交易基准价格{least}元/{unit}。",
        )
        if met
        else Text(
            f"The price of {price} yuan/{unit} is below the base price of {least} yuan/{unit}.",
            f"价格{price}元/{unit}低于交易基准价格{least}元/{unit}。",
        ),
        floor.ground,
        _cited(floor),
    )


def acquired_for_payment(case: Case) -> Condition:
    """Only a right that was paid for is sold."""
    rule = case.free_tradable
    if rule is None or rule.value is None:
        return _unknown("acquired_for_payment", "free_rights_tradable", case.on)
    met = case.right.paid or rule.flag
    return Condition(
        "acquired_for_payment",
        met,
        Text("The right may be sold.", "该排污权可以转让。")
        if met
        else Text(
            f"{case.right.code} was obtained free of charge and cannot be sold.",
            f"{case.right.code}为无偿取得,仅有偿取得的排污权可以转让。",
        ),
        rule.ground,
        "instrument; " + _cited(rule),
    )


def right_in_force(case: Case) -> Condition:
    """The right has begun and has not run out. One without a first day runs from trial production.

    Nobody is sold as in force what is not: neither the past nor the future of a right.
    """
    begins, until = case.right.valid_from, case.right.valid_until
    begun, over = begins is None or begins <= case.on, until is not None and until < case.on
    if not begun:
        message = Text(f"The right is in force from {begins} on.", f"排污权自{begins}起有效。")
    elif over:
        message = Text(f"The right ran out on {until}.", f"排污权已于{until}到期。")
    else:
        message = Text(
            f"The right is in force until {until or 'five years after trial production begins'}.",
            f"排污权有效期至{until or '项目试生产起五年'}。",
        )
    return Condition(
        "right_in_force",
        begun and not over,
        message,
        "财税〔2015〕61号 art. 12 (第十二条)",
        "instrument",
    )


def rights_free(case: Case) -> Condition:
    """The seller can dispose of the units: not pledged, leased, frozen or promised elsewhere."""
    right = case.right
    wanted, holds = (format_quantity(n, right.scale) for n in (case.quantity, case.holds))
    met = case.holds >= case.quantity and not case.frozen
    if case.frozen:
        message = Text(f"{right.code} is frozen at the seller.", f"出让方的{right.code}已被冻结。")
    elif not met:
        message = Text(
            f"Of {right.code} the seller has {holds} {right.unit} available;"
            f" {wanted} {right.unit} are offered.",
            f"出让方可用{right.code}为{holds} {right.unit},拟转让{wanted} {right.unit}。",
        )
    elif case.blocked:
        message = Text(
            f"{wanted} {right.unit} of {right.code} lie blocked for this transfer.",
            f"{right.code} {wanted} {right.unit}已为本案锁定。",
        )
    else:
        message = Text(
            f"{wanted} {right.unit} of {right.code} are available.",
            f"{right.code}可用{wanted} {right.unit}。",
        )
    return Condition("rights_free", met, message, PLATFORM_RULES, "ledger")


def seller_may_trade(case: Case) -> Condition:
    """The seller takes part in the market."""
    return _may_trade("seller_may_trade", case.seller)


def buyer_may_trade(case: Case) -> Condition:
    """The buyer is open, not frozen, not supervised, ordered to correct or in a penalty period."""
    return _may_trade("buyer_may_trade", case.buyer)


def _may_trade(name: str, party: Party) -> Condition:
    who = party.name
    if not party.open:
        message = Text(f"{who.en} is closed.", f"{who.zh}已注销。")
    elif party.barred:
        message = Text(
            f"{who.en} is under a measure that bars it from the market.",
            f"{who.zh}处于限制交易的措施期内。",
        )
    else:
        message = Text(
            f"{who.en} is under no measure that bars it from the market.",
            f"{who.zh}未处于限制交易的措施期内。",
        )
    return Condition(
        name,
        party.open and not party.barred,
        message,
        PLATFORM_RULES,
        "register of sanctions and freezes",
    )


def source_categories(case: Case) -> Condition:
    """Industrial sources do not trade with agricultural or other ones."""
    seller, buyer = case.seller.source_category, case.buyer.source_category
    known = seller != "" and buyer != ""
    met = known and seller == buyer
    if not known:
        message = Text("The source category of a side is not recorded.", "一方的污染源类别未登记。")
    elif met:
        message = Text("Both sides are sources of one category.", "双方污染源类别相同。")
    else:
        message = Text(
            f"The seller is a source of category {seller}, the buyer one of category {buyer}.",
            f"出让方污染源类别为{seller},受让方为{buyer}。",
        )
    return Condition(
        "source_categories", met, message, NATIONAL_OPINION, "register of organisations"
    )


def thermal_power(case: Case) -> Condition | None:
    """Thermal power does not trade what goes into the air with other industries."""
    if case.right.medium != AIR:
        return None
    met = case.seller.thermal_power == case.buyer.thermal_power
    return Condition(
        "thermal_power",
        met,
        Text("Both sides or neither are thermal power.", "双方均为或均非火电企业。")
        if met
        else Text(
            "Thermal power does not trade air pollutants with other industries.",
            "火电企业原则上不得与其他行业交易大气污染物。",
        ),
        NATIONAL_OPINION,
        "register of organisations",
    )


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
        return _unknown("area", "cross_region_regime", case.on)
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
        _cited(case.regime),
    )


def basin(case: Case) -> Condition | None:
    """What goes into water stays in its river basin. Where else the outlets lead is not told."""
    wanted = case.right.basin
    if case.right.medium != WATER:
        return None
    met = wanted != "" and wanted in case.need.basins
    return Condition(
        "basin",
        met,
        Text(
            f"The buyer discharges into the same basin ({wanted}).",
            f"受让方位于同一流域({wanted})。",
        )
        if met
        else Text(
            f"The right belongs to basin {wanted or '-'}; no outlet of the buyer leads there.",
            f"排污权所属流域为{wanted or '-'},受让方没有通向该流域的排放口。",
        ),
        CROSS_REGION if case.crosses else NATIONAL_OPINION,
        "outlets of permits",
    )


def buyer_needs(case: Case) -> Condition:
    """The buyer emits the pollutant under a permit, or has a project that will."""
    need, pollutant = case.need, case.right.pollutant
    if need.permits:
        message = Text(
            f"The buyer needs {pollutant} under permits in force: {', '.join(need.permits)}.",
            f"受让方依有效排污许可证({'、'.join(need.permits)})需要{pollutant}。",
        )
    elif need.project:
        message = Text(
            f"The buyer needs {pollutant} for a project with assessed demand.",
            f"受让方因已核定需求的建设项目需要{pollutant}。",
        )
    else:
        message = Text(
            f"The buyer has no permit in force and no assessed project that names {pollutant}.",
            f"受让方没有载明{pollutant}的有效排污许可证或已核定需求的建设项目。",
        )
    return Condition(
        "buyer_needs",
        need.project or need.permits != (),
        message,
        TRADING_MEASURES,
        "permits and construction projects",
    )


def receiving_area(case: Case) -> Condition | None:
    """Last year the buyer's city attained its quality, reduced enough and improved enough."""
    rule, found = case.receiver_tests, case.assessment
    if not case.crosses:
        return None
    if rule is None or rule.value is None:
        return _unknown("receiving_area", "receiver_tests", case.on)
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
        return _unknown("local_notice", "cross_region_wait_trading_days", case.on)
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


STANDING: tuple[Check, ...] = (seller_may_trade, buyer_may_trade, right_in_force)
"""What is looked at again whenever somebody binds himself or decides."""

TERMS: tuple[Check, ...] = (
    price_floor,
    acquired_for_payment,
    source_categories,
    thermal_power,
    area,
    receiving_area,
    local_notice,
    *STANDING,
)
"""What seller and buyer can know before anybody decides."""

OFFERING: tuple[Check, ...] = (*TERMS, rights_free)
ACCEPTING: tuple[Check, ...] = (*TERMS, buyer_needs, basin)
QUALIFYING: tuple[Check, ...] = (*ACCEPTING, rights_free, city_cap)


def _unknown(name: str, parameter: str, on: date) -> Condition:
    return Condition(
        name,
        met=False,
        message=Text(
            f"No figure of the regulation is known for parameter {parameter} on {on}.",
            f"参数{parameter}在{on}没有已知的法定数值。",
        ),
        ground=f"parameter {parameter}",
        source="parameter",
    )


def _cited(parameter: Parameter) -> str:
    demo = " (demonstration data)" if parameter.demo else ""
    return f"parameter {parameter.name}: {parameter.source}{demo}"
