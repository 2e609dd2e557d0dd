"""Reversals by two officers, through the command frame."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from registry.concepts import verify_registry
from registry.kernel.errors import (
    ConditionsUnmet,
    Duplicate,
    Forbidden,
    Frozen,
    WrongState,
)
from registry.ledger.journal import ensure_account
from registry.ledger.operations import (
    approve_reversal,
    impose_freeze,
    propose_reversal,
    reject_reversal,
)
from registry.ledger.records import Account, Entry, Instrument, Reversal
from registry.ledger.rules import MONEY_INSTRUMENT, OUTSIDE_ACCOUNT, AccountKind, EntryKind, Posting
from registry.parties.records import Organisation
from tests.ledger.ledger_builders import (
    HOUR,
    OPENING,
    create_holder,
    create_right,
    execute_as,
    give_stock,
    holdings_of,
    post_in_transaction,
)
from tests.support.builders import (
    create_officer,
    create_officer_of,
    create_organisation,
    install_rules,
    stop_clock,
)


@pytest.fixture(autouse=True)
async def founding_day(database: object, owner: asyncpg.Connection) -> None:
    await install_rules(owner)
    await stop_clock(owner, OPENING)


async def settle_sale() -> tuple[Instrument, list[Account], UUID]:
    """Blocked, paid and settled: rights against money in one entry."""
    right = await create_right()
    (seller_of, seller), (buyer_of, buyer) = await create_holder(), await create_holder()
    blocked = await ensure_account(seller_of.id, AccountKind.ESCROW)
    paid_in = await ensure_account(buyer_of.id, AccountKind.ESCROW)
    await give_stock(seller, right, 100)
    await post_in_transaction(EntryKind.BLOCK, Posting(seller.id, blocked.id, right.id, 30))
    await post_in_transaction(
        EntryKind.PAYMENT,
        Posting(OUTSIDE_ACCOUNT, paid_in.id, MONEY_INSTRUMENT, 900),
        reference="IN-0001",
    )
    entry = await post_in_transaction(
        EntryKind.SETTLEMENT,
        Posting(blocked.id, buyer.id, right.id, 30),
        Posting(paid_in.id, seller.id, MONEY_INSTRUMENT, 900),
    )
    return right, [seller, buyer, blocked, paid_in], entry


async def test_a_reversal_by_a_second_officer_brings_both_loads_home() -> None:
    right, accounts, entry = await settle_sale()
    centre = await create_officer_of("centre")
    second = await create_officer(await Organisation.get(id=centre.organisation_id))
    proposal = await execute_as(propose_reversal, centre, entry=entry, reason="wrong buyer")

    with pytest.raises(Forbidden):
        await execute_as(approve_reversal, centre, id=proposal)
    await execute_as(approve_reversal, second, id=proposal)

    money = await Instrument.get(id=MONEY_INSTRUMENT)
    assert await holdings_of(right, *accounts) == [100, 0, 0, 0]
    assert await holdings_of(money, *accounts) == [0, 900, 0, 0]
    reversal = await Reversal.get(id=proposal)
    assert (reversal.state, (await Entry.get(id=reversal.reversing_entry_id)).reverses) == (
        "approved",
        entry,
    )
    assert [finding.check for finding in await verify_registry() if not finding.is_satisfied] == []


async def test_a_proposal_opens_no_account_and_its_approval_does() -> None:
    (_, seller), buyer_of = await create_holder(), await create_organisation()
    paid_in = await ensure_account(buyer_of.id, AccountKind.ESCROW)
    await post_in_transaction(
        EntryKind.PAYMENT,
        Posting(OUTSIDE_ACCOUNT, paid_in.id, MONEY_INSTRUMENT, 900),
        reference="IN-0001",
    )
    entry = await post_in_transaction(
        EntryKind.SETTLEMENT, Posting(paid_in.id, seller.id, MONEY_INSTRUMENT, 900)
    )
    centre, province = await create_officer_of("centre"), await create_officer_of("province")

    proposal = await execute_as(propose_reversal, centre, entry=entry, reason="wrong buyer")
    assert await Account.filter(organisation_id=buyer_of.id).count() == 1
    await execute_as(approve_reversal, province, id=proposal)

    money = await Instrument.get(id=MONEY_INSTRUMENT)
    holding = await Account.get(organisation_id=buyer_of.id, kind=AccountKind.HOLDING.value)
    assert await holdings_of(money, holding, paid_in, seller) == [900, 0, 0]


async def test_what_is_spent_is_not_reversed_and_the_refusal_names_the_holders() -> None:
    right, (_, buyer, *_), entry = await settle_sale()
    centre, province = await create_officer_of("centre"), await create_officer_of("province")
    proposal = await execute_as(propose_reversal, centre, entry=entry, reason="wrong buyer")
    _, third = await create_holder()
    await post_in_transaction(EntryKind.SETTLEMENT, Posting(buyer.id, third.id, right.id, 10))

    with pytest.raises(ConditionsUnmet) as refusal:
        await execute_as(approve_reversal, province, id=proposal)

    holder = await Organisation.get(id=buyer.organisation_id)
    assert f"{holder.name} holds 0.020 of {right.code}" in refusal.value.message.en
    assert "0.030 would have to come back" in refusal.value.message.en
    assert (await Reversal.get(id=proposal)).state == "proposed"
    assert await holdings_of(right, buyer, third) == [20, 10]


async def test_two_officers_who_approve_at_once_reverse_once() -> None:
    right, accounts, entry = await settle_sale()
    centre = await create_officer_of("centre")
    others = [await create_officer_of("province") for _ in range(4)]
    proposal = await execute_as(propose_reversal, centre, entry=entry, reason="wrong buyer")

    outcomes = await asyncio.gather(
        *(execute_as(approve_reversal, officer, id=proposal) for officer in others),
        return_exceptions=True,
    )

    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    refused = {type(outcome) for outcome in outcomes if isinstance(outcome, Exception)}
    assert refused <= {Forbidden, WrongState, ConditionsUnmet}
    assert await holdings_of(right, *accounts) == [100, 0, 0, 0]


async def test_an_entry_has_one_open_proposal_and_after_a_rejection_another() -> None:
    _, _, entry = await settle_sale()
    centre, province = await create_officer_of("centre"), await create_officer_of("province")
    proposal = await execute_as(propose_reversal, centre, entry=entry, reason="wrong buyer")

    with pytest.raises(Duplicate):
        await execute_as(propose_reversal, centre, entry=entry, reason="wrong buyer")
    await execute_as(reject_reversal, province, id=proposal, reason="the buyer is right")
    await execute_as(propose_reversal, centre, entry=entry, reason="it is not")

    assert (await Reversal.get(id=proposal)).decision == "the buyer is right"


async def test_blocking_is_undone_by_its_case_and_a_reversal_not_at_all() -> None:
    _, _, sale = await settle_sale()
    centre, province = await create_officer_of("centre"), await create_officer_of("province")
    proposal = await execute_as(propose_reversal, centre, entry=sale, reason="wrong buyer")
    await execute_as(approve_reversal, province, id=proposal)
    block = await Entry.get(kind="block")
    reversing = await Entry.get(kind="reversal")

    for entry in (block.id, reversing.id, sale):
        with pytest.raises(ConditionsUnmet) as refusal:
            await execute_as(propose_reversal, centre, entry=entry, reason="again")
        assert "entry_reversible" in [c.name for c in refusal.value.conditions if not c.met]


async def test_a_release_is_undone_by_its_case() -> None:
    right, (_, _, blocked, _), _ = await settle_sale()
    centre = await create_officer_of("centre")
    holding = await ensure_account(blocked.organisation_id, AccountKind.HOLDING)  # type: ignore[arg-type]
    await post_in_transaction(EntryKind.BLOCK, Posting(holding.id, blocked.id, right.id, 5))
    release = await post_in_transaction(
        EntryKind.RELEASE, Posting(blocked.id, holding.id, right.id, 5)
    )

    with pytest.raises(ConditionsUnmet) as refusal:
        await execute_as(propose_reversal, centre, entry=release, reason="again")

    assert [c.name for c in refusal.value.conditions if not c.met] == ["entry_reversible"]


async def test_nothing_comes_back_out_of_what_is_frozen() -> None:
    right, (_, buyer, *_), entry = await settle_sale()
    centre, province = await create_officer_of("centre"), await create_officer_of("province")
    proposal = await execute_as(propose_reversal, centre, entry=entry, reason="wrong buyer")
    await execute_as(
        impose_freeze,
        centre,
        organisation=buyer.organisation_id,
        reason="court order",
        source="file 7",
        ends_at=OPENING + HOUR,
    )

    with pytest.raises(Frozen):
        await execute_as(approve_reversal, province, id=proposal)

    assert await holdings_of(right, buyer) == [30]
