"""The conditions of a transfer, each a function of one case. No database, no clock.

A condition that does not concern a case answers None. Measures against a side are not named.
"""

from collections.abc import Iterable
from dataclasses import replace

from policies.vocabulary import Text
from registry.kernel.errors import Condition
from registry.kernel.quantities import format_money, format_quantity
from registry.transfers.cross_city_conditions import (
    check_area,
    check_city_cap,
    check_local_notice,
    check_receiving_area,
)
from registry.transfers.eligibility_input import (
    ConditionCheck,
    Need,
    PartySnapshot,
    TransferSnapshot,
    condition,
)
from registry.transfers.legal_bases import (
    CROSS_REGION,
    NATIONAL_OPINION,
    PLATFORM_RULES,
    TRADING_MEASURES,
    cite_parameter,
    unknown_parameter_condition,
)

AIR = "air"
WATER = "water"


def evaluate_conditions(
    snapshot: TransferSnapshot, checks: Iterable[ConditionCheck]
) -> list[Condition]:
    """All conditions that concern the case, met or not, each with the day its facts are of."""
    return [
        replace(found, source=f"{found.source}; as of {snapshot.as_of}")
        for check in checks
        if (found := check.evaluate(snapshot)) is not None
    ]


@condition()
def check_price_floor(snapshot: TransferSnapshot) -> Condition:
    """The price is not below the base price (交易基准价格).

    Some who read the message may not see the price: it is named only where it is too low.
    """
    floor, unit = snapshot.base_price, snapshot.right.unit
    if floor is None or floor.value is None or floor.unit != f"yuan_per_{unit}":
        return unknown_parameter_condition("price_floor", "base_price", snapshot.as_of)
    least = f"{format_money(floor.money_fen)}"
    met = snapshot.price_fen >= floor.money_fen
    price = format_money(snapshot.price_fen)
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
        floor.legal_basis,
        cite_parameter(floor),
    )


@condition()
def check_acquired_for_payment(snapshot: TransferSnapshot) -> Condition:
    """Only a right that was paid for is sold."""
    rule = snapshot.parameter("free_rights_tradable")
    if rule is None or rule.value is None:
        return unknown_parameter_condition(
            "acquired_for_payment", "free_rights_tradable", snapshot.as_of
        )
    met = snapshot.right.is_paid or rule.flag
    return Condition(
        "acquired_for_payment",
        met,
        Text("The right may be sold.", "该排污权可以转让。")
        if met
        else Text(
            f"{snapshot.right.code} was obtained free of charge and cannot be sold.",
            f"{snapshot.right.code}为无偿取得,仅有偿取得的排污权可以转让。",
        ),
        rule.legal_basis,
        "instrument; " + cite_parameter(rule),
    )


@condition()
def check_right_in_force(snapshot: TransferSnapshot) -> Condition:
    """The right has begun and has not run out. One without a first day runs from trial production.

    Neither the past nor the future of a right is sold as in force.
    """
    begins, until = snapshot.right.valid_from, snapshot.right.valid_until
    begun, over = (
        begins is None or begins <= snapshot.as_of,
        until is not None and until < snapshot.as_of,
    )
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


@condition(Need.POSITION)
def check_rights_free(snapshot: TransferSnapshot) -> Condition:
    """The seller can dispose of the units: not pledged, leased, frozen or promised elsewhere."""
    right, position = snapshot.right, snapshot.position
    wanted, holds = (
        format_quantity(n, right.scale) for n in (snapshot.quantity, position.quantity)
    )
    met = position.quantity >= snapshot.quantity and not position.is_frozen
    if position.is_frozen:
        message = Text(f"{right.code} is frozen at the seller.", f"出让方的{right.code}已被冻结。")
    elif not met:
        message = Text(
            f"Of {right.code} the seller has {holds} {right.unit} available;"
            f" {wanted} {right.unit} are offered.",
            f"出让方可用{right.code}为{holds} {right.unit},拟转让{wanted} {right.unit}。",
        )
    elif snapshot.rights_locked:
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


