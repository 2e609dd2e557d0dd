"""Each check finds what the owner corrupted behind the application's back."""

from uuid import uuid4

import asyncpg
import pytest

from registry.access.principals import SYSTEM_PRINCIPAL
from registry.commands.command import execute_command
from registry.commands.concept import Concept, InvariantCheck
from registry.concepts import CONCEPTS, verify_registry
from registry.ledger.invariants import LEDGER_INVARIANTS
from registry.ledger.operations import impose_freeze
from registry.ledger.records import Account, Freeze
from registry.ledger.rules import (
    ISSUANCE_ACCOUNT,
    MONEY_INSTRUMENT,
    OUTSIDE_ACCOUNT,
    EntryKind,
    Posting,
)
from registry.ledger.verification import all_checks, freeze_offenders
from tests.ledger.ledger_builders import (
    HOUR,
    OPENING,
    create_holder,
    create_right,
    give_stock,
    post_in_transaction,
)
from tests.support.builders import install_rules

pytestmark = pytest.mark.usefixtures("database")


async def build_ledger() -> tuple[Account, Account]:
    """Rights opened, moved and moved back, money paid in and out."""
    right = await create_right()
    (_, seller), (_, buyer) = await create_holder(city="131000"), await create_holder(city="131000")
    await give_stock(seller, right, 1000)
    sale = await post_in_transaction(
        EntryKind.SETTLEMENT, Posting(seller.id, buyer.id, right.id, 300), at=OPENING + HOUR
    )
    await post_in_transaction(
        EntryKind.REVERSAL,
        Posting(buyer.id, seller.id, right.id, 300),
        reverses=sale,
        at=OPENING + 2 * HOUR,
    )
    await post_in_transaction(
        EntryKind.SETTLEMENT, Posting(seller.id, buyer.id, right.id, 400), at=OPENING + 3 * HOUR
    )
    await post_in_transaction(
        EntryKind.PAYMENT,
        Posting(OUTSIDE_ACCOUNT, buyer.id, MONEY_INSTRUMENT, 50),
        reference="BANK-0001",
    )
    await post_in_transaction(
        EntryKind.PAYOUT,
        Posting(buyer.id, OUTSIDE_ACCOUNT, MONEY_INSTRUMENT, 20),
        reference="BANK-0002",
    )
    return seller, buyer


async def violations() -> set[str]:
    return {finding.check for finding in await verify_registry() if not finding.is_satisfied}


async def test_a_ledger_kept_by_post_entry_is_sound() -> None:
    await build_ledger()

    assert await violations() == set()


_SETTLED = "(SELECT id FROM entry WHERE kind = 'settlement' ORDER BY recorded_at LIMIT 1)"
_LAST = "(SELECT id FROM entry WHERE kind = 'settlement' ORDER BY recorded_at DESC LIMIT 1)"
_ANYBODY = "(SELECT id FROM account WHERE kind = 'holding' ORDER BY id LIMIT 1)"

