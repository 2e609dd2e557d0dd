"""The statements that a request of ours sends, read from PostgreSQL's log.

A registry of its own answers the requests while PostgreSQL logs the statements of its roles.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reading.http_requests import Requests, response_data, send_request
from benchmarks.reading.ours import serve_registry
from benchmarks.reading.server_process import Server
from benchmarks.reading.world import SUPERUSER, WORLD, World
from server.postgres import embedded

WARMING_REQUESTS = 5
"""Requests sent first: they fill the caches."""

ROLES = (embedded.APPLICATION, embedded.READER)

_STATEMENT_PREFIX = re.compile(r"^(?:execute [^:]*|statement): ", re.DOTALL)
_BIND_VALUE = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
_SETTLED_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its bound values.

    Attributes:
        sql: its text.
        values: by number of the parameter, as PostgreSQL writes them; None for NULL.

    """

    sql: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class CapturedStatements:
    """A registry whose statements are logged."""

    server: Server
    log: Path

    async def capture(self, requests: Requests, number: int) -> list[tuple[Statement, ...]]:
        """The statements of at most ``number`` requests, once the caches are full.

        A request that meets a statement of a background task is left out.
        """
        sets = len(requests.bodies)
        for _ in range(WARMING_REQUESTS):
            await self._statements(requests, 0)
        found = [
            await self._statements(requests, place * sets // min(number, sets))
            for place in range(min(number, sets))
        ]
        texts = Counter(tuple(statement.sql for statement in each) for each in found)
        usual = min(texts, key=lambda text: (len(text), -texts[text]))
        return [each for each in found if tuple(statement.sql for statement in each) == usual]

    async def _statements(self, requests: Requests, place: int) -> tuple[Statement, ...]:
        await asyncio.sleep(_SETTLED_SECONDS)
        begins = self.log.stat().st_size
        answer = await asyncio.to_thread(send_request, self.server.port, requests, place)
        response_data(answer)
        await asyncio.sleep(_SETTLED_SECONDS)
        return tuple(self._since(begins))

    def _since(self, begins: int) -> Iterator[Statement]:
        with self.log.open("rb") as log:
            log.seek(begins)
            for line in log:
                entry = json.loads(line)
                match = _STATEMENT_PREFIX.match(entry["message"])
                if match and entry["user"] in ROLES:
                    values = _values(entry.get("detail", ""))
                    yield Statement(entry["message"][match.end() :].strip(), values)


def _values(detail: str) -> tuple[str | None, ...]:
    """The parameters in the order of their numbers."""
    return tuple(
        None if text == "NULL" else text[1:-1].replace("''", "'")
        for _, text in _BIND_VALUE.findall(detail)
    )


@asynccontextmanager
async def capture_statements(
    world: World, first: Requests, database: str = WORLD
) -> AsyncIterator[CapturedStatements]:
    """A registry of its own whose statements are logged, and no others.

    Raises:
        Unavailable: it does not start.

    """
    superuser = await world.as_superuser(SUPERUSER)
    try:
        for role in ROLES:
            await superuser.execute(f"ALTER ROLE {role} SET log_statement = 'all'")
        with serve_registry(world, first, database) as server:
            yield CapturedStatements(server, world.cluster.directory / "data/log/statements.json")
    finally:
        for role in ROLES:
            await superuser.execute(f"ALTER ROLE {role} RESET log_statement")
        await superuser.close()
