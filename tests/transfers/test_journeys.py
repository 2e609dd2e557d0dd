"""From draft to settlement and to every other end, by the people who may."""

from datetime import time, timedelta

import asyncpg
import pytest

from registry.commands.command import execute_command
from registry.db.session import fetch_one
from registry.kernel.calendar import CHINA
from registry.kernel.errors import ConditionsUnmet, Duplicate, Forbidden, NotFound
from registry.transfers.approval import (
    approve_transfer,
    comment_on_transfer,
    opine_on_transfer,
    qualify_transfer,
    reject_transfer,
)
from registry.transfers.offer import (
    accept_transfer,
    countersign_transfer,
    offer_transfer,
    withdraw_transfer,
)
from registry.transfers.records import (
    Certificate,
    EligibilityFinding,
    TransferComment,
    TransferOpinion,
)
from registry.transfers.rules import NEVER, State
from registry.transfers.settlement import (
    contract_transfer,
    declare_default,
    expire_transfer,
    record_payment,
    settle_transfer,
)
from tests.support.builders import create_officer, create_organisation, principal_of, stop_clock
from tests.transfers.builders import (
    FOUNDING_DAY,
    IN_2026,
    STOCK_UNITS,
    SUM,
    UNITS,
    TradingFixture,
    create_cross_city_market,
    create_market,
    operations_of,
)

BLOCKED = {"seller holding": STOCK_UNITS - UNITS, "seller escrow": UNITS}
HOME = {"seller holding": STOCK_UNITS}
EARLY = [State.DRAFT, State.OFFERED, State.ACCEPTED, State.ELIGIBLE, State.APPROVED]
OPEN = pytest.mark.usefixtures("open_market")


@OPEN
async def test_a_transfer_inside_a_city_is_settled() -> None:
    market = await create_market()

    settled = await market.case_in(State.SETTLED)

    assert settled.number == "HB-131000-2022-00001"
    assert await market.rights() == {"seller holding": STOCK_UNITS - UNITS, "buyer holding": UNITS}
    assert await market.money() == {"seller holding": SUM}
    assert await operations_of(settled.id) == [
        "draft_transfer", "offer_transfer", "accept_transfer", "qualify_transfer",
        "approve_transfer", "contract_transfer", "record_payment", "settle_transfer",
    ]  # fmt: skip


async def test_a_transfer_across_cities_is_settled_in_2026(
    open_market: asyncpg.Connection,
) -> None:
    await stop_clock(open_market, IN_2026)
    market = await create_cross_city_market()

    settled = await market.case_in(State.SETTLED)

    assert settled.regime == "cross_region"
    assert (settled.seller_opinion, settled.buyer_opinion) == ("favourable", "unfavourable")
    assert await TransferOpinion.filter(transfer_id=settled.id).count() == 2
    assert await market.rights() == {"seller holding": STOCK_UNITS - UNITS, "buyer holding": UNITS}


@OPEN
async def test_rights_and_money_are_one_entry_with_a_certificate() -> None:
    market = await create_market()

    settled = await market.case_in(State.SETTLED)

    certificate = await Certificate.get(transfer_id=settled.id)
    lines = await fetch_one(
        "SELECT count(*) FROM posting WHERE entry_id = $1", certificate.entry_id
    )
    assert lines == {"count": 2}
    assert (certificate.number, certificate.quantity) == (settled.number, UNITS)
    assert certificate.pollutant == "SO2"


@OPEN
async def test_attestation_numbers_follow_each_other() -> None:
    market = await create_market()

    numbers = [(await market.case_in(State.SETTLED)).number for _ in range(3)]

    assert numbers == [f"HB-131000-2022-0000{n}" for n in (1, 2, 3)]


@OPEN
async def test_units_are_blocked_from_the_first_signature() -> None:
    market = await create_market(two=True)
    draft = await market.draft()
    assert await market.rights() == HOME

    signed = await market.execute("seller", offer_transfer, draft.id)

    assert (signed.state, signed.awaiting) == ("awaiting_signature", "seller")
    assert await market.rights() == BLOCKED


@OPEN
async def test_two_representatives_sign_on_either_side() -> None:
    market = await create_market(two=True)
    id = (await market.draft()).id

    await market.execute("seller", offer_transfer, id)
    with pytest.raises(NotFound):  # The buyer sees nothing to accept yet.
        await market.execute("buyer", accept_transfer, id)
    offered = await market.execute("seller_second", countersign_transfer, id)
    waiting = await market.execute("buyer", accept_transfer, id)
    accepted = await market.execute("buyer_second", countersign_transfer, id)

    assert [offered.state, waiting.state, accepted.state] == [
        "offered", "awaiting_signature", "accepted",
    ]  # fmt: skip
    assert waiting.deadline_at == offered.deadline_at
    assert (accepted.awaiting, accepted.deadline_at) == ("", NEVER)


