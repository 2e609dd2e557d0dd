"""The data that are read: a larger world and one ten times as large, kept between runs.

They live in a cluster of the benchmark's own, outside the checkout, under a name that says what
they were made of; whatever was made of something else is removed. Migrations and rule book are
brought up to date in each run.
"""

import hashlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from benchmarks.reading.multiply_data import multiply_data
from benchmarks.world.loader import load_world
from registry.db.migrations.runner import MigrationError
from registry.db.session import close_database, open_database
from server.composition import prepare_database
from server.postgres import embedded

ENTERPRISES = 20_000
CITY = "130100"
IDS = 500
WORLD, ENLARGED = "world", "grown"
SUPERUSER = "postgres"
ROWS = embedded.CHECKOUT / "benchmarks" / "postgraphile" / "rows.sql"

_PREFIX = "reading-"
_CACHE_INPUTS = ("seeds", "benchmarks/reading/multiply_data.py")
# Durable as in operation. Statements are written as JSON once somebody asks to see them.
_OPTIONS = {
    "shared_buffers": "1GB",
    "max_wal_size": "3GB",
    "checkpoint_timeout": "30min",
    "maintenance_work_mem": "512MB",
    "max_connections": "200",
    "jit": "off",
    "logging_collector": "on",
    "log_destination": "jsonlog",
    "log_filename": "statements",
    "log_rotation_size": "0",
    "log_rotation_age": "0",
}

ProgressCallback = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody who asks.

    Attributes:
        name: a word for tables and options.
        role: in the rule book.
        subject: of the sign-in.
        division: of the appointment.
        organisation: whose appointment it is.

    """

    name: str
    role: str
    subject: str
    division: str
    organisation: UUID


@dataclass(frozen=True, slots=True)
class World:
    """A cluster with both worlds, and who and what there is to ask about."""

    cluster: embedded.Cluster
    city: Persona
    enterprise: Persona
    province: Persona
    ids: tuple[UUID, ...]
    sizes: dict[str, int]

    @property
    def postmaster(self) -> int:
        """The process of which all of the database's are children."""
        return int((self.cluster.directory / "data" / "postmaster.pid").read_text().split()[0])

    def application(self, database: str = WORLD) -> str:
        """The URL of a database as the registry's own role."""
        return self.cluster.role_urls(database).application

    async def as_superuser(self, database: str = WORLD) -> asyncpg.Connection:
        """A connection that may set what is for the whole server."""
        return await asyncpg.connect(self.cluster.url(SUPERUSER, database))


@asynccontextmanager
async def open_world(enterprises: int, progress: ProgressCallback) -> AsyncIterator[World]:
    """The world of so many enterprises, made unless it is there, and its server running."""
    directory = embedded.state_directory().with_name(f"{_PREFIX}{enterprises}-{_key(enterprises)}")
    for other in directory.parent.glob(f"{_PREFIX}{enterprises}-*"):
        if other != directory and not embedded.is_running(other):
            shutil.rmtree(other)
    ready = directory / "ready"
    if directory.exists() and not ready.exists() and not embedded.is_running(directory):
        shutil.rmtree(directory)
    cluster = embedded.start(directory, options=_OPTIONS)
    try:
        if not ready.exists():
            await _make(cluster, enterprises, progress)
            ready.touch()
        try:
            await _bring_up_to_date(cluster)
        except MigrationError as refused:
            progress(f"made by other migrations: {refused}")
            await _make(cluster, enterprises, progress)
            await _bring_up_to_date(cluster)
        yield await _load_personas(cluster)
    finally:
        cluster.stop()


def _key(enterprises: int) -> str:
    made_of = hashlib.sha256(f"{enterprises} {_OPTIONS}".encode())
    for place in _CACHE_INPUTS:
        found = embedded.CHECKOUT / place
        files = [found] if found.is_file() else sorted(found.rglob("*.*"))
        for file in files:
            if file.suffix in {".py", ".csv"}:
                made_of.update(file.read_bytes())
    return made_of.hexdigest()[:12]


async def _make(cluster: embedded.Cluster, enterprises: int, progress: ProgressCallback) -> None:
    progress(f"making a world of {enterprises} enterprises, once")
    cluster.ensure_database(WORLD, fresh=True)
    at = cluster.role_urls(WORLD)
    await prepare_database(at.owner, embedded.APPLICATION, reader_role=embedded.READER)
    await open_database(at.application, maxsize=2)
    try:
        await load_world(at.owner, enterprises)
    finally:
        await close_database()
    await _as_superuser(cluster, WORLD, "VACUUM (FREEZE, ANALYZE)")
    progress("making it ten times as large beside it, once")
    await _as_superuser(cluster, SUPERUSER, f"DROP DATABASE IF EXISTS {ENLARGED} WITH (FORCE)")
    await _as_superuser(
        cluster,
        SUPERUSER,
        f"CREATE DATABASE {ENLARGED} TEMPLATE {WORLD} OWNER {embedded.OWNER} STRATEGY file_copy",
    )
    superuser = await asyncpg.connect(cluster.url(SUPERUSER, ENLARGED))
    try:
        await multiply_data(superuser)
    finally:
        await superuser.close()
    await _as_superuser(cluster, ENLARGED, "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT")


async def _bring_up_to_date(cluster: embedded.Cluster) -> None:
    """Migrations, rights, rule book and row security as they are in this checkout."""
    for database in (WORLD, ENLARGED):
        owner = cluster.role_urls(database).owner
        if await prepare_database(owner, embedded.APPLICATION, reader_role=embedded.READER):
            await _as_superuser(cluster, database, "VACUUM (ANALYZE)")
        await _as_superuser(cluster, database, ROWS.read_text())


async def _as_superuser(cluster: embedded.Cluster, database: str, *statements: str) -> None:
    superuser = await asyncpg.connect(cluster.url(SUPERUSER, database))
    try:
        for sql in statements:
            await superuser.execute(sql)
    finally:
        await superuser.close()


_PERSONAS_SQL = """
    SELECT p.subject, a.role, a.division, a.organisation_id AS organisation
    FROM person p JOIN appointment a ON a.person_id = p.id WHERE p.subject = $1
"""
# An enterprise that stands on the page of its city, so that its own holdings are shown there.
_FIRST_PERSON_SQL = """
    SELECT p.subject FROM organisation o JOIN person p ON p.organisation_id = o.id
    WHERE o.city = $1 AND o.kind = 'enterprise' ORDER BY o.name, o.id, p.subject LIMIT 1
"""
_ENTERPRISES_SQL = """
    SELECT id FROM organisation WHERE city = $1 AND kind = 'enterprise' ORDER BY id LIMIT $2
"""
_COUNTED_TABLES = ("organisation", "permit", "balance", "transfer", "entry")


async def _load_personas(cluster: embedded.Cluster) -> World:
    owner = await asyncpg.connect(cluster.role_urls(WORLD).owner)
    try:
        subjects = {
            "city": f"city-{CITY}-a",
            "enterprise": await owner.fetchval(_FIRST_PERSON_SQL, CITY),
            "province": "province-130000-a",
        }
        sitters = {}
        for name, subject in subjects.items():
            found = await owner.fetchrow(_PERSONAS_SQL, subject)
            assert found is not None, f"every world has {subject}"
            sitters[name] = Persona(name=name, **found)
        ids = tuple(found["id"] for found in await owner.fetch(_ENTERPRISES_SQL, CITY, IDS))
        sizes = {
            table: await owner.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - ours
            for table in _COUNTED_TABLES
        }
    finally:
        await owner.close()
    return World(cluster, **sitters, ids=ids, sizes=sizes)