CORRUPTIONS = {
    "sums_are_zero": "UPDATE balance SET quantity = quantity + 1 WHERE NOT issuer",
    "no_holder_below_zero": "ALTER TABLE balance DROP CONSTRAINT balance_not_negative;"
    " UPDATE balance SET quantity = -5 WHERE NOT issuer",
    "balances_equal_replay": "UPDATE balance SET quantity = quantity + CASE WHEN issuer THEN -1"
    f" ELSE 1 END WHERE issuer OR account_id = {_ANYBODY}",
    "running_balances_follow": f"UPDATE posting SET target_balance = 1 WHERE entry_id = {_SETTLED}",
    "sequences_have_no_gap": f"UPDATE posting SET source_sequence = 99 WHERE entry_id = {_LAST}",
    "recorded_time_never_runs_back": "UPDATE posting SET recorded_at = '2000-01-01'"
    f" WHERE entry_id = {_LAST}",
    "entries_are_whole": f"DELETE FROM posting WHERE entry_id = {_SETTLED}",
    "entries_have_their_act": f"UPDATE entry SET audit_entry_id = '{uuid4()}' WHERE id = {_LAST}",
    "acts_have_their_rule": "UPDATE audit_entry SET rule = 'X-99'",
    "reversals_undo": f"UPDATE posting SET quantity = 299 WHERE entry_id = {_SETTLED}",
    "borders_are_kept": "UPDATE entry SET kind = 'block' WHERE kind IN ('opening', 'payment')",
    "money_has_its_bank_reference": "DELETE FROM bank_reference WHERE reference = 'BANK-0002'",
    "caps_hold": "INSERT INTO city_cap VALUES ('131000', 'SO2', '2022-01-01', 999, 'a test', true)",
    "accounts_fit_their_holder": "ALTER TABLE account DISABLE TRIGGER USER;"
    f" UPDATE account SET kind = 'reserve' WHERE id = {_ANYBODY}",
    "acts_have_their_effect": "UPDATE audit_entry SET verb = 'pay_out';"
    f" DELETE FROM posting WHERE entry_id = {_LAST}; DELETE FROM entry WHERE id = {_LAST}",
}


async def corrupt(owner: asyncpg.Connection, sql: str) -> None:
    """Write past every trigger and foreign key, as only a superuser can."""
    superuser = await owner.fetchval("SELECT usesuper FROM pg_user WHERE usename = current_user")
    if superuser:
        await owner.execute(f"SET session_replication_role = replica; {sql}")
    else:
        await owner.execute(f"{_UNGUARDED} {sql}")


# The owner is no superuser: first drop the triggers and foreign keys.
_UNGUARDED = """
DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
        WHERE contype = 'f' AND conrelid::regclass::text IN
            ('entry', 'posting', 'audit_entry', 'bank_reference', 'balance', 'idempotency_key')
    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP;
END $$;
ALTER TABLE entry DISABLE TRIGGER USER;
ALTER TABLE posting DISABLE TRIGGER USER;
ALTER TABLE audit_entry DISABLE TRIGGER USER;
"""


@pytest.mark.parametrize("check", CORRUPTIONS)
async def test_a_corruption_behind_the_application_is_found(
    owner: asyncpg.Connection, check: str
) -> None:
    await build_ledger()

    await corrupt(owner, CORRUPTIONS[check])

    assert check in await violations()


_AUDIT_ENTRY_OF_LAST = f"(SELECT audit_entry_id FROM entry WHERE id = {_LAST})"
_OPENED = "(SELECT id FROM entry WHERE kind = 'opening')"
_PAID = "(SELECT id FROM entry WHERE kind = 'payment')"