@OPEN
async def test_nobody_signs_twice_and_the_other_side_signs_for_its_own() -> None:
    market = await create_market(two=True)
    id = (await market.draft()).id
    await market.execute("seller", offer_transfer, id)

    for who, refusal in (("seller", Forbidden), ("buyer_second", NotFound)):
        with pytest.raises(refusal):
            await market.execute(who, countersign_transfer, id)


@OPEN
@pytest.mark.parametrize("state", EARLY)
@pytest.mark.parametrize("who", ["seller", "buyer"])
async def test_either_side_withdraws_before_the_contract(state: State, who: str) -> None:
    market = await create_market()
    case = await market.case_in(state)

    if (who, state) == ("buyer", State.DRAFT):
        with pytest.raises((Forbidden, NotFound)):
            await market.execute(who, withdraw_transfer, case.id, reason="no need")
        return
    ended = await market.execute(who, withdraw_transfer, case.id, reason="no need")

    assert (ended.state, ended.reason) == ("withdrawn", "no need")
    assert await market.rights() == HOME


@OPEN
@pytest.mark.parametrize("state", [State.CONTRACTED, State.PAID, State.SETTLED])
async def test_nobody_withdraws_after_the_contract(state: State) -> None:
    market = await create_market()
    case = await market.case_in(state)

    for who in ("seller", "buyer"):
        with pytest.raises(Forbidden):
            await market.execute(who, withdraw_transfer, case.id, reason="no need")


@OPEN
@pytest.mark.parametrize(("who", "state"), [("centre", State.ACCEPTED), ("city", State.ELIGIBLE)])
async def test_what_is_rejected_comes_home(who: str, state: State) -> None:
    market = await create_market()
    case = await market.case_in(state)

    ended = await market.execute(who, reject_transfer, case.id, reason="papers missing")

    assert (ended.state, ended.reason) == ("rejected", "papers missing")
    assert await market.rights() == HOME


async def test_the_province_rejects_across_cities_once_both_have_spoken(
    open_market: asyncpg.Connection,
) -> None:
    await stop_clock(open_market, IN_2026)
    market = await create_cross_city_market()
    case = await market.case_in(State.ELIGIBLE)
    against = {"favourable": False, "reasons": "the local total would grow"}

    for who in ("city", "province"):
        with pytest.raises(Forbidden):
            await market.execute(who, reject_transfer, case.id, reason="too early")
    await market.execute("city", opine_on_transfer, case.id, **against)
    with pytest.raises(Forbidden):
        await market.execute("city_second", opine_on_transfer, case.id, **against)
    with pytest.raises(Forbidden):
        await market.execute("province", reject_transfer, case.id, reason="too early")
    await market.execute("buyer_city", opine_on_transfer, case.id, **against)
    ended = await market.execute("province", reject_transfer, case.id, reason="against the plan")

    assert ended.state == "rejected"
    assert await market.rights() == HOME


@OPEN
async def test_a_default_of_the_seller_returns_rights_and_money() -> None:
    market = await create_market()
    case = await market.case_in(State.PAID)
    assert await market.money() == {"buyer escrow": SUM}

    ended = await market.execute(
        "centre", declare_default, case.id, side="seller", reason="refuses"
    )

    assert (ended.state, ended.in_default) == ("defaulted", "seller")
    assert await market.rights() == HOME
    assert await market.money() == {"buyer holding": SUM}


