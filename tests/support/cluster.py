"""The tests' PostgreSQL: a cluster of their own or the one given, a template, a clone a test."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.rulebook_store import BUNDLED_RULEBOOK, store_rulebook
from registry.concepts import GRANTS
from registry.db.migrations.runner import migrate
from seeds.reference.loader import load_reference
from server.postgres import embedded

GIVEN_URL = "BIANDAN_TEST_DATABASE_URL"
MEMORY = Path("/dev/shm")  # noqa: S108
MEMORY_BYTES_MIN = 2 << 30
# Nothing of a test outlives the machine it ran on.
OPTIONS = {
    # Its workers are the superuser's: a clone could not be dropped under them.
    "autovacuum": "off",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
}

_END_SESSIONS = f"GRANT {embedded.APPLICATION}, {embedded.READER} TO {embedded.OWNER}"


@dataclass(frozen=True, slots=True)
class Database:
    """One database for one test, as each of its roles."""

    name: str
    owner_url: str
    application_url: str
    reader_url: str


@dataclass(frozen=True, slots=True)
class Server:
    """A server with the two roles, whose databases the owner makes."""

    owner_url: str
    application_url: str
    reader_url: str
    application_role: str
    reader_role: str

    def database(self, name: str) -> Database:
        """The URLs of a database of this server."""
        urls = (self.owner_url, self.application_url, self.reader_url)
        return Database(name, *(_with_database(url, name) for url in urls))


@contextmanager
def run_server() -> Iterator[Server]:
    """The server the environment names, else one made for this run and removed after it."""
    given = os.environ.get(GIVEN_URL)
    with _given_server(given) if given else _embedded_server() as server:
        yield server


@asynccontextmanager
async def clone_database(server: Server, template: str) -> AsyncIterator[Database]:
    """A copy of the template for one test, dropped afterwards."""
    database = server.database(f"biandan_test_{secrets.token_hex(6)}")
    await _create(server, database.name, template)
    try:
        yield database
    finally:
        await _drop(server, database.name)


@contextmanager
def create_demo_database(server: Server, template: str) -> Iterator[Database]:
    """A copy of the template to be filled and copied in turn, dropped afterwards."""
    database = server.database(f"biandan_told_{secrets.token_hex(6)}")
    asyncio.run(_create(server, database.name, template))
    try:
        yield database
    finally:
        asyncio.run(_drop(server, database.name))


@contextmanager
def create_template(server: Server) -> Iterator[str]:
    """A migrated database without connections, so that it can be copied."""
    name = f"biandan_template_{secrets.token_hex(6)}"
    asyncio.run(_make_template(server, name))
    try:
        yield name
    finally:
        asyncio.run(_drop(server, name))


async def fill_template(database: Database) -> None:
    """Content of each test database beside the tables: reference data and the shipped
    rule book.
    """
    connection = await asyncpg.connect(database.owner_url)
    try:
        await load_reference(connection)
        await store_rulebook(connection, RuleBook.load(BUNDLED_RULEBOOK, VOCABULARY))
    finally:
        await connection.close()


async def _make_template(server: Server, name: str) -> None:
    await _as_owner(server, f'CREATE DATABASE "{name}"')
    database = server.database(name)
    await migrate(
        database.owner_url, server.application_role, GRANTS, reader_role=server.reader_role
    )
    await fill_template(database)


@contextmanager
def _embedded_server() -> Iterator[Server]:
    with TemporaryDirectory(
        prefix="biandan-", dir=_memory_folder(), ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o711)  # Root's server runs as another user, who passes through here.
        cluster = embedded.start(Path(folder) / "cluster", options=OPTIONS)
        urls = cluster.role_urls()
        try:
            # So that a clone can be dropped while a session of the application still ends.
            asyncio.run(_execute(cluster.url("postgres", "postgres"), _END_SESSIONS))
            yield Server(
                urls.owner, urls.application, urls.reader, embedded.APPLICATION, embedded.READER
            )
        finally:
            cluster.stop()


def _memory_folder() -> str | None:
    """A file system in memory with room for a cluster, or else wherever temporary files go.

    A clone is some four hundred files, gone a moment later, and a journaling file system searches
    past the inodes that went within minutes: making a clone gets slower the more there were.
    """
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    found = os.statvfs(MEMORY)
    roomy = found.f_bavail * found.f_frsize >= MEMORY_BYTES_MIN
    return str(MEMORY) if roomy and not found.f_flag & os.ST_NOEXEC else None


@contextmanager
def _given_server(owner_url: str) -> Iterator[Server]:
    key, password = secrets.token_hex(4), secrets.token_hex(16)
    application, reader = f"biandan_app_{key}", f"biandan_reader_{key}"
    server = Server(
        owner_url,
        _with_role(owner_url, application, password),
        _with_role(owner_url, reader, password),
        application,
        reader,
    )
    for role in (application, reader):
        asyncio.run(_as_owner(server, f"CREATE ROLE {role} LOGIN PASSWORD '{password}'"))
        asyncio.run(_as_owner(server, f"GRANT {role} TO CURRENT_USER"))
    try:
        yield server
    finally:
        asyncio.run(_as_owner(server, f"DROP ROLE {application}, {reader}"))


async def _create(server: Server, name: str, template: str) -> None:
    await _as_owner(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


async def _drop(server: Server, name: str) -> None:
    try:
        await _as_owner(server, f'DROP DATABASE "{name}" WITH (FORCE)')
    except asyncpg.InsufficientPrivilegeError:
        # An autovacuum worker is at it, which an owner may not end; without FORCE it is sent away.
        await _as_owner(server, f'DROP DATABASE "{name}"')


async def _as_owner(server: Server, sql: str) -> None:
    await _execute(server.owner_url, sql)


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _with_role(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password)}@{place}"))
