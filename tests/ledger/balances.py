"""Balances as the database gives them, for tests to compare."""

from datetime import datetime
from uuid import UUID

from registry.db.session import fetch_one


async def available_quantity(account: UUID, instrument: UUID) -> int:
    """The balance now, in base units or fen; of a holding account, the quantity on offer."""
    found = await fetch_one(
        "SELECT quantity FROM balance WHERE account_id = $1 AND instrument_id = $2",
        account,
        instrument,
    )
    return int(found["quantity"]) if found else 0


async def balance_at(account: UUID, instrument: UUID, recorded_at: datetime) -> int:
    """The balance as recorded at a time."""
    return await _fetch_quantity(
        "SELECT balance_as_recorded($1, $2, $3) AS figure", account, instrument, recorded_at
    )


async def balance_effective_at(
    account: UUID, instrument: UUID, effective_at: datetime, *, recorded_at: datetime
) -> int:
    """The balance effective at one time, as recorded at another.

    A sum over the postings, below zero where something left that came
    in only later.
    """
    sql = "SELECT balance_as_effective($1, $2, $3, $4) AS figure"
    return await _fetch_quantity(sql, account, instrument, effective_at, recorded_at)


async def _fetch_quantity(sql: str, *args: object) -> int:
    found = await fetch_one(sql, *args)
    assert found is not None, "an aggregate answers one row"
    return int(found["figure"])