# The other ways to offend against the same checks: the check, the forgery, and which column of the
# offence names what.
FORGERIES = {
    "a unit that came from nowhere": (
        "sums_are_zero",
        f"UPDATE balance SET quantity = quantity + 1 WHERE account_id = {_ANYBODY}",
        ("code", "(SELECT code FROM instrument WHERE class = 'right')"),
    ),
    "a line below zero": (
        "no_holder_below_zero",
        f"UPDATE posting SET source_balance = -1 WHERE entry_id = {_LAST}",
        ("entry_id", _LAST),
    ),
    "a holder marked as an issuer": (
        "no_holder_below_zero",
        f"UPDATE balance SET issuer = true WHERE account_id = {_ANYBODY}",
        ("account_id", _ANYBODY),
    ),
    "a balance that is gone": (
        "balances_equal_replay",
        f"DELETE FROM balance WHERE account_id = {_ANYBODY}",
        ("account_id", _ANYBODY),
    ),
    "a balance from nowhere": (
        "balances_equal_replay",
        (
            "INSERT INTO balance SELECT account_id, gen_random_uuid(), 5, issuer, 0, recorded_at"
            f" FROM balance WHERE account_id = {_ANYBODY} LIMIT 1"
        ),
        ("account_id", _ANYBODY),
    ),
    "a balance that counts another number of lines": (
        "balances_equal_replay",
        f"UPDATE balance SET sequence = sequence + 1 WHERE account_id = {_ANYBODY}",
        ("account_id", _ANYBODY),
    ),
    "a balance known at another time": (
        "balances_equal_replay",
        f"UPDATE balance SET recorded_at = recorded_at + '1 day' WHERE account_id = {_ANYBODY}",
        ("account_id", _ANYBODY),
    ),
    "a line of another quantity": (
        "balances_equal_replay",
        f"UPDATE posting SET quantity = quantity - 1 WHERE entry_id = {_OPENED}",
        ("account_id", f"(SELECT target FROM posting WHERE entry_id = {_OPENED})"),
    ),
    "the giver's running balance": (
        "running_balances_follow",
        f"UPDATE posting SET source_balance = 7 WHERE entry_id = {_LAST}",
        ("entry_id", _LAST),
    ),
    "the receiver's place in the sequence": (
        "sequences_have_no_gap",
        f"UPDATE posting SET target_sequence = 99 WHERE entry_id = {_LAST}",
        ("entry_id", _LAST),
    ),
    "a line known before the one it follows": (
        "recorded_time_never_runs_back",
        f"UPDATE posting SET recorded_at = '2000-01-01' WHERE entry_id = {_LAST}",
        ("entry_id", _LAST),
    ),
    "a line numbered from two": (
        "entries_are_whole",
        f"UPDATE posting SET line = 2 WHERE entry_id = {_LAST}",
        ("entry_id", _LAST),
    ),
    "a line that took effect at another time": (
        "entries_are_whole",
        (
            f"UPDATE posting SET effective_at = effective_at - '1 day'::interval"
            f" WHERE entry_id = {_LAST}"
        ),
        ("entry_id", _LAST),
    ),
    "lines without their entry": (
        "entries_are_whole",
        f"DELETE FROM entry WHERE id = {_OPENED}",
        ("entry_id", "(SELECT entry_id FROM posting WHERE entry_id NOT IN (SELECT id FROM entry))"),
    ),
    "an act that is gone": (
        "entries_have_their_act",
        f"DELETE FROM audit_entry WHERE id = {_AUDIT_ENTRY_OF_LAST}",
        ("entry_id", _LAST),
    ),
    "an act under a rule that forbids": (
        "acts_have_their_rule",
        f"UPDATE audit_entry SET rule = 'N-01' WHERE id = {_AUDIT_ENTRY_OF_LAST}",
        ("audit_entry_id", _AUDIT_ENTRY_OF_LAST),
    ),
    "an act under an edition that never was": (
        "acts_have_their_rule",
        f"UPDATE audit_entry SET edition = 99 WHERE id = {_AUDIT_ENTRY_OF_LAST}",
        ("audit_entry_id", _AUDIT_ENTRY_OF_LAST),
    ),
    "a reversal that gave to somebody else": (
        "reversals_undo",
        (
            "UPDATE posting SET target = '00000000-0000-4000-8000-000000000002'"
            " WHERE entry_id = (SELECT id FROM entry WHERE kind = 'reversal')"
        ),
        ("entry_id", "(SELECT id FROM entry WHERE kind = 'reversal')"),
    ),
    "money out of issuance": (
        "borders_are_kept",
        f"UPDATE posting SET instrument = '{MONEY_INSTRUMENT}' WHERE entry_id = {_OPENED}",
        ("entry_id", _OPENED),
    ),
    "rights that end in a settlement": (
        "borders_are_kept",
        f"UPDATE posting SET target = '{ISSUANCE_ACCOUNT}' WHERE entry_id = {_LAST}",
        ("entry_id", _LAST),
    ),
    "money that left by a settlement": (
        "borders_are_kept",
        "UPDATE entry SET kind = 'settlement' WHERE kind = 'payout'",
        ("entry_id", "(SELECT entry_id FROM bank_reference WHERE reference = 'BANK-0002')"),
    ),
    "from one issuer to the other": (
        "borders_are_kept",
        f"UPDATE posting SET target = '{ISSUANCE_ACCOUNT}' WHERE entry_id = {_PAID}",
        ("entry_id", _PAID),
    ),
    "a settlement with a bank reference": (
        "money_has_its_bank_reference",
        f"INSERT INTO bank_reference SELECT {_LAST}, 'BANK-0003'",
        ("entry_id", _LAST),
    ),
    "a reference given back for nothing": (
        "money_has_its_bank_reference",
        f"UPDATE bank_reference SET released_by = {_LAST} WHERE entry_id = {_PAID}",
        ("entry_id", _PAID),
    ),
    "an enterprise's account in an authority's name": (
        "accounts_fit_their_holder",
        (
            "ALTER TABLE organisation DISABLE TRIGGER USER;"
            " UPDATE organisation SET kind = 'city' WHERE id ="
            f" (SELECT organisation_id FROM account WHERE id = {_ANYBODY})"
        ),
        ("account_id", _ANYBODY),
    ),
    "a cap below what the city holds": (
        "caps_hold",
        "INSERT INTO city_cap VALUES ('131000', 'SO2', '2022-01-01', 999, 'a test', true)",
        ("city", "'131000'"),
    ),
    "an opening act whose entry is another's": (
        "acts_have_their_effect",
        (
            f"UPDATE audit_entry SET verb = 'open_holding' WHERE id = {_AUDIT_ENTRY_OF_LAST};"
            f" UPDATE entry SET audit_entry_id ="
            f" (SELECT audit_entry_id FROM entry WHERE id = {_OPENED})"
            f" WHERE id = {_LAST}"
        ),
        ("audit_entry_id", "(SELECT id FROM audit_entry WHERE verb = 'open_holding')"),
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_what_offends_is_named(owner: asyncpg.Connection, forgery: str) -> None:
    check, sql, (column, who) = FORGERIES[forgery]
    await build_ledger()

    await corrupt(owner, sql)

    named = next(finding for finding in await verify_registry() if finding.check == check)
    assert await owner.fetchval(f"SELECT {who}") in {row[column] for row in named.violations}


async def test_a_freeze_lifted_by_hand_is_found(owner: asyncpg.Connection) -> None:
    await install_rules(owner)
    seller, _ = await build_ledger()
    order = {"account": seller.id, "reason": "a court", "source": "file 7"}
    freeze = (await execute_command(impose_freeze, SYSTEM_PRINCIPAL, order, key="freeze")).record

    await owner.execute("UPDATE freeze_order SET state = 'lifted', lifted_at = starts_at")

    named = next(found for found in await verify_registry() if found.check == "states_follow_acts")
    assert [(row["kind"], row["object_id"]) for row in named.violations] == [("Freeze", freeze.id)]


def test_every_check_of_the_ledger_has_a_corruption_that_it_finds() -> None:
    assert {check.name for check in LEDGER_INVARIANTS} <= set(CORRUPTIONS)


def test_verify_checks_what_each_concept_declares() -> None:
    check = InvariantCheck("a_test", LEDGER_INVARIANTS[0].claim, "SELECT 1 AS one WHERE false")

    assert check in all_checks((*CONCEPTS, Concept("test", invariants=(check,))))
    assert check not in all_checks(CONCEPTS)


async def test_just_the_accounts_named_are_blocked(owner: asyncpg.Connection) -> None:
    await install_rules(owner)
    seller, _ = await build_ledger()
    await corrupt(
        owner, f"UPDATE balance SET quantity = quantity + 1 WHERE account_id = '{seller.id}'"
    )
    findings = await verify_registry()

    blocked = await freeze_offenders(findings)
    again = await freeze_offenders(findings)

    assert (blocked, again) == ((seller.id,), ())
    freeze = await Freeze.get()
    assert (freeze.account_id, freeze.target) == (seller.id, "account")
    assert "balances_equal_replay" in freeze.reason
