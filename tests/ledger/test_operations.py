"""The verbs of the ledger, through the frame."""

import asyncio
from datetime import date
from uuid import UUID, uuid4

import asyncpg
import pytest

from registry.access.authorizer import authorizer
from registry.commands.command import execute_command
from registry.concepts import verify_registry
from registry.kernel.errors import (
    ConditionsUnmet,
    Duplicate,
    Forbidden,
    Frozen,
    Insufficient,
    Malformed,
    NotFound,
    NotInForce,
)
from registry.ledger.facts import ACCOUNT
from registry.ledger.journal import ensure_account
from registry.ledger.operations import (
    impose_freeze,
    lift_freeze,
    open_holding,
    open_reserve,
    record_payout,
)
from registry.ledger.records import Account, Entry, Freeze, Instrument
from registry.ledger.rules import MONEY_INSTRUMENT, OUTSIDE_ACCOUNT, AccountKind, EntryKind, Posting
from registry.parties.records import Organisation
from tests.ledger.balances import available_quantity
from tests.ledger.ledger_builders import (
    OPENING,
    create_holder,
    execute_as,
    post_in_transaction,
)
from tests.support.builders import (
    count_audit_entries,
    create_officer_of,
    create_organisation,
    install_rules,
    principal_of,
    stop_clock,
    viewer_of,
)

STOCK = {"pollutant": "SO2", "quantity": "356.418", "source": "a test", "demo": True}


@pytest.fixture(autouse=True)
async def founding_day(database: object, owner: asyncpg.Connection) -> None:
    await install_rules(owner)
    await stop_clock(owner, OPENING)


@pytest.mark.parametrize(
    ("kind", "province", "centre"),
    [
        (AccountKind.HOLDING, {"open_holding"}, {"pay_out"}),
        (AccountKind.RESERVE, {"open_reserve"}, set()),
        (AccountKind.ESCROW, set(), set()),
    ],
)
async def test_only_verbs_that_can_succeed_are_offered_on_an_account(
    kind: AccountKind, province: set[str], centre: set[str]
) -> None:
    account = await ensure_account((await create_holder())[0].id, kind)
    offered = {
        role: set(
            authorizer.available_verbs(viewer_of(await create_officer_of(role)), ACCOUNT, account)
        )
        for role in ("province", "centre")
    }

    assert offered == {"province": province, "centre": centre}


async def open_stock(organisation: Organisation, **changed: object) -> UUID:
    province = await create_officer_of("province")
    args = STOCK | {"organisation": organisation.id, "acquisition": "PAID"} | changed
    return await execute_as(open_holding, province, **args)


async def find_right() -> Instrument:
    return await Instrument.get(class_="right")


async def test_an_opening_holding_is_what_the_province_entered() -> None:
    enterprise = await create_organisation(city="131000")

    account = await open_stock(enterprise, valid_from=date(2022, 6, 7))

    right = await find_right()
    assert right.code == "SO2-131000-PAID-20220607-20270606-DEMO"
    assert await available_quantity(account, right.id) == 356_418
    entry = await Entry.get()
    assert (entry.kind, entry.source, entry.demo) == ("opening", "a test", True)
    assert [finding.check for finding in await verify_registry() if not finding.is_satisfied] == []


async def test_the_reserve_is_opened_for_province_and_city_alone() -> None:
    officer = await create_officer_of("province")
    city = await create_organisation("city", city="131000")
    enterprise = await create_organisation()

    account = await execute_as(open_reserve, officer, organisation=city.id, **STOCK)
    with pytest.raises(ConditionsUnmet) as refusal:
        await execute_as(open_reserve, officer, organisation=enterprise.id, **STOCK)

    right = await find_right()
    assert right.code == "SO2-131000-PAID-OPEN-DEMO"
    assert await available_quantity(account, right.id) == 356_418
    assert [c.name for c in refusal.value.conditions if not c.met] == ["may_hold_stock"]


@pytest.mark.parametrize("kind", ["centre", "city", "enterprise"])
async def test_only_the_province_opens_stocks(kind: str) -> None:
    officer = await create_officer_of(kind)
    enterprise = await create_organisation()

    with pytest.raises(Forbidden):
        await execute_as(
            open_holding, officer, organisation=enterprise.id, acquisition="PAID", **STOCK
        )

    assert await Account.filter(organisation_id=enterprise.id).count() == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", "0"),
        ("quantity", "0.0001"),
        ("quantity", "-1"),
        ("source", " "),
        ("source", "x" * 501),
        ("origin", "999999"),
        ("basin", "hai"),
        ("acquisition", "GIFT"),
        ("valid_until", date(2022, 6, 6)),
    ],
)
async def test_an_opening_that_is_wrong_in_itself_changes_nothing(
    field: str, value: object
) -> None:
    enterprise = await create_organisation()

    with pytest.raises((Malformed, NotInForce)):
        await open_stock(enterprise, valid_from=date(2022, 6, 7), **{field: value})

    assert await Entry.all().count() == await count_audit_entries() == 0


@pytest.mark.parametrize(
    ("pollutant", "condition"), [("PM", "pollutant_enabled"), ("NONE", "pollutant_enabled")]
)
async def test_a_pollutant_that_is_not_traded_is_not_opened(pollutant: str, condition: str) -> None:
    enterprise = await create_organisation()

    with pytest.raises(ConditionsUnmet) as refusal:
        await open_stock(enterprise, pollutant=pollutant)

    assert condition in [c.name for c in refusal.value.conditions if not c.met]


