"""Puts the parts together: which database, whose keys, under which rules."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg

from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.authorizer import gate
from registry.access.rulebook_store import (
    SHIPPED,
    books_of,
    import_book,
    load_edition,
    newest_version,
)
from registry.access.viewer_cache import Standings
from registry.db.migrations.runner import migrate
from registry.db.session import close_database, open_database, row
from registry.reading.reader_pool import Readers
from schema.build import GovernedSchema
from schema.documents.cost import Limits
from schema.documents.rate_limit import Rates
from schema.root import whole_schema
from seeds.reference.loader import load_reference
from server.app import Parts
from server.auth.authenticator import SignIn
from server.auth.demo_tokens import DemonstrationSigner
from server.auth.jwks import Keys, keys_at, keys_given, keys_in
from server.background.access_poller import polling
from server.background.expiry_sweeper import housekeeping
from server.graphql.persisted_queries import Registered
from server.graphql.request_preparation import Entrance
from server.postgres.urls import Places
from server.settings import Settings, Unfit

_TOO_MIGHTY = """
    SELECT r.rolsuper OR EXISTS (
        SELECT FROM pg_class c
        WHERE c.relname = 'posting' AND pg_has_role(current_user, c.relowner, 'MEMBER')
    ) AS mighty
    FROM pg_roles r WHERE r.rolname = current_user
"""


def limits_of(settings: Settings) -> Limits:
    """The limits of a document, as the operator set them."""
    return Limits(
        tokens=settings.document_tokens_max,
        depth=settings.depth_max,
        aliases=settings.aliases_max,
        directives=settings.directives_max,
        page=settings.page_max,
        nodes=settings.nodes_max,
        roots=settings.roots_max,
        cost=settings.cost_per_operation_max,
        documents=settings.documents_max,
        documents_bytes=settings.documents_bytes_max,
    )


def entrance_of(settings: Settings, schema: GovernedSchema) -> Entrance:
    """What all ways in share: admission, points, and the documents of client programs."""
    rates = Rates(settings.cost_per_minute, time.monotonic, time=time.time)
    return Entrance(schema.admissions, rates, Registered())


def compose(settings: Settings, at: Places, signer: DemonstrationSigner | None) -> Parts:
    """The parts of the application.

    Args:
        settings: of this process.
        at: where the database is.
        signer: the demonstration's own; None where tokens come from outside.

    Raises:
        Unfit: nobody's tokens could be checked.

    """
    schema = whole_schema(limits_of(settings))
    standings = Standings(most=settings.standings_max)
    readers = readers_of(settings, at.reader or at.application)
    return Parts(
        settings=settings,
        schema=schema,
        sign_in=SignIn(settings, _keys(settings, signer)),
        opened=partial(_serving, settings, at.application, standings, readers),
        standings=standings,
        readers=readers,
        entrance=entrance_of(settings, schema),
        demonstration_keys=signer.public_keys if signer else None,
    )


def readers_of(settings: Settings, url: str) -> Readers:
    """Connections for plans; a plan has half the time of an operation, which may need the rest."""
    return Readers(
        url,
        most=settings.reader_connections_max,
        at_once=settings.reader_statements_at_once,
        waiting=settings.requests_running_max,
        seconds=max(1, settings.operation_seconds_max // 2),
    )


@asynccontextmanager
async def _serving(
    settings: Settings, url: str, standings: Standings, readers: Readers
) -> AsyncIterator[None]:
    """What must be open while it serves."""
    async with opened(settings, url, standings):
        try:
            yield
        finally:
            await readers.close()


@asynccontextmanager
async def opened(settings: Settings, url: str, standings: Standings) -> AsyncIterator[None]:
    """The database open, the newest edition of the rule book in force, the standings kept current.

    Raises:
        Unfit: the role could write the ledger past its one writer, or production meets a
            demonstration's clock.

    """
    async with _fit(settings, url):
        gate.use(await load_edition())
        async with polling(standings, url), housekeeping():
            yield


async def checked(settings: Settings, url: str) -> None:
    """Open the database once and close it, so that what is unfit is told in one sentence.

    Raises:
        Unfit: see ``opened``.
        LookupError: no edition of the rule book was imported.

    """
    async with _fit(settings, url):
        version = await newest_version()
        if not await books_of([version]):
            raise LookupError(f"there is no edition {version} of the rule book")


@asynccontextmanager
async def _fit(settings: Settings, url: str) -> AsyncIterator[None]:
    """The database open, where it may be served."""
    await open_database(url, maxsize=settings.database_connections_max)
    try:
        found = await row(_TOO_MIGHTY)
        if found is None or found["mighty"]:
            raise Unfit(
                "DATABASE_URL names a superuser or the tables' owner; give the application role."
            )
        await _check_clock(settings)
        yield
    finally:
        await close_database()


async def _check_clock(settings: Settings) -> None:
    """Refuse a clock that was moved, where time must be real."""
    moved = await row("SELECT 1 FROM registry_clock WHERE reads IS NOT NULL")
    if settings.production and moved is not None:
        raise Unfit("The registry clock of this database was moved: it is a demonstration's.")


async def prepare(
    owner_url: str, application_role: str, *, reader_role: str | None = None
) -> list[str]:
    """Bring tables, rights, reference data and rule book up to date; the migrations newly applied.

    Raises:
        MigrationRefused: database and migrations disagree.

    """
    applied = await migrate(owner_url, application_role, reader_role=reader_role)
    owner = await asyncpg.connect(owner_url)
    try:
        await load_reference(owner)
        await import_book(owner, RuleBook.load(SHIPPED, VOCABULARY))
    finally:
        await owner.close()
    return applied


def _keys(settings: Settings, signer: DemonstrationSigner | None) -> Keys:
    if settings.jwks_url:
        return keys_at(settings.jwks_url)
    if settings.jwks_file:
        if not settings.jwks_file.is_file():
            raise Unfit(f"BIANDAN_JWKS_FILE names no file: {settings.jwks_file}.")
        return keys_in(settings.jwks_file)
    if signer is None:
        raise Unfit("Nobody's tokens can be checked: give BIANDAN_JWKS_URL or BIANDAN_JWKS_FILE.")
    return keys_given(signer.public_keys())
