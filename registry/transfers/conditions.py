"""The conditions of a transfer, each a function of one case. No database, no clock.

A condition that does not concern a case answers None. Measures against a side are not named.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from policies.vocabulary import Text
from registry.kernel.errors import Condition
from registry.kernel.legal_bases import (
    CROSS_REGION_MEASURES,
    LEDGER,
    MARKET_RULES,
    NATIONAL_OPINION_ITEM_9,
    PAYMENT_MEASURES,
    REGISTER_OF_ORGANISATIONS,
    REGISTER_OF_PERMITS,
    TRADING_MEASURES,
)
from registry.kernel.quantities import format_money, format_quantity
from registry.kernel.words import chinese_day
from registry.ledger.rules import Basin
from registry.parties.rules import SourceCategory
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
    cite_parameter,
    finding,
    unit_text,
    unknown_parameter_condition,
)
from registry.transfers.rules import CategoryRule

AIR = "air"
WATER = "water"


def evaluate_conditions(
    snapshot: TransferSnapshot, checks: Iterable[ConditionCheck]
) -> list[Condition]:
    """All conditions that concern the case, met or not, each with the day its facts are of."""
    return [
        replace(found, source=_dated(found.source, snapshot.as_of))
        for check in checks
        if (found := check.evaluate(snapshot)) is not None
    ]


def _dated(source: Text, day: date) -> Text:
    return Text(f"{source.en}; as of {day}", f"{source.zh}，截至{chinese_day(day)}")


@condition()
def check_price_floor(case: TransferSnapshot) -> Condition:
    """The price is not below the base price (交易基准价格).

    Some who read the message may not see the price: it is named only where it is too low.
    """
    floor = case.base_price
    if floor is None or floor.value is None or floor.unit != f"yuan_per_{case.right.unit}":
        return unknown_parameter_condition("price_floor", "base_price", case.as_of)
    least, price = format_money(floor.money_fen), format_money(case.price_fen)
    met = case.price_fen >= floor.money_fen
    basis, unit = (floor.legal_basis, cite_parameter(floor)), unit_text(case.right.unit)
    return finding("price_floor", *basis, met=met, unit=unit, least=least, price=price)


@condition()
def check_acquired_for_payment(case: TransferSnapshot) -> Condition:
    """Only a right that was paid for is sold."""
    rule = case.parameter("free_rights_tradable")
    if rule is None or rule.value is None:
        return unknown_parameter_condition(
            "acquired_for_payment", "free_rights_tradable", case.as_of
        )
    basis = rule.legal_basis, cite_parameter(rule)
    met = case.right.is_paid or rule.flag
    return finding("acquired_for_payment", *basis, met=met, case=case)


@condition()
def check_right_in_force(case: TransferSnapshot) -> Condition:
    """The right has begun and has not run out. One without a first day runs from trial production.

    Neither the past nor the future of a right is sold as in force.
    """
    begins, until = case.right.valid_from, case.right.valid_until
    if begins is not None and begins > case.as_of:
        outcome = "ahead"
    elif until is not None and until < case.as_of:
        outcome = "over"
    else:
        outcome = "met" if until else "met_without_end"
    basis = PAYMENT_MEASURES, LEDGER
    return finding("right_in_force", *basis, outcome, met=outcome.startswith("met"), case=case)


@condition(Need.POSITION)
def check_rights_free(case: TransferSnapshot) -> Condition:
    """The seller can dispose of the units: not pledged, leased, frozen or promised elsewhere."""
    position = case.position
    met = position.quantity >= case.quantity and not position.is_frozen
    if position.is_frozen:
        outcome = "frozen"
    elif not met:
        outcome = "short"
    else:
        outcome = "blocked" if case.rights_locked else "met"
    wanted, holds = (
        format_quantity(n, case.right.scale) for n in (case.quantity, position.quantity)
    )
    values = {"case": case, "wanted": wanted, "holds": holds, "unit": unit_text(case.right.unit)}
    return finding("rights_free", MARKET_RULES, LEDGER, outcome, met=met, **values)


@condition(Need.PARTIES)
def check_seller_may_trade(case: TransferSnapshot) -> Condition:
    """The seller is open and not frozen; a sanction keeps it from buying only."""
    return _check_may_trade("seller_may_trade", case.seller)


@condition(Need.PARTIES)
def check_buyer_may_trade(case: TransferSnapshot) -> Condition:
    """The buyer is open, not frozen, not supervised, ordered to correct or in a penalty period."""
    return _check_may_trade("buyer_may_trade", case.buyer, is_barred=case.buyer.is_sanctioned)


def _check_may_trade(name: str, party: PartySnapshot, *, is_barred: bool = False) -> Condition:
    """Any seller may ask about any buyer, so the reason is left to those who may read it."""
    met = party.is_open and not (party.is_frozen or is_barred)
    return finding(name, MARKET_RULES, REGISTER_OF_ORGANISATIONS, met=met, party=party.name)


@condition(Need.PARTIES)
def check_source_categories(case: TransferSnapshot) -> Condition:
    """Industrial sources do not trade with agricultural ones; other pairs by the parameter."""
    rule = case.parameter("barred_category_pairs")
    if rule is None or rule.value is None:
        return unknown_parameter_condition("source_categories", "barred_category_pairs", case.as_of)
    seller, buyer = case.seller.source_category, case.buyer.source_category
    known = seller != "" and buyer != ""
    met = known and not _are_barred(rule.word, {seller, buyer})
    gives, takes = (
        Text(word, SourceCategory(word).text.zh) if word else word for word in (seller, buyer)
    )
    basis, outcome = (rule.legal_basis, REGISTER_OF_ORGANISATIONS), "" if known else "unknown"
    return finding("source_categories", *basis, outcome, met=met, seller=gives, buyer=takes)


def _are_barred(rule: str, categories: set[str]) -> bool:
    if rule == CategoryRule.ALL:
        return len(categories) > 1
    return categories == {SourceCategory.INDUSTRIAL, SourceCategory.AGRICULTURAL}


@condition(Need.PARTIES)
def check_thermal_power(case: TransferSnapshot) -> Condition | None:
    """Thermal power does not trade what goes into the air with other industries."""
    if case.right.medium != AIR:
        return None
    seller, buyer = case.seller.thermal_power, case.buyer.thermal_power
    known, basis = None not in (seller, buyer), (NATIONAL_OPINION_ITEM_9, REGISTER_OF_ORGANISATIONS)
    outcome = "" if known else "unknown"
    return finding("thermal_power", *basis, outcome, met=known and seller == buyer)


@condition(Need.BASINS)
def check_same_basin(case: TransferSnapshot) -> Condition | None:
    """A right of water stays in its river basin. The other basins of the outlets are not named."""
    wanted = case.right.basin
    if case.right.medium != WATER:
        return None
    met = wanted != "" and wanted in case.basins
    basis = CROSS_REGION_MEASURES if case.is_cross_city else NATIONAL_OPINION_ITEM_9
    named = Text(wanted, Basin(wanted).text.zh) if wanted else Text("-", "未登记的流域")
    return finding("basin", basis, REGISTER_OF_PERMITS, met=met, wanted=named)


@condition(Need.DEMAND)
def check_buyer_demand(case: TransferSnapshot) -> Condition:
    """The buyer emits the pollutant under a permit, or has a project that will."""
    permits, has_project = case.demand.permits, case.demand.has_project
    return finding(
        "buyer_needs",
        TRADING_MEASURES,
        Text("permits and construction projects", "排污许可证与建设项目"),
        "permits" if permits else "project" if has_project else "unmet",
        met=has_project or permits != (),
        pollutant=Text(case.right.pollutant, case.right.pollutant_name.zh),
        permits=Text(", ".join(permits), "、".join(permits)),
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