async def test_a_buyer_is_in_default_when_the_time_to_pay_is_over(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()
    case = await market.case_in(State.CONTRACTED)

    with pytest.raises(ConditionsUnmet) as early:
        await market.execute("centre", declare_default, case.id, side="buyer", reason="did not pay")
    await stop_clock(open_market, case.deadline_at + timedelta(seconds=1))
    ended = await market.execute(
        "centre", declare_default, case.id, side="buyer", reason="did not pay"
    )

    assert [c.name for c in early.value.conditions] == ["payment_missing"]
    assert (ended.state, ended.in_default) == ("defaulted", "buyer")
    assert await market.rights() == HOME


@pytest.mark.parametrize("state", [State.OFFERED, State.APPROVED])
async def test_what_ran_out_has_expired_without_a_sweeper(
    open_market: asyncpg.Connection, state: State
) -> None:
    market = await create_market()
    case = await market.case_in(state)
    await stop_clock(open_market, case.deadline_at + timedelta(seconds=1))

    with pytest.raises(Forbidden):
        if state is State.OFFERED:
            await market.execute("buyer", accept_transfer, case.id)
        else:
            await market.execute("centre", contract_transfer, case.id, contract_number="HT-1")
    with pytest.raises(Forbidden):
        await market.execute("seller", withdraw_transfer, case.id, reason="too late")
    assert await market.rights() == BLOCKED
    ended = await market.execute("centre", expire_transfer, case.id)

    assert ended.state == "expired"
    assert await market.rights() == HOME


@OPEN
async def test_f15_what_is_done_at_the_exchange_ends_with_its_business_the_rest_with_the_day() -> (
    None
):
    market = await create_market()

    ends = {
        state: (await market.case_in(state)).deadline_at.astimezone(CHINA).time()
        for state in (State.OFFERED, State.APPROVED, State.CONTRACTED)
    }

    assert ends == {
        State.OFFERED: time.max,
        State.APPROVED: time(17, 30),
        State.CONTRACTED: time(17, 30),
    }


async def test_the_last_instant_is_still_in_time(open_market: asyncpg.Connection) -> None:
    market = await create_market()
    case = await market.case_in(State.OFFERED)

    await stop_clock(open_market, case.deadline_at)

    assert (await market.execute("buyer", accept_transfer, case.id)).state == "accepted"
    with pytest.raises(Forbidden):
        await market.execute("centre", expire_transfer, case.id)


@OPEN
async def test_the_centre_keeps_what_it_found() -> None:
    market = await create_market()

    case = await market.case_in(State.ELIGIBLE)

    found = await EligibilityFinding.filter(transfer_id=case.id)
    assert {f.name for f in found} == {
        "price_floor", "acquired_for_payment", "source_categories", "thermal_power", "area",
        "seller_may_trade", "buyer_may_trade", "right_in_force", "buyer_needs", "rights_free",
    }  # fmt: skip
    assert all(f.met and f.legal_basis and f.source for f in found)
    assert {f.evaluated_on for f in found} == {FOUNDING_DAY.date()}
    assert not any("7500.00" in f.message_en and f.name != "price_floor" for f in found)


@OPEN
async def test_a_county_comments_and_binds_nobody() -> None:
    market = await create_market()
    county = await create_organisation("county", city="131000", county="131002")
    market.people["county"] = await principal_of(await create_officer(county))
    market.seller.county = "131002"
    await market.seller.save(update_fields=["county"])
    case = await market.case_in(State.OFFERED)

    after = await market.execute("county", comment_on_transfer, case.id, text="works are old")

    assert after.state == "offered"
    assert (await TransferComment.get(transfer_id=case.id)).county == "131002"


@OPEN
async def test_a_payment_is_exact_and_its_reference_is_recorded_once() -> None:
    market = await create_market()
    first, second = [await market.case_in(State.CONTRACTED) for _ in range(2)]

    with pytest.raises(ConditionsUnmet):
        await market.execute(
            "centre", record_payment, first.id, money=SUM - 1, reference="BANK-001"
        )
    await market.execute("centre", record_payment, first.id, money=SUM, reference="BANK-001")
    with pytest.raises(Duplicate):
        await market.execute("centre", record_payment, second.id, money=SUM, reference="bank-001")

    assert await market.money() == {"buyer escrow": SUM}


@OPEN
async def test_a_contract_number_is_used_once() -> None:
    market = await create_market()
    first, second = [await market.case_in(State.APPROVED) for _ in range(2)]
    await market.execute("centre", contract_transfer, first.id, contract_number="Ｅ９-2")

    with pytest.raises(Duplicate) as refusal:
        await market.execute("centre", contract_transfer, second.id, contract_number=" e9－2")

    assert refusal.value.field == "contractNumber"
    assert await fetch_one("SELECT contract_number FROM transfer WHERE id = $1", first.id) == {
        "contract_number": "Ｅ９-2"
    }


@OPEN
async def test_a_stranger_finds_nothing() -> None:
    market = await create_market()
    stranger = await principal_of(await create_officer(await create_organisation(city="131000")))
    case = await market.case_in(State.OFFERED)

    with pytest.raises(NotFound):
        await execute_command(accept_transfer, stranger, {"id": case.id}, key="stranger")


@OPEN
@pytest.mark.parametrize(
    ("who", "operation", "state"),
    [
        ("buyer", accept_transfer, State.DRAFT),
        ("buyer", accept_transfer, State.ACCEPTED),
        ("centre", qualify_transfer, State.OFFERED),
        ("city", approve_transfer, State.ACCEPTED),
        ("province", approve_transfer, State.ELIGIBLE),
        ("city", approve_transfer, State.APPROVED),
        ("centre", settle_transfer, State.CONTRACTED),
        ("centre", settle_transfer, State.SETTLED),
        ("seller", offer_transfer, State.OFFERED),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
async def test_a_step_out_of_order_is_refused(who: str, operation: object, state: State) -> None:
    market: TradingFixture = await create_market()
    case = await market.case_in(state)

    with pytest.raises((Forbidden, NotFound)):
        await market.execute(who, operation, case.id)  # type: ignore[arg-type]

    await case.refresh_from_db()
    assert case.state == state
