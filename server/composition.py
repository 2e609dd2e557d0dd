"""Puts the parts together: which database, whose keys, under which rules."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg

from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.authorizer import authorizer
from registry.access.rulebook_store import (
    BUNDLED_RULEBOOK,
    load_edition,
    load_rulebooks,
    newest_version,
    store_rulebook,
)
from registry.access.viewer_cache import ViewerCache
from registry.concepts import GRANTS, open_registry
from registry.db.migrations.runner import (
    PREDATES_RELEASE,
    PREDATES_RELEASE_MESSAGE,
    MigrationError,
    migrate,
)
from registry.db.session import close_database, fetch_one
from registry.reading.reader_pool import ReaderPool
from schema.build import GovernedSchema
from schema.documents.cost import Limits
from schema.documents.rate_limit import RateLimiter
from schema.planning.query_runner import QueryRunner
from schema.root import build_api_schema
from seeds.reference.loader import load_reference
from server.app import Components
from server.auth.authenticator import TokenAuthenticator
from server.auth.demo_tokens import DemoTokenSigner
from server.auth.jwks import KeySource, jwks_from_file, jwks_from_url, static_keys
from server.background.access_poller import poll_access
from server.background.expiry_sweeper import expiry_sweeper
from server.graphql.handler import GraphQLHandler
from server.graphql.persisted_queries import PersistedQueryCache
from server.observability.metrics import serve_metrics
from server.observability.statements import connection_listener
from server.observability.tracing import open_tracing
from server.postgres.urls import DatabaseUrls
from server.settings import ConfigurationError, Settings

_ROLE_IS_PRIVILEGED = """
    SELECT r.rolsuper OR EXISTS (
        SELECT FROM pg_class c
        WHERE c.relname = 'posting' AND pg_has_role(current_user, c.relowner, 'MEMBER')
    ) AS mighty
    FROM pg_roles r WHERE r.rolname = current_user
"""


def document_limits(settings: Settings) -> Limits:
    """The limits of a document, as the operator set them."""
    return Limits(
        tokens=settings.document_tokens_max,
        depth=settings.depth_max,
        aliases=settings.aliases_max,
        directives=settings.directives_max,
        page=settings.page_max,
        nodes=settings.nodes_max,
        roots=settings.max_root_fields,
        cost=settings.cost_per_operation_max,
        document_cache_size=settings.document_cache_size,
        document_cache_bytes=settings.document_cache_bytes,
    )


def compose(settings: Settings, urls: DatabaseUrls, signer: DemoTokenSigner | None) -> Components:
    """The components of the application."""
    schema = build_api_schema(document_limits(settings))
    viewers = ViewerCache(max_entries=settings.viewer_cache_size)
    readers = create_reader_pool(settings, urls.reader or urls.application)
    authenticator = TokenAuthenticator(settings, _key_source(settings, signer))
    runner = QueryRunner(schema.planner, viewers, readers) if schema.planner else None
    return Components(
        settings=settings,
        handler=create_handler(settings, schema, authenticator, runner),
        open_runtime=partial(_runtime_with_readers, settings, urls.application, viewers, readers),
        viewer_cache=viewers,
        demo_public_keys=signer.public_keys if signer else None,
    )


def create_handler(
    settings: Settings,
    schema: GovernedSchema,
    authenticator: TokenAuthenticator,
    runner: QueryRunner | None,
) -> GraphQLHandler:
    """The GraphQL endpoint; without a runner every query is executed by graphql-core."""
    return GraphQLHandler(
        schema,
        authenticator,
        PersistedQueryCache(),
        create_rate_limiter(settings),
        runner=runner,
    )


def create_rate_limiter(settings: Settings) -> RateLimiter:
    """The limiter of this process."""
    points = settings.rate_limit_points_per_minute
    return RateLimiter(points, time.monotonic, wall_clock=time.time)


def create_reader_pool(settings: Settings, url: str) -> ReaderPool:
    """Connections for plans."""
    return ReaderPool(
        url,
        max_connections=settings.reader_connections_max,
        statement_timeout=settings.operation_seconds_max,
        on_connect=connection_listener(settings, "reader"),
    )


@asynccontextmanager
async def _runtime_with_readers(
    settings: Settings, url: str, viewer_cache: ViewerCache, readers: ReaderPool
) -> AsyncIterator[None]:
    """The resources open while the application serves."""
    with serve_metrics(settings), open_tracing():
        async with open_runtime(settings, url, viewer_cache):
            try:
                yield
            finally:
                await readers.close()


@asynccontextmanager
async def open_runtime(
    settings: Settings, url: str, viewer_cache: ViewerCache
) -> AsyncIterator[None]:
    """The database open, the newest rule book in force, the cached viewers kept current."""
    async with _checked_database(settings, url):
        authorizer.activate(await load_edition())
        async with poll_access(viewer_cache, url), expiry_sweeper():
            yield


async def check_startup(settings: Settings, url: str) -> None:
    """Open the database once and close it, so that a wrong configuration is one sentence."""
    async with _checked_database(settings, url):
        version = await newest_version()
        if not await load_rulebooks([version]):
            raise LookupError(f"there is no edition {version} of the rule book")


@asynccontextmanager
async def _checked_database(settings: Settings, url: str) -> AsyncIterator[None]:
    """The database open, where it may be served."""
    await open_registry(
        url,
        maxsize=settings.database_connections_max,
        demo_figures=not settings.is_production,
        on_connect=connection_listener(settings, "application"),
    )
    try:
        found = await fetch_one(_ROLE_IS_PRIVILEGED)
        if found is None or found["mighty"]:
            raise ConfigurationError(
                "DATABASE_URL names a superuser or the tables' owner; give the application role."
            )
        await _check_schema()
        await _check_clock(settings)
        yield
    finally:
        await close_database()


async def _check_schema() -> None:
    """Refuse a database of a schema before 1.0, which no migration leads out of."""
    found = await fetch_one(PREDATES_RELEASE)
    if found is None or found["predates"]:
        raise MigrationError(PREDATES_RELEASE_MESSAGE)


async def _check_clock(settings: Settings) -> None:
    """Refuse a clock that was moved, where time must be real."""
    moved = await fetch_one("SELECT 1 FROM registry_clock WHERE base_time IS NOT NULL")
    if settings.is_production and moved is not None:
        raise ConfigurationError(
            "The registry clock of this database was moved: it is a demonstration's."
        )


async def prepare_database(
    owner_url: str, application_role: str, *, reader_role: str | None = None
) -> list[str]:
    """Bring tables, rights, reference data and rule book up to date; the migrations applied now."""
    applied = await migrate(owner_url, application_role, GRANTS, reader_role=reader_role)
    owner = await asyncpg.connect(owner_url)
    try:
        await load_reference(owner)
        await store_rulebook(owner, RuleBook.load(BUNDLED_RULEBOOK, VOCABULARY))
    finally:
        await owner.close()
    return applied


def _key_source(settings: Settings, signer: DemoTokenSigner | None) -> KeySource:
    if settings.jwks_url:
        return jwks_from_url(settings.jwks_url)
    if settings.jwks_file:
        if not settings.jwks_file.is_file():
            raise ConfigurationError(f"BIANDAN_JWKS_FILE names no file: {settings.jwks_file}.")
        return jwks_from_file(settings.jwks_file)
    if signer is None:
        raise ConfigurationError(
            "No token can be checked: give BIANDAN_JWKS_URL or BIANDAN_JWKS_FILE."
        )
    return static_keys(signer.public_keys())
