"""Ownership of a case: each city speaks for its own side; no case is visible before its time."""

from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from registry.access.authorizer import authorizer
from registry.access.principals import Viewer
from registry.kernel.errors import Forbidden, NotFound
from registry.parties.operations import register_client
from registry.parties.records import Organisation
from registry.transfers.approval import approve_transfer, opine_on_transfer, reject_transfer
from registry.transfers.closing_checks import check_no_open_transfers
from registry.transfers.facts import TRANSFER
from registry.transfers.offer import (
    countersign_transfer,
    draft_transfer,
    offer_transfer,
    withdraw_transfer,
)
from registry.transfers.records import Transfer, TransferOpinion
from registry.transfers.rules import NEVER, State
from tests.support.builders import LANGFANG, TANGSHAN, create_officer, principal_of, stop_clock
from tests.transfers.builders import (
    FOUNDING_DAY,
    IN_2026,
    TradingFixture,
    create_cross_city_market,
    create_market,
)

OPEN = pytest.mark.usefixtures("open_market")
COUNTY = "131002"
FOR = {"favourable": True, "reasons": "surplus"}


async def create_county_officer(market: TradingFixture) -> None:
    """The seller lies in a county of Langfang, for which an officer of the city's bureau acts."""
    await Organisation.filter(id=market.seller.id).update(county=COUNTY)
    city = await Organisation.get(kind="city", city=LANGFANG)
    officer = await create_officer(city, division=COUNTY)
    market.people["for_county"] = await principal_of(officer)


@OPEN
@pytest.mark.parametrize("act", ["approve", "reject"])
async def test_a_city_decides_only_through_an_officer_for_all_of_it(act: str) -> None:
    market = await create_market()
    await create_county_officer(market)
    case = await market.case_in(State.ELIGIBLE)

    with pytest.raises(Forbidden):
        if act == "approve":
            await market.execute("for_county", approve_transfer, case.id)
        else:
            await market.execute("for_county", reject_transfer, case.id, reason="no")


async def test_no_city_opines_for_the_other(open_market: asyncpg.Connection) -> None:
    await stop_clock(open_market, IN_2026)
    market = await create_cross_city_market()
    await create_county_officer(market)
    case = await market.case_in(State.ELIGIBLE)

    with pytest.raises(Forbidden):
        await market.execute("for_county", opine_on_transfer, case.id, **FOR)
    opined = await market.execute("city", opine_on_transfer, case.id, **FOR)

    assert (opined.seller_opinion, opined.buyer_opinion) == ("favourable", "")
    assert [o.city for o in await TransferOpinion.filter(transfer_id=case.id)] == [LANGFANG]


async def create_audit_entry(owner: asyncpg.Connection, case: UUID) -> UUID:
    found: UUID = await owner.fetchval(
        "SELECT id FROM audit_entry WHERE object_id = $1 LIMIT 1", case
    )
    return found


@pytest.mark.parametrize("city", ["130300", COUNTY])
async def test_the_database_takes_no_opinion_of_a_third_city(
    open_market: asyncpg.Connection, city: str
) -> None:
    await stop_clock(open_market, IN_2026)
    market = await create_cross_city_market()
    case = await market.case_in(State.ELIGIBLE)

    with pytest.raises(asyncpg.PostgresError) as refusal:
        await open_market.execute(
            "INSERT INTO transfer_opinion VALUES ($1, $2, $3, true, 'a reason', $4, $5)",
            uuid4(),
            case.id,
            city,
            await create_audit_entry(open_market, case.id),
            IN_2026,
        )

    assert refusal.value.sqlstate == "BD009"


