"""What an operator does from the command line."""

import asyncpg
import pytest

from registry.errors import KeyReused
from server.operating import found, report, swept
from server.settings import Unfit
from tests.cluster import Database, Server, a_clone
from tests.told import Told

PROVINCE = ("河北省生态环境厅", "130000")
OFFICERS = ("wang-li=王丽", "zhao-gang=赵刚")

_FORGE = """
    UPDATE balance SET quantity = quantity + 1 WHERE (account_id, instrument_id) = (
        SELECT b.account_id, b.instrument_id FROM balance b JOIN account a ON a.id = b.account_id
        WHERE a.kind = 'holding' AND b.quantity > 0 ORDER BY 1, 2 LIMIT 1)
    RETURNING account_id
"""


async def test_the_registry_is_founded_once(clone: Database) -> None:
    first = await found(clone.application_url, *PROVINCE, officers=OFFICERS)
    again = await found(clone.application_url, *PROVINCE, officers=OFFICERS)

    assert (first, again) == (True, False)
    with pytest.raises(KeyReused):
        await found(clone.application_url, "另一省厅", "130000", officers=OFFICERS)


async def test_an_officer_is_written_as_subject_and_name(clone: Database) -> None:
    with pytest.raises(Unfit, match="subject=name"):
        await found(clone.application_url, *PROVINCE, officers=("wang-li", "zhao-gang=赵刚"))


async def test_a_founded_registry_is_sound(clone: Database) -> None:
    await found(clone.application_url, *PROVINCE, officers=OFFICERS)

    lines, sound = await report(clone.application_url, restrict=False)

    assert sound
    assert all(line.startswith("ok  ") for line in lines)
    assert await swept(clone.application_url) == 0


async def test_what_offends_is_named_and_just_its_account_is_frozen(
    server: Server, founding: Told
) -> None:
    async with a_clone(server, founding.name) as copy:
        owner = await asyncpg.connect(copy.owner_url)
        account = await owner.fetchval(_FORGE)
        await owner.close()

        lines, sound = await report(copy.application_url, restrict=True)

    assert not sound
    assert any("FAIL balances_equal_replay" in line for line in lines)
    assert [line for line in lines if line.startswith("frozen")] == [f"frozen: account {account}"]
