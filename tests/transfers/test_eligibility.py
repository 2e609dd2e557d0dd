"""Each condition of a transfer, met and unmet, at the step that asks for it."""

from datetime import date, datetime, timedelta

import asyncpg
import pytest

from registry.kernel.calendar import CHINA
from registry.kernel.errors import ConditionsUnmet, Insufficient, Malformed
from registry.ledger.rules import Acquisition
from registry.parties.records import Organisation
from registry.permits.records import PermitLimit
from registry.transfers.approval import approve_transfer, qualify_transfer
from registry.transfers.offer import accept_transfer, draft_transfer, offer_transfer
from registry.transfers.rules import State
from registry.transfers.settlement import settle_transfer
from tests.support.builders import (
    LANGFANG,
    TANGSHAN,
    create_freeze,
    create_organisation,
    create_sanction,
    stop_clock,
)
from tests.transfers.builders import (
    IN_2026,
    NOTICE,
    PRICE,
    TradingFixture,
    create_assessment,
    create_cross_city_market,
    create_market,
    create_permit,
    create_project,
    set_city_cap,
)

BARS = {"sanction": create_sanction, "freeze": create_freeze}
OPEN = pytest.mark.usefixtures("open_market")
ACROSS = {"announced_on": NOTICE, "announcement": "notice 2026-1"}


def unmet_conditions(refusal: pytest.ExceptionInfo[ConditionsUnmet]) -> list[str]:
    return [c.name for c in refusal.value.conditions if not c.met]


async def unmet_terms(market: TradingFixture, **terms: object) -> list[str]:
    with pytest.raises(ConditionsUnmet) as refusal:
        await market.execute("seller", draft_transfer, **market.terms(**terms))
    return unmet_conditions(refusal)


@OPEN
async def test_a_price_one_fen_under_the_floor_is_refused() -> None:
    market = await create_market()

    assert await unmet_terms(market, price=PRICE - 1) == ["price_floor"]
    assert (await market.draft(price=PRICE)).state == "draft"


@OPEN
async def test_the_refusal_names_the_figures_and_the_ground() -> None:
    market = await create_market()

    with pytest.raises(ConditionsUnmet) as refusal:
        await market.execute("seller", draft_transfer, **market.terms(price=PRICE - 1))

    assert "7499.99" in refusal.value.message.en
    assert "7500.00" in refusal.value.message.zh
    assert refusal.value.legal_basis
    assert all("1847" in text for text in refusal.value.legal_basis)


