from datetime import date
from uuid import uuid4

import asyncpg
import pytest

from registry.kernel.calendar import add_working_days, trading_days_between
from registry.kernel.errors import Code, ConditionsUnmet, Malformed
from registry.kernel.quantities import parse_money
from registry.reference.divisions import ResolvedDivision
from registry.reference.parameters import Parameter
from seeds.reference.loader import load_reference as load_reference_tables
from tests.support.reference import current_reference

pytestmark = pytest.mark.usefixtures("database")

FOUNDING_DAY = date(2022, 6, 7)


async def require_parameter(
    name: str, on: date, *, area: str = "", pollutant: str = ""
) -> Parameter:
    parameters = (await current_reference()).parameters
    return parameters.require(name, on, area=area, pollutant=pollutant)


async def require_base_price(pollutant: str, on: date) -> Parameter:
    return await require_parameter("base_price", on, pollutant=pollutant)


async def resolve_division(code: str, on: date, *, field: str = "division") -> ResolvedDivision:
    return (await current_reference()).divisions.resolve(code, on, field=field)


async def insert_figure(
    owner: asyncpg.Connection, days: int | None, *, area: str = "", pollutant: str = ""
) -> None:
    await owner.execute(
        "INSERT INTO parameter (id, name, area, pollutant, effective_from, value, unit,"
        " legal_basis,"
        " source, provenance, needs_confirmation)"
        " VALUES ($1, 'test_days', $2, $3, '2022-01-01', $4, 'working_days', 'a test', 'a test',"
        " 'I', true)",
        uuid4(),
        area,
        pollutant,
        None if days is None else str(days),
    )


BASE_PRICES = [
    (date(2016, 1, 1), "SO2", "5000.00", False),
    (date(2017, 12, 31), "NH3N", "8000.00", False),
    (date(2018, 1, 1), "COD", "4000.00", False),
    (date(2020, 12, 31), "NOX", "6000.00", False),
    (date(2021, 1, 1), "NOX", "9000.00", False),
    (FOUNDING_DAY, "SO2", "7500.00", False),
    (date(2025, 12, 31), "COD", "6000.00", False),
    (date(2025, 12, 31), "NH3N", "12000.00", False),
    (date(2026, 1, 1), "SO2", "7500.00", True),
    (date(2031, 7, 1), "NH3N", "12000.00", True),
]


async def test_the_base_price_is_that_of_the_day() -> None:
    for on, pollutant, yuan, demo in BASE_PRICES:
        found = await require_base_price(pollutant, on)

        assert found.money_fen == parse_money(yuan)
        assert found.demo is demo
        assert found.period.contains(on)


async def test_the_base_price_of_2022_cites_its_notice() -> None:
    assert (await require_base_price("SO2", FOUNDING_DAY)).legal_basis == (
        "Price notice of Hebei, 2020 no. 1847",
        "冀发改公价〔2020〕1847号",
    )


@pytest.mark.parametrize(
    ("pollutant", "on"), [("SO2", date(2015, 12, 31)), ("HG", FOUNDING_DAY), ("X", FOUNDING_DAY)]
)
async def test_a_price_nobody_knows_is_refused_with_name_and_day(pollutant: str, on: date) -> None:
    with pytest.raises(ConditionsUnmet) as refusal:
        await require_base_price(pollutant, on)

    assert refusal.value.code == Code.CONDITIONS_UNMET
    assert refusal.value.legal_basis == ("parameter: base price", "“交易基准价格”")
    assert refusal.value.conditions[0].name == "parameter_known"
    assert "交易基准价格" in refusal.value.message.zh
    for text in refusal.value.message[:1]:
        assert pollutant in text
        assert on.isoformat() in text


async def test_a_figure_recorded_as_unknown_is_refused_too() -> None:
    found = (await current_reference()).parameters.find("loan_to_value_percent", FOUNDING_DAY)
    assert found is not None
    assert found.value is None

    with pytest.raises(ConditionsUnmet):
        await require_parameter("loan_to_value_percent", FOUNDING_DAY)


async def test_the_regime_across_cities_begins_with_2026_and_ends_after_two_years() -> None:
    async def regime(on: date) -> str:
        return (await require_parameter("cross_region_regime", on)).word

    assert await regime(FOUNDING_DAY) == await regime(date(2025, 12, 31)) == "same_city"
    assert await regime(date(2026, 1, 1)) == await regime(date(2027, 12, 31)) == "cross_region"
    for name in ("cross_region_regime", "cross_region_wait_trading_days", "receiver_tests"):
        with pytest.raises(ConditionsUnmet):
            await require_parameter(name, date(2028, 1, 1))


