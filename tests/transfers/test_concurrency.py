"""Several at once, each on a connection of its own, against a real PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from uuid import uuid4

import pytest

from registry.commands.command import execute_command
from registry.db.session import fetch_one
from registry.kernel.errors import ConditionsUnmet, Forbidden, Insufficient, KeyReused, Refused
from registry.ledger.journal import ensure_account
from registry.ledger.rules import AccountKind
from registry.transfers.approval import approve_transfer
from registry.transfers.offer import accept_transfer, draft_transfer, offer_transfer
from registry.transfers.records import Transfer
from registry.transfers.rules import State
from registry.transfers.settlement import settle_transfer
from tests.ledger.ledger_builders import give_stock
from tests.transfers.builders import (
    STOCK_UNITS,
    SUM,
    UNITS,
    TradingFixture,
    create_market,
    create_permit,
    operations_of,
)

pytestmark = pytest.mark.usefixtures("open_market")

CLIENTS = 16


async def outcomes(attempts: Iterable[Awaitable[Transfer]]) -> list[Transfer | BaseException]:
    return list(await asyncio.gather(*attempts, return_exceptions=True))


async def test_sixteen_clients_spend_one_balance_once() -> None:
    market = await create_market()
    drafts = [await market.draft(quantity="30.000") for _ in range(CLIENTS)]

    found = await outcomes(market.execute("seller", offer_transfer, d.id) for d in drafts)

    won = [f for f in found if isinstance(f, Transfer)]
    assert len(won) == 3  # 100 t hold three times 30 t.
    assert all(isinstance(f, Transfer | Insufficient | ConditionsUnmet) for f in found)
    assert await market.rights() == {
        "seller holding": STOCK_UNITS - 90_000,
        "seller escrow": 90_000,
    }


async def test_opposite_transfers_settle_at_once() -> None:
    there = await create_market()
    back = await opposite(there)
    cases = [(m, await m.case_in(State.PAID)) for m in (there, back) for _ in range(3)]

    found = await outcomes(m.execute("centre", settle_transfer, case.id) for m, case in cases)

    assert [getattr(f, "state", f) for f in found] == ["settled"] * len(cases)
    assert await there.money() == {"seller holding": 3 * SUM, "buyer holding": 3 * SUM}
    assert await there.rights() == {"seller holding": STOCK_UNITS, "buyer holding": STOCK_UNITS}


async def opposite(market: TradingFixture) -> TradingFixture:
    """The same two, with the buyer selling."""
    holding = await ensure_account(market.buyer.id, AccountKind.HOLDING)
    await give_stock(holding, market.right, STOCK_UNITS)
    await create_permit(market.seller, "SO2")
    people = market.people | {"seller": market.people["buyer"], "buyer": market.people["seller"]}
    return TradingFixture(market.buyer, market.seller, market.right, people)


async def test_two_officers_approve_one_case_once() -> None:
    market = await create_market()
    case = await market.case_in(State.ELIGIBLE)

    found = await outcomes(
        market.execute(who, approve_transfer, case.id) for who in ("city", "city_second") * 4
    )

    assert Counter(type(f) for f in found) == {Transfer: 1, Forbidden: 7}
    assert (await operations_of(case.id)).count("approve_transfer") == 1


async def test_a_case_is_settled_once() -> None:
    market = await create_market()
    case = await market.case_in(State.PAID)

    found = await outcomes(market.execute("centre", settle_transfer, case.id) for _ in range(8))

    assert Counter(type(f) for f in found) == {Transfer: 1, Forbidden: 7}
    assert await market.rights() == {"seller holding": STOCK_UNITS - UNITS, "buyer holding": UNITS}


async def test_numbers_have_no_gap_when_cases_settle_at_once() -> None:
    market = await create_market()
    cases = [await market.case_in(State.PAID) for _ in range(5)]

    found = await outcomes(market.execute("centre", settle_transfer, case.id) for case in cases)

    assert sorted(f.number for f in found if isinstance(f, Transfer)) == [
        f"HB-131000-2022-0000{n}" for n in range(1, 6)
    ]


async def test_the_same_key_twice_changes_nothing() -> None:
    market = await create_market()
    case = await market.draft()
    sent = (offer_transfer, market.people["seller"], {"id": case.id})

    first = await execute_command(*sent, key="offer-1")
    second = await execute_command(*sent, key="offer-1")

    assert (first.is_replay, second.is_replay) == (False, True)
    assert first.audit_entry_id == second.audit_entry_id
    assert await market.rights() == {"seller holding": STOCK_UNITS - UNITS, "seller escrow": UNITS}
    with pytest.raises(KeyReused):
        await execute_command(
            accept_transfer, market.people["seller"], {"id": case.id}, key="offer-1"
        )


async def test_the_same_key_at_once_drafts_one_case() -> None:
    market = await create_market()
    sent = (draft_transfer, market.people["seller"], market.terms())

    drafts = await asyncio.gather(*(execute_command(*sent, key="draft-1") for _ in range(6)))

    assert len({draft.record.pk for draft in drafts}) == 1
    assert sorted(draft.is_replay for draft in drafts) == [False] + [True] * 5


@pytest.mark.parametrize("state", [State.DRAFT, State.OFFERED, State.PAID])
async def test_a_preview_leaves_no_trace(state: State) -> None:
    market = await create_market()
    case = await market.case_in(state)
    who, operation, moved = {
        State.DRAFT: ("seller", offer_transfer, [UNITS]),
        State.OFFERED: ("buyer", accept_transfer, []),
        State.PAID: ("centre", settle_transfer, [UNITS, SUM]),
    }[state]
    before = await traces()

    seen = await market.preview(who, operation, case.id)

    assert [m.quantity for m in seen.postings] == moved
    assert seen.next_state is not None
    assert await traces() == before
    await case.refresh_from_db()
    assert case.state == state
    done = await execute_command(operation, market.people[who], {"id": case.id}, key="foresee")
    assert (done.is_replay, done.record.state) == (False, seen.next_state)


async def test_a_preview_lists_all_conditions_and_the_next_actors() -> None:
    market = await create_market()

    good = await market.preview("seller", draft_transfer, **market.terms())
    bad = await market.preview("seller", draft_transfer, **market.terms(price=1))

    assert good.next_actors == (("enterprise", "offer"),)
    assert [c.name for c in bad.conditions if not c.met] == ["price_floor"]
    assert len(bad.conditions) == len(good.conditions) > 5
    assert await Transfer.all().count() == 0


async def traces() -> dict[str, object] | None:
    return await fetch_one(
        "SELECT (SELECT count(*) FROM audit_entry) AS acts,"
        " (SELECT count(*) FROM posting) AS postings,"
        " (SELECT count(*) FROM idempotency_key) AS keys, (SELECT count(*) FROM certificate) AS c,"
        " (SELECT sum(quantity) FROM balance WHERE NOT issuer) AS held"
    )


async def test_a_refused_command_may_be_sent_again() -> None:
    market = await create_market()
    terms = market.terms(price=1)

    for _ in range(2):
        with pytest.raises(Refused):
            await execute_command(draft_transfer, market.people["seller"], terms, key=str(uuid4()))

    assert await Transfer.all().count() == 0
