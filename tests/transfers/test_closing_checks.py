"""Effects of transfers on closing, verifying and reversing."""

import asyncpg
import pytest

from registry.commands.command import execute_command
from registry.concepts import verify_registry
from registry.db.session import fetch_one
from registry.kernel.errors import ConditionsUnmet
from registry.ledger.operations import approve_reversal, propose_reversal
from registry.transfers.closing_checks import check_no_open_transfers
from registry.transfers.offer import withdraw_transfer
from registry.transfers.records import Certificate
from registry.transfers.rules import State
from schema.framework.global_ids import to_global_id
from tests.support.answers import answer_to
from tests.support.builders import build_viewer
from tests.transfers.builders import FOUNDING_DAY, STOCK_UNITS, SUM, TradingFixture, create_market

VERIFY = "query ($number: String!) { certificate(number: $number) { id revokedAt } }"
STATES = [State.DRAFT, State.OFFERED, State.ELIGIBLE, State.CONTRACTED, State.PAID, State.SETTLED]
TRANSFER_CHECKS = {
    "rights_in_escrow_have_their_case",
    "money_in_escrow_has_its_case",
    "settled_transfers_are_attested",
    "acts_have_their_effect",
    "states_follow_acts",
}


async def offenders() -> dict[str, int]:
    return {
        f.check: len(f.violations)
        for f in await verify_registry()
        if f.check in TRANSFER_CHECKS and not f.is_satisfied
    }


async def test_a_side_of_an_open_case_does_not_close(open_market: asyncpg.Connection) -> None:
    market = await create_market()
    case = await market.case_in(State.OFFERED)

    before = await check_no_open_transfers(market.buyer.id, FOUNDING_DAY)
    await market.execute("seller", withdraw_transfer, case.id, reason="sold elsewhere")
    after = await check_no_open_transfers(market.buyer.id, FOUNDING_DAY)

    assert (before.met, after.met) == (False, True)


async def test_a_draft_binds_its_seller_alone(open_market: asyncpg.Connection) -> None:
    market = await create_market()
    await market.case_in(State.DRAFT)

    found = [
        await check_no_open_transfers(o.id, FOUNDING_DAY) for o in (market.seller, market.buyer)
    ]

    assert [condition.met for condition in found] == [False, True]


async def test_cases_at_every_stage_verify(open_market: asyncpg.Connection) -> None:
    market = await create_market()

    for state in STATES:
        await market.case_in(state)

    assert await offenders() == {}


@pytest.mark.parametrize(
    ("state", "column", "check"),
    [
        (State.OFFERED, "quantity = quantity + 1", "rights_in_escrow_have_their_case"),
        (State.PAID, "sum_fen = sum_fen + 1", "money_in_escrow_has_its_case"),
        (State.SETTLED, "number = 'HB-131000-2022-99999'", "settled_transfers_are_attested"),
        (State.ACCEPTED, "state = 'eligible'", "states_follow_acts"),
    ],
)
async def test_a_forged_case_does_not_verify(
    open_market: asyncpg.Connection, state: State, column: str, check: str
) -> None:
    market = await create_market()
    case = await market.case_in(state)

    await open_market.execute("ALTER TABLE transfer DISABLE TRIGGER transfer_terms_kept")
    await open_market.execute(f"UPDATE transfer SET {column} WHERE id = $1", case.id)

    assert check in await offenders()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM certificate",
        "UPDATE certificate SET entry_id = (SELECT id FROM entry WHERE kind = 'block')",
        "UPDATE audit_entry SET object_id = person_id WHERE verb = 'settle'",
    ],
)
async def test_a_settled_case_without_its_proof_is_named(
    open_market: asyncpg.Connection, sql: str
) -> None:
    market = await create_market()
    case = await market.case_in(State.SETTLED)

    await open_market.execute("ALTER TABLE certificate DISABLE TRIGGER USER")
    await open_market.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    await open_market.execute(sql)

    found = {finding.check: finding.violations for finding in await verify_registry()}
    assert [row["transfer_id"] for row in found["settled_transfers_are_attested"]] == [case.id]


async def test_a_posting_verb_whose_entry_is_gone_is_named(open_market: asyncpg.Connection) -> None:
    market = await create_market()
    case = await market.case_in(State.OFFERED)

    await open_market.execute("ALTER TABLE entry DISABLE TRIGGER USER")
    await open_market.execute(
        "UPDATE entry SET audit_entry_id = (SELECT id FROM audit_entry WHERE verb = 'draft')"
        " WHERE kind = 'block'"
    )

    found = {finding.check: finding.violations for finding in await verify_registry()}
    offered = "SELECT id FROM audit_entry WHERE verb = 'offer' AND object_id = $1"
    assert [row["audit_entry_id"] for row in found["acts_have_their_effect"]] == [
        await open_market.fetchval(offered, case.id)
    ]


async def reversed_settlement(market: TradingFixture) -> Certificate:
    case = await market.case_in(State.SETTLED)
    certificate = await Certificate.get(transfer_id=case.id)
    args = {"entry": certificate.entry_id, "reason": "wrong buyer"}
    proposal = await execute_command(propose_reversal, market.people["centre"], args, key="propose")
    id = {"id": proposal.record.pk}
    await execute_command(approve_reversal, market.people["province"], id, key="approve")
    return certificate


async def revoked_at(certificate: Certificate) -> object:
    """The moment at which a certificate lost its effect, as the public verifies it."""
    viewer = build_viewer("public")
    found = (await answer_to(viewer, VERIFY, number=certificate.number))["certificate"]
    assert found["id"] == to_global_id("Certificate", certificate.id)
    return found["revokedAt"]


async def test_a_reversed_settlement_voids_its_certificate(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()

    certificate = await reversed_settlement(market)

    assert await revoked_at(certificate) is not None
    assert await market.rights() == {"seller holding": STOCK_UNITS}
    assert await market.money() == {"buyer holding": SUM}
    assert await offenders() == {}


async def test_what_was_sold_on_is_not_reversed(open_market: asyncpg.Connection) -> None:
    market = await create_market()
    case = await market.case_in(State.SETTLED)
    entry = (await Certificate.get(transfer_id=case.id)).entry_id
    await open_market.execute(
        "UPDATE balance SET quantity = 0 WHERE instrument_id = $1 AND account_id IN"
        " (SELECT id FROM account WHERE organisation_id = $2)",
        market.right.id,
        market.buyer.id,
    )

    with pytest.raises(ConditionsUnmet):
        args = {"entry": entry, "reason": "wrong buyer"}
        await execute_command(propose_reversal, market.people["centre"], args, key="propose")

    assert await revoked_at(await Certificate.get(entry_id=entry)) is None


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE transfer SET price_fen = 1",
        "UPDATE transfer SET buyer_id = seller_id",
        "DELETE FROM transfer",
        "UPDATE eligibility_finding SET met = false",
        "UPDATE certificate SET quantity = 1",
        "DELETE FROM certificate",
    ],
)
async def test_the_database_keeps_what_was_agreed_and_attested(
    open_market: asyncpg.Connection, sql: str
) -> None:
    market = await create_market()
    await market.case_in(State.SETTLED)

    with pytest.raises(asyncpg.PostgresError) as refusal:
        await open_market.execute(sql)

    assert refusal.value.sqlstate == "BD009"
    assert await fetch_one("SELECT count(*) FROM certificate") == {"count": 1}