async def test_the_figures_a_transfer_needs_are_there() -> None:
    assert (await require_parameter("validity_years", FOUNDING_DAY)).number == 5
    assert (await require_parameter("free_rights_tradable", FOUNDING_DAY)).flag is False
    assert (await require_parameter("thermal_threshold_mw", FOUNDING_DAY)).number == 300
    assert (await require_parameter("confirmation_publicity_days", FOUNDING_DAY)).days == 5
    assert (await require_parameter("cross_region_wait_trading_days", date(2026, 3, 2))).days == 20
    assert (await require_parameter("receiver_tests", date(2026, 3, 2))).word == "ALL"
    for name in ("acceptance_days", "contract_days", "payment_days"):
        found = await require_parameter(name, FOUNDING_DAY)
        assert found.days > 0
        assert found.demo


async def test_a_figure_is_read_as_what_it_counts_and_nothing_else() -> None:
    validity = await require_parameter("validity_years", FOUNDING_DAY)

    with pytest.raises(AssertionError):
        validity.days  # noqa: B018  # reading it is the test
    with pytest.raises(AssertionError):
        validity.money_fen  # noqa: B018


async def test_the_most_specific_figure_wins(owner: asyncpg.Connection) -> None:
    async def days(area: str = "", pollutant: str = "") -> int:
        found = await require_parameter("test_days", FOUNDING_DAY, area=area, pollutant=pollutant)
        return found.days

    await insert_figure(owner, 1)
    assert await days("131024", "SO2") == 1

    await insert_figure(owner, 2, pollutant="SO2")
    assert await days("131024", "SO2") == 2
    assert await days("131024", "COD") == 1

    await insert_figure(owner, 3, area="131000")
    assert await days("131024", "SO2") == 3
    assert await days("131000", "COD") == 3
    assert await days("130200", "SO2") == 2

    await insert_figure(owner, 4, area="131000", pollutant="SO2")
    assert await days("131024", "SO2") == 4

    await insert_figure(owner, 5, area="131024")
    assert await days("131024", "SO2") == 5
    assert await days("131022", "SO2") == 4
    assert await days() == 1


async def test_an_unknown_figure_of_a_city_hides_the_general_one(owner: asyncpg.Connection) -> None:
    await insert_figure(owner, 1)
    await insert_figure(owner, None, area="131000")

    with pytest.raises(ConditionsUnmet) as refusal:
        await require_parameter("test_days", FOUNDING_DAY, area="131024")

    assert "131024" in refusal.value.message.en


async def test_a_division_has_its_city() -> None:
    for code, level, city, county in (
        ("130000", "province", "130000", ""),
        ("131000", "city", "131000", ""),
        ("131024", "county", "131000", "131024"),
        ("130682", "city", "130682", ""),
        ("130181", "city", "130181", ""),
        ("130632", "county", "133100", "130632"),
    ):
        found = await resolve_division(code, FOUNDING_DAY)

        assert (found.level, found.city, found.county) == (level, city, county)


async def test_a_division_that_does_not_exist_is_refused() -> None:
    for code in ("139900", "130521", "110101", "langfa"):
        with pytest.raises(Malformed) as refusal:
            await resolve_division(code, FOUNDING_DAY, field="seat")

        assert refusal.value.field == "seat"


async def test_a_merged_county_existed_until_the_day_before() -> None:
    assert (await resolve_division("130526", date(2020, 6, 4))).name.zh == "任县"
    with pytest.raises(Malformed):
        await resolve_division("130505", date(2020, 6, 4))
    assert (await resolve_division("130505", date(2020, 6, 5))).name.en == "Renze District"


async def test_an_unknown_pollutant_is_named() -> None:
    pollutants = (await current_reference()).pollutants

    assert pollutants.require("SO2").medium == "air"
    with pytest.raises(Malformed, match="GOLD"):
        pollutants.require("GOLD")


async def test_a_change_of_any_table_is_seen_by_the_next_transaction(
    owner: asyncpg.Connection,
) -> None:
    before = await current_reference()
    seen = [before.version]
    for table in ("division", "holiday", "parameter", "pollutant"):
        await owner.execute(f"UPDATE {table} SET needs_confirmation = needs_confirmation")
        seen.append((await current_reference()).version)

    assert len(set(seen)) == len(seen)
    assert await current_reference() is await current_reference()


async def test_a_change_of_reference_data_steps_the_epoch(owner: asyncpg.Connection) -> None:
    epoch = await owner.fetchval("SELECT epoch FROM access_epoch")

    await load_reference_tables(owner)

    assert await owner.fetchval("SELECT epoch FROM access_epoch") > epoch


async def test_working_days_follow_the_notices() -> None:
    days = (await current_reference()).calendar

    assert add_working_days(days, date(2022, 1, 28), 1) == date(2022, 1, 29)
    assert add_working_days(days, date(2022, 1, 30), 1) == date(2022, 2, 7)
    assert add_working_days(days, FOUNDING_DAY, 10) == date(2022, 6, 21)
    assert add_working_days(days, date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert trading_days_between(days, date(2026, 2, 12), date(2026, 2, 24)) == 2
