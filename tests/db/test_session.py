"""The unit of work against a real PostgreSQL: what survives what, and what an error means."""

import asyncio

import asyncpg
import pytest
from tortoise.transactions import in_transaction

import registry.db.session
from policies.vocabulary import Text
from registry.concepts import open_registry
from registry.db.errors import (
    ErrorTranslations,
    sqlstate_of,
    use_translations,
)
from registry.db.session import (
    MAX_ATTEMPTS,
    close_database,
    execute,
    fetch_all,
    fetch_one,
    read_only_transaction,
    short_read_only_transaction,
    transaction,
    with_retries,
)
from registry.kernel.errors import (
    DatabaseUnreachable,
    Duplicate,
    Insufficient,
    Malformed,
    Overloaded,
)
from tests.support.cluster import Database
from tests.support.waiting import SECONDS_MAX


@pytest.fixture
async def notes(owner: asyncpg.Connection) -> None:
    await owner.execute(
        "CREATE TABLE note (id int CONSTRAINT note_key PRIMARY KEY, word text,"
        " CONSTRAINT note_short CHECK (length(word) < 5));"
        "GRANT ALL ON note TO PUBLIC"
    )


async def test_a_unit_of_work_is_kept_whole(database: Database, notes: None) -> None:
    async with transaction():
        assert await execute("INSERT INTO note VALUES (1, 'a'), (2, $1)", "b") == 2

    assert [note["word"] for note in await fetch_all("SELECT word FROM note ORDER BY id")] == [
        "a",
        "b",
    ]


async def test_a_failed_unit_of_work_leaves_nothing(database: Database, notes: None) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await execute("INSERT INTO note VALUES (1)")
            raise ZeroDivisionError

    assert await fetch_one("SELECT 1 FROM note") is None


async def test_a_read_only_transaction_sees_one_snapshot_and_cannot_write(
    database: Database, notes: None, owner: asyncpg.Connection
) -> None:
    async with read_only_transaction():
        before = await fetch_all("SELECT * FROM note")
        await owner.execute("INSERT INTO note VALUES (1)")
        assert await fetch_all("SELECT * FROM note") == before == []

    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with read_only_transaction():
            await execute("INSERT INTO note VALUES (2)")


async def test_a_look_is_given_up_that_takes_long_and_the_next_one_answers(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.db.session, "SHORT_READ_TIMEOUT_SECONDS", 0.1)

    with pytest.raises(DatabaseUnreachable):
        async with short_read_only_transaction():
            await fetch_all(f"SELECT pg_sleep({SECONDS_MAX})")

    monkeypatch.undo()
    async with short_read_only_transaction():
        assert await fetch_one("SELECT 1 AS one") == {"one": 1}


async def test_what_is_left_behind_reads_in_no_other_reading(clone: Database) -> None:
    """A field that failed leaves loaders behind, which go on reading one thing after the other."""
    await open_registry(clone.application_url, minsize=1, maxsize=1)
    read: list[str] = []
    try:
        for number in range(200):
            async with read_only_transaction():
                mark = f"'mine {number}'"
                await fetch_all(f"SELECT set_config('biandan.mark', {mark}, true)")
                left = asyncio.create_task(_go_on_reading(read, mark.strip("'")))
                for _ in range(number % 7):
                    await asyncio.sleep(0)
            async with read_only_transaction():
                await fetch_all("SELECT set_config('biandan.mark', 'of somebody else', true)")
                for _ in range(5):
                    await fetch_all("SELECT 1")
            with pytest.raises(asyncpg.InterfaceError):
                await left
    finally:
        await close_database()
    assert read
    assert set(read) == {"mine"}


async def _go_on_reading(read: list[str], mark: str) -> None:
    while True:
        found = await fetch_all("SELECT current_setting('biandan.mark', true) AS mark")
        read += ["mine" if each["mark"] == mark else each["mark"] for each in found]