async def test_an_opening_for_nobody_is_not_found() -> None:
    officer = await create_officer_of("province")

    with pytest.raises(NotFound):
        await execute_as(open_reserve, officer, organisation=uuid4(), **STOCK)


async def test_a_preview_shows_the_movement_and_leaves_nothing() -> None:
    officer = await create_officer_of("province")
    enterprise = await create_organisation()
    args = STOCK | {"organisation": enterprise.id, "acquisition": "PAID"}

    outcome = await execute_command(
        open_holding, await principal_of(officer), args, key="a preview", preview=True
    )

    assert outcome.preview is not None
    assert [movement.quantity for movement in outcome.preview.postings] == [356_418]
    assert (
        await Entry.all().count()
        == await count_audit_entries()
        == await Instrument.exclude(id=MONEY_INSTRUMENT).count()
        == 0
    )


async def create_with_money(fen: int) -> Account:
    _, account = await create_holder()
    await post_in_transaction(
        EntryKind.PAYMENT,
        Posting(OUTSIDE_ACCOUNT, account.id, MONEY_INSTRUMENT, fen),
        reference="IN-0001",
    )
    return account


async def test_money_is_paid_out_once_for_each_bank_reference() -> None:
    centre, account = await create_officer_of("centre"), await create_with_money(1000)

    await execute_as(record_payout, centre, id=account.id, money=400, reference="out-0001")
    with pytest.raises(Duplicate):
        await execute_as(record_payout, centre, id=account.id, money=400, reference="OUT-0001")
    with pytest.raises(Insufficient) as refusal:
        await execute_as(record_payout, centre, id=account.id, money=601, reference="OUT-0002")

    assert await available_quantity(account.id, MONEY_INSTRUMENT) == 600
    assert "6.00 yuan" in refusal.value.message.en
    assert refusal.value.field == "money"
    with pytest.raises(Malformed) as nothing:
        await execute_as(record_payout, centre, id=account.id, money=0, reference="OUT-0003")
    assert nothing.value.field == "money"


async def test_money_in_escrow_is_not_paid_out() -> None:
    centre, account = await create_officer_of("centre"), await create_with_money(1000)
    escrow = await ensure_account(account.organisation_id, AccountKind.ESCROW)  # type: ignore[arg-type]
    await post_in_transaction(
        EntryKind.BLOCK, Posting(account.id, escrow.id, MONEY_INSTRUMENT, 1000)
    )

    with pytest.raises(Forbidden, match="no holding account"):
        await execute_as(record_payout, centre, id=escrow.id, money=1, reference="OUT-0001")


async def test_a_freeze_holds_until_it_is_lifted() -> None:
    centre, account = await create_officer_of("centre"), await create_with_money(1000)
    freeze = await execute_as(
        impose_freeze, centre, account=account.id, reason="court order", source="file 7"
    )

    with pytest.raises(Frozen):
        await execute_as(record_payout, centre, id=account.id, money=1, reference="OUT-0001")
    await execute_as(lift_freeze, centre, id=freeze, reason="order withdrawn")
    await execute_as(record_payout, centre, id=account.id, money=1, reference="OUT-0001")
    with pytest.raises(Forbidden):
        await execute_as(lift_freeze, centre, id=freeze, reason="again")

    record = await Freeze.get(id=freeze)
    assert (record.state, record.lifted_reason) == ("lifted", "order withdrawn")


async def test_a_freeze_waits_for_business_under_way_and_business_for_it() -> None:
    centre, account = await create_officer_of("centre"), await create_with_money(1000)
    order = {"account": account.id, "reason": "court order", "source": "file 7"}

    outcomes = await asyncio.gather(
        execute_as(impose_freeze, centre, **order),
        *(
            execute_as(record_payout, centre, id=account.id, money=1, reference=f"OUT-{n:04}")
            for n in range(8)
        ),
        return_exceptions=True,
    )

    freeze = await Freeze.get()
    paid = [outcome for outcome in outcomes[1:] if isinstance(outcome, UUID)]
    assert {type(outcome) for outcome in outcomes[1:]} <= {UUID, Frozen}
    assert await available_quantity(account.id, MONEY_INSTRUMENT) == 1000 - len(paid)
    assert freeze.state == "in_force"
    with pytest.raises(Frozen):
        await execute_as(record_payout, centre, id=account.id, money=1, reference="OUT-9999")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"organisation": True, "account": True},
        {"organisation": True, "instrument": True},
        {"account": True, "reason": ""},
        {"account": True, "source": "x" * 501},
        {"account": True, "ends_at": OPENING},
    ],
)
async def test_an_order_that_names_no_one_thing_freezes_nothing(
    changed: dict[str, object],
) -> None:
    centre, account = await create_officer_of("centre"), await create_with_money(1000)
    ids = {
        "organisation": account.organisation_id,
        "account": account.id,
        "instrument": MONEY_INSTRUMENT,
    }
    order = {"reason": "court order", "source": "file 7"} | {
        name: ids.get(name, value) for name, value in changed.items()
    }

    with pytest.raises(Malformed):
        await execute_as(impose_freeze, centre, **order)

    assert await Freeze.all().count() == 0
