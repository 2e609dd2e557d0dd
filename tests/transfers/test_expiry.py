"""The sweep ends what is overdue, and stumbles over nothing."""

from datetime import timedelta

import asyncpg

from registry.transfers.rules import State
from server.background.expiry_sweeper import sweep
from tests.support.builders import stop_clock
from tests.transfers.builders import FOUNDING_DAY, create_market


async def test_a_sweep_ends_what_is_overdue_and_nothing_else(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()
    overdue = [await market.case_in(s) for s in (State.OFFERED, State.APPROVED)]
    others = [await market.case_in(s) for s in (State.DRAFT, State.ACCEPTED, State.CONTRACTED)]
    assert await sweep() == 0

    await stop_clock(open_market, FOUNDING_DAY + timedelta(days=60))

    assert await sweep() == 2
    assert await sweep() == 0
    for case, state in [*[(c, "expired") for c in overdue], *[(c, c.state) for c in others]]:
        await case.refresh_from_db()
        assert case.state == state


async def test_a_fault_in_one_case_does_not_hold_up_the_sweep(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()
    faulty, sound = [await market.case_in(state) for state in (State.APPROVED, State.OFFERED)]
    assert faulty.deadline_at < sound.deadline_at
    await open_market.execute(
        "ALTER TABLE transfer ADD CONSTRAINT a_fault"
        f" CHECK (id <> '{faulty.id}' OR state <> 'expired')"
    )
    await stop_clock(open_market, FOUNDING_DAY + timedelta(days=60))

    assert await sweep() == 1

    for case, state in ((faulty, "approved"), (sound, "expired")):
        await case.refresh_from_db()
        assert case.state == state
