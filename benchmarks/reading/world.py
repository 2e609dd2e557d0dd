"""The data that are read: a synthetic world and one ten times as large, kept between runs.

They live in a cluster of the benchmark's own, outside the checkout. Its name contains a hash of the
code that made it; a cluster made by other code is removed. Each run applies migrations and rule
book.
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
from registry.concepts import open_registry
from registry.db.migrations.runner import MigrationError
from registry.db.session import close_database
from server.composition import prepare_database
from server.postgres import embedded

ENTERPRISES = 20_000
CITY = "130100"
IDS_MAX = 2_000
"""Most objects that are read by their identifiers."""

PERSONA_ROW = 250
"""The enterprise that asks is this row of its city, among those that pages are read from."""

WORLD, ENLARGED = "world", "grown"
SUPERUSER = "postgres"
ROWS = embedded.CHECKOUT / "benchmarks" / "postgraphile" / "rows.sql"

CHECKOUT_KEY_LENGTH = 6
_CACHE_INPUTS = ("seeds/reference", "benchmarks/world", "benchmarks/reading/multiply_data.py")
# Durable as in operation. The log is JSON, for the runs that read statements from it.
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
"""Shows one line of progress."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A benchmark user.

    Attributes:
        name: short word for tables and options.
        role: role in the rule book.
        subject: subject of the sign-in.
        division: division of the appointment.
        organisation: organisation of the appointment.

    """

    name: str
    role: str
    subject: str
    division: str
    organisation: UUID


@dataclass(frozen=True, slots=True)
class World:
    """A cluster with the worlds, and the personas and objects of the queries."""

    cluster: embedded.Cluster
    city: Persona
    enterprise: Persona
    province: Persona
    ids: tuple[UUID, ...]
    sizes: dict[str, int]

    @property
    def postmaster(self) -> int:
        """The process whose children are all processes of the database."""
        return int((self.cluster.directory / "data" / "postmaster.pid").read_text().split()[0])

    def application(self, database: str = WORLD) -> str:
        """The URL of a database for the registry's own role."""
        return self.cluster.role_urls(database).application

    async def as_superuser(self, database: str = WORLD) -> asyncpg.Connection:
        """A connection that may change settings of the whole server."""
        return await asyncpg.connect(self.cluster.url(SUPERUSER, database))


@asynccontextmanager
async def open_world(
    enterprises: int, progress: ProgressCallback, *, enlarged: bool = True
) -> AsyncIterator[World]:
    """The world with this number of enterprises, made unless it exists, and its server running.

    Args:
        enterprises: size of the world.
        progress: shows a line.
        enlarged: whether the world of ten times the size is needed too.

    """
    own = embedded.state_directory()
    # Each checkout keeps its own worlds: two of them are measured side by side.
    prefix = f"world-{own.name[:CHECKOUT_KEY_LENGTH]}-{enterprises}-"
    directory = own.with_name(f"{prefix}{_key(enterprises)}")
    for other in directory.parent.glob(f"{prefix}*"):
        if other != directory and not embedded.is_running(other):
            shutil.rmtree(other)
    if not (directory / "ready").exists() and not embedded.is_running(directory):
        shutil.rmtree(directory, ignore_errors=True)
    cluster = embedded.start(directory, options=_OPTIONS)
    try:
        try:
            await _ensure_made(cluster, enterprises, progress, enlarged=enlarged)
        except MigrationError as error:
            progress(f"made by other migrations: {error}")
            for marker in (_MADE, _ENLARGED_MADE):
                (directory / marker).unlink(missing_ok=True)
            await _ensure_made(cluster, enterprises, progress, enlarged=enlarged)
        yield await _load_personas(cluster)
    finally:
        cluster.stop()


def _key(enterprises: int) -> str:
    made_of = hashlib.sha256(f"{enterprises} {_OPTIONS}".encode())
    for place in _CACHE_INPUTS:
        path = embedded.CHECKOUT / place
        files = [path] if path.is_file() else sorted(path.rglob("*.*"))
        for file in files:
            if file.suffix in {".py", ".csv"}:
                made_of.update(file.read_bytes())
    return made_of.hexdigest()[:12]


_MADE, _ENLARGED_MADE = "ready", "enlarged"
"""Files in the cluster's directory: that world is complete."""


async def _ensure_made(
    cluster: embedded.Cluster, enterprises: int, progress: ProgressCallback, *, enlarged: bool
) -> None:
    """Make the worlds that do not exist; apply migrations, grants, rule book and row security."""
    made, enlarged_made = (cluster.directory / name for name in (_MADE, _ENLARGED_MADE))
    if not made.exists():
        progress(f"making a world of {enterprises} enterprises, once")
        enlarged_made.unlink(missing_ok=True)
        await _make(cluster, enterprises)
        made.touch()
    await _bring_up_to_date(cluster, WORLD)
    if not enlarged:
        return
    if not enlarged_made.exists():
        progress("making it ten times as large beside it, once")
        await _make_enlarged(cluster)
        enlarged_made.touch()
    await _bring_up_to_date(cluster, ENLARGED)


async def _make(cluster: embedded.Cluster, enterprises: int) -> None:
    cluster.ensure_database(WORLD, fresh=True)
    at = cluster.role_urls(WORLD)
    await prepare_database(at.owner, embedded.APPLICATION, reader_role=embedded.READER)
    await open_registry(at.application, maxsize=2)
    try:
        await load_world(at.owner, enterprises)
    finally:
        await close_database()
    await _as_superuser(cluster, WORLD, "VACUUM (FREEZE, ANALYZE)")


async def _make_enlarged(cluster: embedded.Cluster) -> None:
    await _as_superuser(
        cluster,
        SUPERUSER,
        f"DROP DATABASE IF EXISTS {ENLARGED} WITH (FORCE)",
        f"CREATE DATABASE {ENLARGED} TEMPLATE {WORLD} OWNER {embedded.OWNER} STRATEGY file_copy",
    )
    superuser = await asyncpg.connect(cluster.url(SUPERUSER, ENLARGED))
    try:
        await multiply_data(superuser)
    finally:
        await superuser.close()
    await _as_superuser(cluster, ENLARGED, "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT")


async def _bring_up_to_date(cluster: embedded.Cluster, database: str) -> None:
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
_PERSON_SQL = """
    SELECT p.subject FROM organisation o JOIN person p ON p.organisation_id = o.id
    WHERE o.id IN (SELECT id FROM organisation WHERE city = $1 AND kind = 'enterprise'
        ORDER BY name, id LIMIT $2)
    ORDER BY o.name DESC, o.id DESC, p.subject LIMIT 1
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
            "enterprise": await owner.fetchval(_PERSON_SQL, CITY, PERSONA_ROW),
            "province": "province-130000-a",
        }
        personas = {}
        for name, subject in subjects.items():
            row = await owner.fetchrow(_PERSONAS_SQL, subject)
            assert row is not None, f"every world has {subject}"
            personas[name] = Persona(name=name, **row)
        ids = tuple(row["id"] for row in await owner.fetch(_ENTERPRISES_SQL, CITY, IDS_MAX))
        sizes = {
            table: await owner.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - ours
            for table in _COUNTED_TABLES
        }
    finally:
        await owner.close()
    return World(cluster, **personas, ids=ids, sizes=sizes)