async def test_a_registered_constraint_becomes_its_refusal(database: Database, notes: None) -> None:
    use_translations(
        ErrorTranslations(
            {
                "note_key": lambda: Duplicate(Text("There is such a note.", "已有此记录。")),
                "note_short": lambda: Malformed("word", "Too long.", "过长。"),
            }
        )
    )

    with pytest.raises(Duplicate):
        async with transaction():
            await execute("INSERT INTO note VALUES (1), (1)")
    with pytest.raises(Malformed) as refusal:
        async with transaction():
            await execute("INSERT INTO note VALUES (1, 'abcdef')")

    assert refusal.value.field == "word"


async def test_an_unknown_constraint_stays_a_bug(
    database: Database, owner: asyncpg.Connection
) -> None:
    await owner.execute("CREATE TABLE odd (a int CHECK (a > 0)); GRANT ALL ON odd TO PUBLIC")

    with pytest.raises(asyncpg.CheckViolationError):
        async with transaction():
            await execute("INSERT INTO odd VALUES (0)")


async def test_our_own_states_become_refusals(database: Database) -> None:
    states = {"BD999": lambda detail: Insufficient(Text(detail["said"], "不足"))}
    use_translations(ErrorTranslations(sqlstates=states))

    with pytest.raises(Insufficient, match="too short"):
        async with transaction():
            await execute(
                "DO $$ BEGIN RAISE 'short' USING ERRCODE = 'BD999',"
                """ DETAIL = '{"said": "too short"}'; END $$"""
            )


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_what_can_be_repeated_is_repeated_and_ends_as_busy(
    database: Database, state: str
) -> None:
    attempts = 0

    async def work() -> None:
        nonlocal attempts
        attempts += 1
        async with transaction():
            await execute(f"DO $$ BEGIN RAISE 'again' USING ERRCODE = '{state}'; END $$")

    with pytest.raises(Overloaded):
        await with_retries(work)

    assert attempts == MAX_ATTEMPTS


async def test_what_is_a_bug_is_not_repeated(database: Database) -> None:
    attempts = 0

    async def work() -> None:
        nonlocal attempts
        attempts += 1
        async with transaction():
            await execute("SELECT 1/0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await with_retries(work)

    assert attempts == 1


async def test_a_unit_of_work_works_again_after_its_begin_failed(
    database: Database, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = asyncpg.transaction.Transaction.start

    async def broken(self: asyncpg.transaction.Transaction) -> None:
        monkeypatch.setattr(asyncpg.transaction.Transaction, "start", begin)
        raise TimeoutError

    for _ in range(12):  # More than the pool has connections.
        monkeypatch.setattr(asyncpg.transaction.Transaction, "start", broken)
        with pytest.raises(Overloaded):
            async with transaction():
                pytest.fail("BEGIN was to fail")

    async with transaction():
        assert await fetch_one("SELECT 1 AS one") == {"one": 1}


async def test_a_lost_connection_reports_the_first_error(database: Database) -> None:
    other = await asyncpg.connect(database.application_url)

    with pytest.raises(ZeroDivisionError):
        async with transaction():
            mine = await fetch_one("SELECT pg_backend_pid() AS pid")
            assert mine
            await other.execute(f"SELECT pg_terminate_backend({mine['pid']}, 1000)")
            raise ZeroDivisionError
    await other.close()

    async with transaction():
        assert await fetch_one("SELECT 1 AS one") == {"one": 1}


async def test_an_error_inside_the_models_error_is_found(database: Database, notes: None) -> None:
    async with in_transaction() as connection:
        with pytest.raises(Exception, match="note_key") as failure:
            await connection.execute_query("INSERT INTO note VALUES (1), (1)")

    assert sqlstate_of(failure.value) == "23505"


async def test_instants_are_aware_and_shown_in_the_time_of_china(database: Database) -> None:
    answer = await fetch_one(
        "SELECT now() AS moment, to_json('1986-07-01T00:00:00Z'::timestamptz) AS shown"
    )

    assert answer
    # Clocks were put forward in that summer; the registry's moments have one offset all the same.
    assert answer["shown"] == '"1986-07-01T08:00:00+08:00"'
    assert answer["moment"].utcoffset().total_seconds() == 0
