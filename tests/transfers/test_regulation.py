"""Conditions of a transfer by the points of the regulation that they rest on."""

from datetime import date, datetime

import asyncpg
import pytest

from registry.kernel.calendar import CHINA
from registry.kernel.errors import ConditionsUnmet
from registry.transfers.offer import draft_transfer
from registry.transfers.rules import Regime, State
from registry.transfers.workflow import regime_on
from tests.support.builders import stop_clock
from tests.support.reference import current_reference
from tests.transfers.builders import create_cross_city_market, create_market
from tests.transfers.test_eligibility import OPEN, unmet_conditions, unmet_terms


@OPEN
@pytest.mark.parametrize(
    ("on", "pollutant", "regime"),
    [
        (date(2023, 12, 31), "SO2", Regime.SAME_CITY),
        (date(2024, 1, 1), "SO2", Regime.PILOT),
        (date(2025, 12, 31), "NOX", Regime.PILOT),
        (date(2025, 12, 31), "COD", Regime.SAME_CITY),
        (date(2026, 1, 1), "SO2", Regime.CROSS_REGION),
        (date(2028, 1, 1), "SO2", Regime.UNKNOWN),
    ],
)
async def test_f06_the_regime_is_that_of_the_day_and_unknown_after_the_measures(
    on: date, pollutant: str, regime: Regime
) -> None:
    assert regime_on(await current_reference(), on, pollutant) is regime


async def test_f06_air_rights_cross_cities_on_trial_and_nothing_does_without_a_rule(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_cross_city_market()
    await stop_clock(open_market, datetime(2024, 3, 1, tzinfo=CHINA))

    pilot = await market.execute("seller", draft_transfer, **market.terms())
    assert pilot.regime == Regime.PILOT

    await stop_clock(open_market, datetime(2028, 3, 1, tzinfo=CHINA))
    assert await unmet_terms(market) == ["area", "receiving_area", "local_notice"]


@OPEN
@pytest.mark.parametrize("buyer", ["industrial", "central_treatment", "other"])
async def test_f05_industrial_sources_trade_with_all_but_agricultural_ones(buyer: str) -> None:
    market = await create_market(source_category=buyer)

    assert (await market.draft()).state == State.DRAFT


@OPEN
@pytest.mark.parametrize("buyer", ["agricultural", None])
async def test_f05_agricultural_and_unknown_sources_buy_nothing_from_industrial_ones(
    buyer: str | None,
) -> None:
    market = await create_market(source_category=buyer)

    assert await unmet_terms(market) == ["source_categories"]


@OPEN
async def test_f01_a_condition_on_a_flag_that_no_source_gives_says_so() -> None:
    market = await create_market(thermal_power=None)

    with pytest.raises(ConditionsUnmet) as refusal:
        await market.execute("seller", draft_transfer, **market.terms())

    assert unmet_conditions(refusal) == ["thermal_power"]
    assert refusal.value.message.zh == "一方是否为火电企业未登记。"
