"""A decision and its conditions read; only what was decided writes."""

import re
from typing import Any

import pytest

from registry.commands.operation import Operation
from registry.kernel.errors import ConditionsUnmet, Refused
from registry.ledger.operations import open_holding, open_reserve
from registry.ledger.records import Account
from registry.transfers.offer import draft_transfer
from tests.reading.wire import Wire
from tests.support.builders import create_officer_of, create_organisation, perform
from tests.transfers.builders import create_market

WRITES = re.compile(r"^\s*(WITH (value|saved)_0|INSERT|UPDATE|DELETE)|post_entry\(")
KEY = re.compile(r"^\s*INSERT INTO idempotency_key")

STOCK: dict[str, Any] = {"pollutant": "SO2", "quantity": "1.000", "source": "a test"}


def writes(wire: Wire) -> list[str]:
    """The statements that write, other than the binding of the key, which is rolled back."""
    return [sql for sql in wire.executed if WRITES.search(sql) and not KEY.search(sql)]


@pytest.mark.parametrize("operation", [open_reserve, open_holding])
@pytest.mark.parametrize("who", ["city", "province"])
async def test_a_refused_opening_opens_no_account(
    wire: Wire, operation: Operation[Account], who: str
) -> None:
    officer = await create_officer_of(who)
    county = await create_organisation("county")  # Keeps neither kind of account.
    opening: dict[str, Any] = {"acquisition": "PAID"} if operation is open_holding else {}
    wire.reset()

    with pytest.raises(Refused):
        await perform(operation, officer, organisation=county.id, **STOCK, **opening)

    assert writes(wire) == []


async def test_a_seller_without_an_account_is_refused_without_one(wire: Wire) -> None:
    market = await create_market()
    wire.reset()

    with pytest.raises(ConditionsUnmet) as refusal:
        await market.execute("buyer", draft_transfer, **market.terms(buyer=market.seller.id))

    assert [c.name for c in refusal.value.conditions if not c.met] == ["rights_free"]
    assert writes(wire) == []
    assert await Account.filter(organisation_id=market.buyer.id).count() == 0
