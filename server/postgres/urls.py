"""The URLs of the database: the one that the settings name, or the embedded one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from server.postgres import embedded
from server.settings import ConfigurationError, Settings


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """The URL of one database for each role; only that of the application role is always set."""

    owner: str
    application: str
    reader: str
    reader_role: str | None

    @property
    def application_role(self) -> str:
        return urlsplit(self.application).username or ""

    def require_owner_url(self) -> str:
        if not self.owner:
            raise ConfigurationError("This needs BIANDAN_OWNER_URL beside DATABASE_URL.")
        return self.owner


@contextmanager
def open_database_urls(
    settings: Settings, database: str = embedded.DATABASE, *, fresh: bool = False
) -> Iterator[DatabaseUrls]:
    """The database that the settings name, else a database of the embedded cluster.

    The embedded server runs until the end of the block, and longer if another process uses it.

    Raises:
        ConfigurationError: ``fresh`` is set, but the settings name a database.
        EmbeddedDatabaseError: the server cannot be made or started.

    """
    if settings.database_url:
        if fresh:
            raise ConfigurationError(
                "`--fresh` drops only the embedded database; DATABASE_URL names another one."
            )
        role = urlsplit(settings.reader_url).username if settings.reader_url else None
        yield DatabaseUrls(settings.owner_url, settings.database_url, settings.reader_url, role)
        return
    cluster = embedded.start(settings.state_dir)
    try:
        cluster.ensure_database(database, fresh=fresh)
        addresses = cluster.role_urls(database)
        yield DatabaseUrls(
            addresses.owner, addresses.application, addresses.reader, embedded.READER
        )
    finally:
        cluster.stop()
