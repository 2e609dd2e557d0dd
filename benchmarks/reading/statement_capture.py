"""The statements that a request of ours really sends, as PostgreSQL logged them.

Nobody is asked for his SQL: a registry of its own answers the request while the server writes down
what the registry's roles send.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reading.http_requests import Requests, response_data, send_request
from benchmarks.reading.ours import serve_registry
from benchmarks.reading.server_process import Server
from benchmarks.reading.world import SUPERUSER, WORLD, World
from server.postgres import embedded

MAX_ATTEMPTS = 6
"""So often a request is asked: the first ones fill caches, others may meet the housekeeping."""

ROLES = (embedded.APPLICATION, embedded.READER)

_STATEMENT_PREFIX = re.compile(r"^(?:execute [^:]*|statement): ", re.DOTALL)
_BIND_VALUE = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
_SETTLED_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and what was bound in it.

    Attributes:
        sql: its text.
        values: by number of the parameter, as PostgreSQL writes them; None for NULL.

    """

    sql: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class CapturedStatements:
    """A registry whose statements are written down."""

    server: Server
    log: Path

    async def capture(self, asked: Requests) -> tuple[Statement, ...]:
        """What one request sends once everything is warm."""
        heard = []
        for _ in range(MAX_ATTEMPTS):
            await asyncio.sleep(_SETTLED_SECONDS)
            begins = self.log.stat().st_size
            response_data(await asyncio.to_thread(send_request, self.server.port, asked))
            await asyncio.sleep(_SETTLED_SECONDS)
            heard.append(tuple(self._since(begins)))
        return min(heard, key=len)

    def _since(self, begins: int) -> Iterator[Statement]:
        with self.log.open("rb") as log:
            log.seek(begins)
            for line in log:
                said = json.loads(line)
                found = _STATEMENT_PREFIX.match(said["message"])
                if found and said["user"] in ROLES:
                    values = _values(said.get("detail", ""))
                    yield Statement(said["message"][found.end() :].strip(), values)


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
    """A registry of its own whose statements are logged, and nobody else's.

    Raises:
        Missing: it does not come up.

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