async def test_every_condition_has_the_day_of_its_facts(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()
    await stop_clock(open_market, datetime(2022, 7, 1, tzinfo=CHINA))

    with pytest.raises(ConditionsUnmet) as refusal:
        await market.execute("seller", draft_transfer, **market.terms(price=PRICE - 1))

    sources = [condition.source for condition in refusal.value.conditions]
    assert all(source.en.endswith("; as of 2022-07-01") for source in sources)
    assert all(source.zh.endswith("，截至2022年7月1日") for source in sources)


@OPEN
async def test_all_conditions_are_named_together() -> None:
    market = await create_market(acquisition=Acquisition.FREE, source_category="agricultural")

    assert await unmet_terms(market, price=1, quantity="100.001") == [
        "price_floor", "acquired_for_payment", "source_categories", "rights_free",
    ]  # fmt: skip


@OPEN
async def test_a_seller_offers_no_more_than_the_holding() -> None:
    market = await create_market()
    first = await market.draft(quantity="60.000")
    second = await market.draft(quantity="60.000")
    await market.execute("seller", offer_transfer, first.id)

    with pytest.raises(ConditionsUnmet) as refusal:
        await market.execute("seller", offer_transfer, second.id)

    assert unmet_conditions(refusal) == ["rights_free"]


@OPEN
async def test_f04_a_sanctioned_seller_may_sell() -> None:
    market = await create_market()
    await create_sanction(market.seller)

    case = await market.case_in(State.APPROVED)

    assert case.state == State.APPROVED


@OPEN
@pytest.mark.parametrize(
    ("bar", "side"), [("sanction", "buyer"), ("freeze", "buyer"), ("freeze", "seller")]
)
async def test_f04_a_sanction_of_the_buyer_and_any_freeze_stop_a_case_at_every_decision(
    bar: str, side: str
) -> None:
    market = await create_market()
    accepted, eligible = [await market.case_in(s) for s in (State.ACCEPTED, State.ELIGIBLE)]

    await BARS[bar](getattr(market, side))

    for who, operation, case in (
        ("centre", qualify_transfer, accepted),
        ("city", approve_transfer, eligible),
    ):
        with pytest.raises(ConditionsUnmet) as refusal:
            await market.execute(who, operation, case.id)
        assert f"{side}_may_trade" in unmet_conditions(refusal)


@OPEN
async def test_a_seller_does_not_learn_why_a_buyer_may_not_trade() -> None:
    market, reasons = await create_market(), set()
    for bar in (create_sanction, create_freeze, _close):
        buyer = await create_organisation(
            city=LANGFANG, source_category="industrial", thermal_power=False
        )
        await bar(buyer)

        with pytest.raises(ConditionsUnmet) as refusal:
            await market.execute("seller", draft_transfer, **market.terms(buyer=buyer.id))

        (reason,) = [each for each in refusal.value.conditions if not each.met]
        answered = (*reason.message, *reason.source, *reason.legal_basis)
        reasons.add(tuple(text.replace(buyer.name, "the buyer") for text in answered))

    ((english, *_),) = reasons
    assert english == "the buyer may not trade at present."


async def _close(organisation: Organisation) -> None:
    organisation.state = "closed"
    await organisation.save()


@OPEN
async def test_thermal_power_sells_no_air_pollutant_to_others() -> None:
    market = await create_market(thermal_power=True)

    assert await unmet_terms(market) == ["thermal_power"]


@OPEN
async def test_a_buyer_needs_the_pollutant() -> None:
    market = await create_market()
    case = await market.case_in(State.OFFERED)
    other = await create_organisation(city=market.buyer.city, source_category="industrial")
    await create_permit(other, "NOX")
    await PermitLimit.filter(pollutant="SO2").update(effective_until=date(2022, 6, 6))

    with pytest.raises(ConditionsUnmet) as refusal:
        await market.execute("buyer", accept_transfer, case.id)

    assert unmet_conditions(refusal) == ["buyer_needs"]


@OPEN
async def test_no_organisation_sells_to_itself() -> None:
    market = await create_market()

    with pytest.raises(Malformed) as refusal:
        await market.execute("seller", draft_transfer, **market.terms(buyer=market.seller.id))

    assert refusal.value.field == "buyer"


@OPEN
@pytest.mark.parametrize("days", [-1, 30])
async def test_the_seller_sets_a_limit_within_the_limit(days: int) -> None:
    market = await create_market()
    case = await market.draft()

    with pytest.raises(Malformed) as refusal:
        await market.execute(
            "seller", offer_transfer, case.id, accept_by=date(2022, 6, 7) + timedelta(days=days)
        )

    assert refusal.value.field == "acceptBy"


@OPEN
async def test_the_deadline_counts_working_days() -> None:
    market = await create_market()

    case = await market.case_in(State.OFFERED)
    short = await market.draft()
    short = await market.execute("seller", offer_transfer, short.id, accept_by=date(2022, 6, 10))

    # Ten working days after 7 June 2022 end on 21 June; 20 and 21 June were worked.
    assert case.deadline_at.date() == date(2022, 6, 21)
    assert short.deadline_at.date() == date(2022, 6, 10)


@OPEN
async def test_rights_stay_in_their_city_in_2022() -> None:
    market = await create_market(buyer_city=TANGSHAN)

    assert "area" in await unmet_terms(market)


@pytest.mark.parametrize(
    "failed", ["quality_attained", "reduction_task_done", "improvement_target_met"]
)
async def test_across_cities_the_receiving_city_met_all_its_targets(
    open_market: asyncpg.Connection, failed: str
) -> None:
    await stop_clock(open_market, IN_2026)
    market = await create_market(buyer_city=TANGSHAN)
    assert await unmet_terms(market, **ACROSS) == ["receiving_area"]

    await create_assessment(TANGSHAN, failed=failed)

    assert await unmet_terms(market, **ACROSS) == ["receiving_area"]


async def test_across_cities_the_seller_gives_notice_at_home_for_twenty_trading_days(
    open_market: asyncpg.Connection,
) -> None:
    await stop_clock(open_market, IN_2026)
    market = await create_cross_city_market()

    assert await unmet_terms(market) == ["local_notice"]
    late = ACROSS | {"announced_on": date(2026, 2, 25)}
    assert await unmet_terms(market, **late) == ["local_notice"]
    assert (await market.draft()).announced_on == NOTICE


@pytest.mark.parametrize(("basin", "wrong"), [("hai", []), ("liao", ["basin"])])
async def test_water_stays_in_its_basin(
    open_market: asyncpg.Connection, basin: str, wrong: list[str]
) -> None:
    river = await open_market.fetchval("SELECT code FROM river_system WHERE basin = $1", basin)
    await stop_clock(open_market, IN_2026)
    market = await create_market(buyer_city=TANGSHAN, pollutant="COD", basin="hai")
    await create_assessment(TANGSHAN, medium="water")
    await create_permit(market.buyer, "COD", river=river)
    case = await market.draft(price=600_000)
    case = await market.execute("seller", offer_transfer, case.id)

    foreseen = await market.preview("buyer", accept_transfer, case.id)

    assert [c.name for c in foreseen.conditions if not c.met] == wrong
    said = next(c.message for c in foreseen.conditions if c.name == "basin")
    assert "hai" in said.en
    assert "liao" not in said.en + said.zh


async def set_right_start(owner: asyncpg.Connection, market: TradingFixture, on: date) -> None:
    await owner.execute("ALTER TABLE instrument DISABLE TRIGGER instrument_append_only")
    await owner.execute("UPDATE instrument SET valid_from = $2 WHERE id = $1", market.right.id, on)


async def test_a_right_is_not_sold_before_its_first_day(open_market: asyncpg.Connection) -> None:
    market = await create_market()
    case = await market.draft()
    await set_right_start(open_market, market, date(2022, 6, 8))

    with pytest.raises(ConditionsUnmet) as refusal:
        await market.execute("seller", offer_transfer, case.id)
    await set_right_start(open_market, market, date(2022, 6, 7))
    offered = await market.execute("seller", offer_transfer, case.id)

    assert unmet_conditions(refusal) == ["right_in_force"]
    assert "2022-06-08" in refusal.value.message.en
    assert offered.state == "offered"


@OPEN
async def test_nobody_else_learns_what_the_buyer_builds() -> None:
    market = await create_market()
    project = await create_project(market.buyer, "SO2", name="the secret line 7")
    await PermitLimit.filter(pollutant="SO2").update(effective_until=date(2022, 6, 6))
    case = await market.case_in(State.ACCEPTED)

    foreseen = await market.preview("centre", qualify_transfer, case.id)

    need = next(c for c in foreseen.conditions if c.name == "buyer_needs")
    assert need.met
    assert "a project with assessed demand" in need.message.en
    assert not any(project.name in c.message.en + c.message.zh for c in foreseen.conditions)


@pytest.mark.parametrize(("cap", "wrong"), [(12_000, []), (11_999, ["city_cap"])])
async def test_no_case_qualifies_that_lifts_a_city_above_its_total(
    open_market: asyncpg.Connection, cap: int, wrong: list[str]
) -> None:
    await stop_clock(open_market, IN_2026)
    market = await create_cross_city_market()
    await set_city_cap(open_market, TANGSHAN, cap)
    case = await market.case_in(State.ACCEPTED)

    foreseen = await market.preview("centre", qualify_transfer, case.id)

    assert [c.name for c in foreseen.conditions if not c.met] == wrong
    assert "city_cap" in [c.name for c in foreseen.conditions]


async def test_a_settlement_lifts_no_city_above_its_total(
    open_market: asyncpg.Connection,
) -> None:
    await stop_clock(open_market, IN_2026)
    market = await create_cross_city_market()
    case = await market.case_in(State.PAID)
    await set_city_cap(open_market, TANGSHAN, 11_999)
    before = await market.rights()

    with pytest.raises(Insufficient) as refusal:
        await market.execute("centre", settle_transfer, case.id)

    assert refusal.value.message.zh == (
        "唐山市的二氧化硫持有量将为12.000吨，超过总量上限11.999吨。"
    )
    assert await market.rights() == before


async def test_inside_a_city_a_total_that_is_passed_already_stops_nobody(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()
    await set_city_cap(open_market, LANGFANG, 1)

    assert (await market.case_in(State.SETTLED)).state == "settled"
