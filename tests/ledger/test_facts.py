"""Both faces of every fact say the same of every row, for every viewer."""

from uuid import uuid4

import asyncpg
import pytest

from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.db.named_params import to_positional
from registry.db.session import fetch_all
from registry.ledger.facts import ACCOUNT, FREEZE, REVERSAL
from registry.ledger.journal import ensure_account
from registry.ledger.records import Account, Freeze, Reversal
from registry.ledger.rules import AccountKind, EntryKind, Posting
from tests.ledger.ledger_builders import (
    OPENING,
    create_holder,
    create_right,
    give_stock,
    post_in_transaction,
)
from tests.support.builders import (
    LANGFANG,
    LONG_AGO,
    TANGSHAN,
    build_viewer,
    create_officer,
    create_officer_of,
    viewer_of,
)

pytestmark = pytest.mark.usefixtures("database")


async def some_rows() -> list[Viewer]:
    """Accounts, freezes and reversals in two cities and a county, with those who may stand near."""
    right = await create_right()
    one, held = await create_holder(city=LANGFANG, county="131022")
    other, received = await create_holder(city=TANGSHAN)
    officers = [
        await create_officer(one),
        await create_officer(other),
        await create_officer_of("centre"),
    ]
    await give_stock(held, right, 10)
    sale = await post_in_transaction(
        EntryKind.SETTLEMENT, Posting(held.id, received.id, right.id, 1)
    )
    for officer, holder, state in zip(
        officers, (one, other, one), (True, False, True), strict=True
    ):
        await Freeze.create(
            id=uuid4(),
            target="organisation",
            organisation_id=holder.id,
            reason="a court",
            source="file 7",
            starts_at=OPENING,
            state="in_force" if state else "lifted",
            lifted_at=None if state else OPENING,
            city="",
            county="",
            submitted_by=officer.person_id,
            submitting_organisation=officer.organisation_id,
            changed_at=LONG_AGO,
        )
    for officer, parties in zip(officers, ([one.id], [one.id, other.id], []), strict=True):
        await Reversal.create(
            id=uuid4(),
            entry_id=sale,
            state="rejected" if parties else "proposed",
            reason="wrong",
            parties=parties,
            submitted_by=officer.person_id,
            submitting_organisation=officer.organisation_id,
            signatories=[officer.person_id] if parties else [],
            changed_at=LONG_AGO,
        )
    return [
        *(viewer_of(officer) for officer in officers),
        build_viewer("city", division=LANGFANG),
        build_viewer("county", division="131022"),
        build_viewer("public"),
    ]


@pytest.mark.parametrize("kind", [ACCOUNT, FREEZE, REVERSAL], ids=lambda kind: kind.name)
async def test_a_fact_has_one_meaning(owner: asyncpg.Connection, kind: Kind) -> None:
    viewers = await some_rows()
    for account_kind in (AccountKind.ESCROW, AccountKind.RESERVE):
        await ensure_account(viewers[0].organisation, account_kind)
    records = await kind.record.all()
    table = {"Account": "account", "Freeze": "freeze_order", "Reversal": "reversal"}[kind.name]
    assert records

    for name, fact in kind.facts.items():
        seen = set()
        for viewer in viewers:
            where = fact.where.replace("{t}", "t")
            sql, values = to_positional(
                f"SELECT id, {where} AS face FROM {table} t", viewer.bind_values()
            )
            faces = {found["id"]: found["face"] for found in await fetch_all(sql, *values)}
            checks = {record.pk: fact.check(viewer, record) for record in records}
            assert faces == checks, name
            seen |= set(checks.values())
        assert seen == {True, False}, f"{name} was not tried both ways"


async def test_what_belongs_to_nobody_is_nobodys_own() -> None:
    nobody = build_viewer("public")
    issuance = await Account.get(kind="issuance")

    assert not ACCOUNT.facts["own"].check(nobody, issuance)
    assert not ACCOUNT.facts["inside"].check(nobody, issuance)
