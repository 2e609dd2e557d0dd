"""The database engine of Tortoise, with transactions that survive a failed BEGIN.

Tortoise imports this module by name and uses its ``client_class``. It is the one module that uses
private parts of Tortoise; `pyproject.toml` bounds the version for it.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TypeVar, cast

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import TransactionalDBClient, TransactionContextPooled
from tortoise.connection import get_connections
from tortoise.models import MetaInfo, Model

from registry.kernel.statistics import STATISTICS

Record = TypeVar("Record", bound=Model)

ACQUIRE_TIMEOUT_SECONDS = 10.0
# A stopped server answers no ROLLBACK; callers must not wait for it.
RELEASE_TIMEOUT_SECONDS = 1.0
DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class PooledConnection(asyncpg.Connection):
    """A connection that costs no extra round trip when it goes back to its pool.

    Nothing of ours outlives a transaction on a pooled connection: no session settings, no
    session-level advisory locks, no cursors, no LISTEN. An open transaction is still
    rolled back by the driver.
    """

    __slots__ = ()

    def get_reset_query(self) -> str:
        return ""


class SafeTransaction(TransactionContextPooled):
    """A transaction that always returns its connection, even if BEGIN, COMMIT or ROLLBACK fails.

    Tortoise's own keeps the pool's slot and the task's context variable for ever when BEGIN fails,
    and hides the first error behind the ROLLBACK that a lost connection makes impossible. Where one
    field of a query fails, others may be left behind that still read: it ends when the one that
    reads is done, and no other reads after its end, or it would read in another transaction.
    """

    __slots__ = ()

    async def __aenter__(self) -> TransactionalDBClient:
        await self.ensure_connection()
        connection = await _acquire(self.client._parent._pool)
        self.client._connection = connection
        self.token = get_connections().set(self.connection_name, self.client)
        try:
            await self.client.begin()
        except BaseException:
            connection.terminate()
            await self._release()
            raise
        return self.client

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        alone = False
        try:
            if kind is None:
                alone = await self._lock.acquire()
                await self.client.commit()
            else:
                alone = await self._roll_back()
        finally:
            if not alone:
                self._terminate()
            try:
                await self._release()
            finally:
                if alone:
                    self._lock.release()

    @property
    def _lock(self) -> asyncio.Lock:
        """Held by the user of the connection."""
        return cast("TransactionWrapper", self.client)._lock

    async def _roll_back(self) -> bool:
        """Roll back; return whether the connection is unused now."""
        alone = False
        try:
            async with asyncio.timeout(RELEASE_TIMEOUT_SECONDS):
                alone = await self._lock.acquire()
                await self.client.rollback()
        except (*DRIVER_ERRORS, OSError):
            # The error that brought us here is the one to report; the server undoes the rest alone.
            self._terminate()
        return alone

    def _terminate(self) -> None:
        with contextlib.suppress(asyncpg.InterfaceError):
            self.client._connection.terminate()

    async def _release(self) -> None:
        get_connections().reset(self.token)
        pool = self.client._parent._pool
        if pool is not None:
            with contextlib.suppress(asyncpg.InterfaceError, TimeoutError):
                await pool.release(self.client._connection, timeout=RELEASE_TIMEOUT_SECONDS)


async def _acquire(pool: "asyncpg.Pool[Any]") -> "asyncpg.pool.PoolConnectionProxy[Any]":
    """A connection; the time is counted if all are in use."""
    waits = pool.get_idle_size() == 0 and pool.get_size() >= pool.get_max_size()
    started_at = time.monotonic()
    # The pool's own timeout would make a task of each acquisition.
    async with asyncio.timeout(ACQUIRE_TIMEOUT_SECONDS):
        connection = await pool.acquire()
    if waits:
        STATISTICS.note_wait("application", time.monotonic() - started_at)
    return connection


class ReadOnlyTransaction(TransactionWrapper):
    """A transaction that sees one moment of the database and cannot write."""

    async def begin(self) -> None:
        """Open it with the one statement that says both."""
        connection = cast("asyncpg.Connection[Any]", self._connection)
        self.transaction = connection.transaction(isolation="repeatable_read", readonly=True)
        await self.transaction.start()


class Engine(AsyncpgDBClient):
    """Tortoise's asyncpg client with the transactions of this module."""

    def _in_transaction(self) -> SafeTransaction:
        return SafeTransaction(TransactionWrapper(self), self._pool_init_lock)

    def in_read_only_transaction(self) -> SafeTransaction:
        return SafeTransaction(ReadOnlyTransaction(self), self._pool_init_lock)


client_class = Engine


def meta_of(model: type[Model] | Model) -> MetaInfo:
    """Tortoise's description of a model: its table, columns and fields."""
    return model._meta


def is_saved(record: Model) -> bool:
    """Whether the record has a row."""
    return record._saved_in_db


def mark_saved(record: Model) -> None:
    """Note that the record has a row now."""
    record._saved_in_db = True


def record_of_row(model: type[Record], row: Mapping[str, Any]) -> Record:
    """A record with the values of a row."""
    return model._init_from_db(**row)


def new_record(model: type[Record], **values: object) -> Record:
    """A record without a row. All columns are given, in the database's types: none is converted."""
    record = record_of_row(model, values)
    record._saved_in_db = False
    return record
