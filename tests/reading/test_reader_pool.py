"""Connections for plans: they cannot write, and are replaced when they are lost."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from registry.reading.reader_pool import STATEMENT_CACHE_SIZE, ReaderPool
from tests.support.cluster import Database
from tests.support.waiting import SECONDS_MAX, wait_until_blocked

ONE = "SELECT convert_to('1', 'UTF8')"
LOCKED = "SELECT convert_to(pg_advisory_xact_lock_shared(7)::text, 'UTF8')"


@pytest.fixture
async def readers(founding_database: Database) -> AsyncIterator[ReaderPool]:
    """Two connections."""
    made = ReaderPool(founding_database.reader_url, max_connections=2, statement_timeout=2)
    yield made
    await made.close()


async def test_reader_connections_cannot_write(founding_database: Database) -> None:
    for url in (founding_database.reader_url, founding_database.application_url):
        readers = ReaderPool(url, max_connections=1, statement_timeout=2)
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await readers.fetch("UPDATE transfer SET note = 'x' RETURNING ''::bytea", ())
        await readers.close()


async def test_an_error_of_the_server_keeps_the_connection(readers: ReaderPool) -> None:
    who = "SELECT convert_to(pg_backend_pid()::text, 'UTF8')"
    before = await readers.fetch(who, ())

    with pytest.raises(asyncpg.DivisionByZeroError):
        await readers.fetch("SELECT convert_to((1 / (random() > 2)::int)::text, 'UTF8')", ())

    assert await readers.fetch(who, ()) == before


async def test_a_lost_connection_is_replaced(readers: ReaderPool) -> None:
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await readers.fetch("SELECT pg_terminate_backend(pg_backend_pid())::text::bytea", ())

    assert await readers.fetch(ONE, ()) == b"1"


async def test_a_cancelled_waiter_leaves_no_answer_to_the_next(readers: ReaderPool) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await readers.fetch("SELECT convert_to(pg_sleep(1)::text || 'late', 'UTF8')", ())

    assert {await readers.fetch(ONE, ()) for _ in range(4)} == {b"1"}


async def test_what_takes_too_long_is_cancelled(readers: ReaderPool) -> None:
    with pytest.raises(asyncpg.QueryCanceledError):
        await readers.fetch("SELECT convert_to(pg_sleep(5)::text, 'UTF8')", ())


async def test_a_cancelled_statement_frees_its_connection_at_once(
    founding_database: Database,
) -> None:
    readers = ReaderPool(
        founding_database.reader_url, max_connections=1, statement_timeout=SECONDS_MAX
    )
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await readers.fetch("SELECT convert_to(pg_sleep(5)::text, 'UTF8')", ())

    assert await readers.fetch(ONE, ()) == b"1"
    await readers.close()


async def test_statements_beyond_the_connections_wait_and_are_answered(
    founding_database: Database,
) -> None:
    readers = ReaderPool(
        founding_database.reader_url, max_connections=2, statement_timeout=SECONDS_MAX
    )
    owner = await asyncpg.connect(founding_database.owner_url)
    await owner.execute("SELECT pg_advisory_lock(7)")
    running = [asyncio.create_task(readers.fetch(LOCKED, ())) for _ in range(3)]
    await wait_until_blocked(owner, 2)

    await owner.close()

    assert await asyncio.gather(*running) == [b"", b"", b""]
    await readers.close()


async def test_a_flood_of_statements_is_evicted(founding_database: Database) -> None:
    readers = ReaderPool(founding_database.reader_url, max_connections=1, statement_timeout=5)
    for number in range(STATEMENT_CACHE_SIZE + 50):
        await readers.fetch(f"SELECT convert_to('{number}', 'UTF8')", ())

    held = "SELECT convert_to(count(*)::text, 'UTF8') FROM pg_prepared_statements"
    found = await readers.fetch(held, ())

    assert int(found or b"0") <= STATEMENT_CACHE_SIZE + 2
    await readers.close()


async def test_a_statement_is_parsed_once(founding_database: Database) -> None:
    answered = "SELECT convert_to(max(generic_plans)::text, 'UTF8') FROM pg_prepared_statements"
    readers = ReaderPool(founding_database.reader_url, max_connections=1, statement_timeout=2)

    assert [await readers.fetch(answered, ()) for _ in range(3)] == [b"1", b"2", b"3"]

    await readers.close()


async def test_a_slow_statement_keeps_no_other_waiting(founding_database: Database) -> None:
    readers = ReaderPool(
        founding_database.reader_url, max_connections=2, statement_timeout=SECONDS_MAX
    )
    owner = await asyncpg.connect(founding_database.owner_url)
    await owner.execute("SELECT pg_advisory_lock(7)")
    held = asyncio.create_task(readers.fetch(LOCKED, ()))
    await wait_until_blocked(owner, 1)

    async with asyncio.timeout(SECONDS_MAX):
        assert await readers.fetch(ONE, ()) == b"1"

    assert not held.done()
    await owner.close()
    assert await held == b""
    await readers.close()
