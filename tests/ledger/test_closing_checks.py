"""An organisation with rights or money does not close; reserves are public."""

import asyncpg
import pytest

from registry.kernel.errors import ConditionsUnmet
from registry.ledger.journal import ensure_account
from registry.ledger.operations import open_reserve
from registry.ledger.rules import AccountKind
from registry.parties.operations import close_organisation
from schema.framework.global_ids import to_global_id
from tests.ledger.ledger_builders import create_right, give_stock
from tests.support.answers import answer_to
from tests.support.builders import (
    build_viewer,
    create_officer_of,
    create_organisation,
    install_rules,
    perform,
)
from tests.support.cluster import Database

RESERVE_TOTALS = "{ reserveTotals { organisation { id } quantity } }"


@pytest.fixture(autouse=True)
async def _rules(database: Database, owner: asyncpg.Connection) -> None:
    """The shipped rules are in force."""
    await install_rules(owner)


async def test_an_organisation_that_holds_rights_does_not_close() -> None:
    province = await create_officer_of("province")
    holder = await create_organisation()
    account, right = await ensure_account(holder.id, AccountKind.HOLDING), await create_right()
    await give_stock(account, right, 1_500)

    with pytest.raises(ConditionsUnmet) as refused:
        await perform(close_organisation, province, id=holder.id)

    unmet = [condition for condition in refused.value.conditions if not condition.met]
    assert [condition.name for condition in unmet] == ["nothing_held"]
    assert f"{right.code} 1.500 t" in unmet[0].message.en


async def test_an_organisation_that_holds_nothing_closes() -> None:
    province = await create_officer_of("province")
    holder = await create_organisation()
    await ensure_account(holder.id, AccountKind.HOLDING)

    done = await perform(close_organisation, province, id=holder.id)

    assert done.record.state == "closed"


async def test_the_reserve_is_added_up_from_what_was_opened() -> None:
    province = await create_officer_of("province")
    body = province.organisation_id
    for quantity in ("26000", "0.500"):
        await perform(
            open_reserve,
            province,
            organisation=body,
            pollutant="SO2",
            source="a newspaper",
            quantity=quantity,
        )

    answer = await answer_to(build_viewer("public"), RESERVE_TOTALS)
    assert answer == {
        "reserveTotals": [
            {"organisation": {"id": to_global_id("Organisation", body)}, "quantity": "26000.500"}
        ]
    }
