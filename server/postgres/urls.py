"""Where the database is: the one the operator names, or the embedded one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from server.postgres import embedded
from server.settings import ConfigurationError, Settings


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """URLs of one database for each role that a process may take; all but one may be empty."""

    owner: str
    application: str
    reader: str
    reader_role: str | None

    @property
    def application_role(self) -> str:
        """The role's name."""
        return urlsplit(self.application).username or ""

    def require_owner_url(self) -> str:
        """The owner's URL.

        Raises:
            Unfit: it was not given.

        """
        if not self.owner:
            raise ConfigurationError("This needs BIANDAN_OWNER_URL beside DATABASE_URL.")
        return self.owner


@contextmanager
def open_database_urls(
    settings: Settings, database: str = embedded.DATABASE, *, fresh: bool = False
) -> Iterator[DatabaseUrls]:
    """The database of the settings, else one of the embedded cluster, which runs meanwhile.

    With ``fresh`` an embedded database is made anew, without anything of before.

    The embedded server is stopped afterwards, unless another process uses it too.

    Raises:
        EmbeddedFailed: it cannot be made or started.

    """
    if settings.database_url:
        if fresh:
            raise ConfigurationError(
                "Only an embedded database is begun anew; DATABASE_URL names another."
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
