"""Observes SQL statements: metrics, spans, and a log line for slow ones."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import structlog

from registry.kernel.observation import current_observation
from server.observability.metrics import STATEMENT_SECONDS
from server.observability.tracing import TRACING, is_tracing_configured
from server.settings import Settings

DIGEST_LENGTH = 12

_log = structlog.get_logger()


class StatementObserver:
    """Is called by the driver after each statement."""

    def __init__(self, pool: str, slow_seconds: float | None) -> None:
        self._pool, self._slow_seconds = pool, slow_seconds
        self._duration = STATEMENT_SECONDS.labels(pool)

    def __call__(self, statement: asyncpg.connection.LoggedQuery) -> None:
        """Observe one statement, in the context of the request that executed it."""
        self._duration.observe(statement.elapsed)
        if self._slow_seconds is not None and statement.elapsed >= self._slow_seconds:
            observation = current_observation()
            _log.warning(
                "slow_statement",
                operation=observation.operation if observation else "",
                pool=self._pool,
                ms=round(statement.elapsed * 1000, 1),
                statement=_digest(statement.query),
            )
        if TRACING.recorder is not None:
            ended_at = time.time_ns()
            TRACING.recorder.statement(
                _digest(statement.query),
                started_at=ended_at - int(statement.elapsed * 1e9),
                ended_at=ended_at,
            )


def _digest(sql: str) -> str:
    """The name of a statement in logs: its text may hold words that a client sent."""
    return hashlib.sha256(sql.encode()).hexdigest()[:DIGEST_LENGTH]


def connection_listener(
    settings: Settings, pool: str
) -> "Callable[[asyncpg.Connection[Any]], Awaitable[None]] | None":
    """Observes each new connection of a pool; None where the settings ask for nothing."""
    slow_ms = settings.slow_statement_ms
    if slow_ms is None and settings.metrics_port is None and not is_tracing_configured():
        return None
    observer = StatementObserver(pool, None if slow_ms is None else slow_ms / 1000)

    async def listen(connection: "asyncpg.Connection[Any]") -> None:
        connection.add_query_logger(observer)

    return listen