@pytest.mark.parametrize(
    "change",
    ["buyer_opinion = 'favourable'", "seller_opinion = 'unfavourable'", "seller_opinion = ''"],
)
async def test_a_side_has_the_opinion_that_its_city_gave_once(
    open_market: asyncpg.Connection, change: str
) -> None:
    await stop_clock(open_market, IN_2026)
    market = await create_cross_city_market()
    case = await market.case_in(State.ELIGIBLE)
    await market.execute("city", opine_on_transfer, case.id, **FOR)

    with pytest.raises(asyncpg.PostgresError) as refusal:
        await open_market.execute(f"UPDATE transfer SET {change} WHERE id = $1", case.id)

    assert refusal.value.sqlstate == "BD009"


def verbs_of_buyer_side(case: Transfer) -> set[str]:
    """Permissions of the buyer's side, if the buyer were in a county of Tangshan."""
    case.buyer_city, case.buyer_county = TANGSHAN, "130202"
    officers = (
        Viewer("enterprise", FOUNDING_DAY, organisation=case.buyer_id, may_initiate=True),
        Viewer("county", FOUNDING_DAY, division="130202", may_initiate=True),
        Viewer("city", FOUNDING_DAY, division=TANGSHAN, may_initiate=True),
    )
    return {
        f"{officer.role} {verb}"
        for officer in officers
        for verb in ("view", "view_price", "withdraw", "comment")
        if authorizer.allows(officer, TRANSFER, verb, case)
    }


@OPEN
async def test_a_draft_that_is_withdrawn_stays_the_sellers_own() -> None:
    market = await create_market()
    case = await market.draft()

    ended = await market.execute(
        "seller", withdraw_transfer, case.id, reason="thought better of it"
    )

    assert (ended.state, ended.offered_at) == ("withdrawn", NEVER)
    assert verbs_of_buyer_side(ended) == set()


@OPEN
async def test_what_awaits_the_sellers_second_signature_is_not_the_buyers_yet() -> None:
    market = await create_market(two=True)
    case = await market.draft()
    case = await market.execute("seller", offer_transfer, case.id)

    with pytest.raises(NotFound):
        await market.execute("buyer", withdraw_transfer, case.id, reason="no need")
    assert (await check_no_open_transfers(market.buyer.id, FOUNDING_DAY)).met
    assert verbs_of_buyer_side(case) == set()
    offered = await market.execute("seller_second", countersign_transfer, case.id)

    assert offered.offered_at == FOUNDING_DAY
    assert not (await check_no_open_transfers(market.buyer.id, FOUNDING_DAY)).met
    assert verbs_of_buyer_side(offered) == {
        "enterprise view", "enterprise view_price", "enterprise withdraw",
        "county view", "county comment", "city view", "city view_price",
    }  # fmt: skip


@OPEN
@pytest.mark.parametrize("who", ["seller", "buyer"])
async def test_what_was_offered_stays_visible_when_it_ends(who: str) -> None:
    market = await create_market()
    case = await market.case_in(State.OFFERED)

    ended = await market.execute(who, withdraw_transfer, case.id, reason="no need")

    assert ended.offered_at == FOUNDING_DAY
    assert "enterprise view" in verbs_of_buyer_side(ended)


async def test_nobody_takes_an_offer_back_from_the_record(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()
    case = await market.case_in(State.ACCEPTED)

    with pytest.raises(asyncpg.PostgresError) as refusal:
        await open_market.execute("UPDATE transfer SET offered_at = now() WHERE id = $1", case.id)

    assert refusal.value.sqlstate == "BD009"


@OPEN
async def test_a_client_trades_for_a_seller_within_the_scopes_that_the_province_granted() -> None:
    market = await create_market()
    scopes = ["Transfer:view", "Transfer:draft"]
    owner = {"organisation": market.seller.id, "name": "partner"}
    await market.execute("province", register_client, None, scopes=scopes, **owner)
    market.people["partner"] = replace(market.people["seller"], client="partner")

    drafted = await market.execute("partner", draft_transfer, **market.terms())
    with pytest.raises(Forbidden) as refusal:
        await market.execute("partner", offer_transfer, drafted.id)

    assert (drafted.state, refusal.value.rule) == (State.DRAFT, "N-01")