@condition(Need.PARTIES)
def check_seller_may_trade(snapshot: TransferSnapshot) -> Condition:
    """The seller is open and not frozen; a sanction keeps it from buying only."""
    return _check_may_trade("seller_may_trade", snapshot.seller)


@condition(Need.PARTIES)
def check_buyer_may_trade(snapshot: TransferSnapshot) -> Condition:
    """The buyer is open, not frozen, not supervised, ordered to correct or in a penalty period."""
    buyer = snapshot.buyer
    return _check_may_trade("buyer_may_trade", buyer, is_barred=buyer.is_sanctioned)


def _check_may_trade(name: str, party: PartySnapshot, *, is_barred: bool = False) -> Condition:
    """Any seller may ask about any buyer, so the reason is left to those who may read it."""
    who, met = party.name, party.is_open and not (party.is_frozen or is_barred)
    message = (
        Text(f"{who.en} may trade.", f"{who.zh}可以参与交易。")
        if met
        else Text(f"{who.en} may not trade at present.", f"{who.zh}目前暂缓入市交易。")
    )
    return Condition(name, met, message, PLATFORM_RULES, "register of organisations")


@condition(Need.PARTIES)
def check_source_categories(snapshot: TransferSnapshot) -> Condition:
    """Industrial sources do not trade with agricultural or other ones."""
    seller, buyer = snapshot.seller.source_category, snapshot.buyer.source_category
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


@condition(Need.PARTIES)
def check_thermal_power(snapshot: TransferSnapshot) -> Condition | None:
    """Thermal power does not trade what goes into the air with other industries."""
    if snapshot.right.medium != AIR:
        return None
    met = snapshot.seller.thermal_power == snapshot.buyer.thermal_power
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


@condition(Need.BASINS)
def check_same_basin(snapshot: TransferSnapshot) -> Condition | None:
    """A right of water stays in its river basin. The other basins of the outlets are not named."""
    wanted = snapshot.right.basin
    if snapshot.right.medium != WATER:
        return None
    met = wanted != "" and wanted in snapshot.basins
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
        CROSS_REGION if snapshot.is_cross_city else NATIONAL_OPINION,
        "outlets of permits",
    )


@condition(Need.DEMAND)
def check_buyer_demand(snapshot: TransferSnapshot) -> Condition:
    """The buyer emits the pollutant under a permit, or has a project that will."""
    need, pollutant = snapshot.demand, snapshot.right.pollutant
    if need.permits:
        message = Text(
            f"The buyer needs {pollutant} under permits in force: {', '.join(need.permits)}.",
            f"受让方依有效排污许可证({'、'.join(need.permits)})需要{pollutant}。",
        )
    elif need.has_project:
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
        need.has_project or need.permits != (),
        message,
        TRADING_MEASURES,
        "permits and construction projects",
    )


ONGOING_CONDITIONS: tuple[ConditionCheck, ...] = (
    check_seller_may_trade,
    check_buyer_may_trade,
    check_right_in_force,
)
"""Evaluated again at every signature and every decision."""

TERM_CONDITIONS: tuple[ConditionCheck, ...] = (
    check_price_floor,
    check_acquired_for_payment,
    check_source_categories,
    check_thermal_power,
    check_area,
    check_receiving_area,
    check_local_notice,
    *ONGOING_CONDITIONS,
)
"""Known to seller and buyer before any decision."""

OFFER_CONDITIONS: tuple[ConditionCheck, ...] = (*TERM_CONDITIONS, check_rights_free)
ACCEPTANCE_CONDITIONS: tuple[ConditionCheck, ...] = (
    *TERM_CONDITIONS,
    check_buyer_demand,
    check_same_basin,
)
ELIGIBILITY_CONDITIONS: tuple[ConditionCheck, ...] = (
    *ACCEPTANCE_CONDITIONS,
    check_rights_free,
    check_city_cap,
)
