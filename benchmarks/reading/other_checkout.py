"""The registry of another checkout, running beside this one on a world of its own."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID

from benchmarks.reading.comparison import HttpCompetitor
from benchmarks.reading.http_requests import Api, RequestBuilder
from benchmarks.reading.ours import CONNECTIONS_MAX
from benchmarks.reading.queries import Query, SchemaQuery, by_id_query
from benchmarks.reading.server_process import Unavailable, free_port, serve_program
from benchmarks.reading.world import Persona

NAME = "other checkout"
TOKEN_MINUTES = 360

_WORLD_OPENER = Path(__file__).with_name("checkout_world.py")
_NO_RATE_LIMIT = "1000000000"


@dataclass(frozen=True, slots=True)
class Checkout:
    """Another checkout of the registry, set up by its ``./dev``."""

    directory: Path

    @property
    def is_before_rename(self) -> bool:
        """Whether it has the API and the settings of commit 3f3d4a3."""
        return not (self.directory / "server" / "admin").is_dir()

    def wording(self, query: Query) -> SchemaQuery:
        """The query in its API."""
        return query.previous if self.is_before_rename else query.ours

    def program(self, name: str) -> str:
        """The path of a program of its environment.

        Raises:
            Unavailable: its environment does not exist.

        """
        path = self.directory / ".venv" / "bin" / name
        if not path.exists():
            raise Unavailable(f"{path} does not exist; run `./dev run true` in that checkout.")
        return str(path)

    def environment(self, world: "CheckoutWorld") -> dict[str, str]:
        """The settings of its registry on its world."""
        state, rate_limit = "BIANDAN_STATE_DIR", "BIANDAN_RATE_LIMIT_POINTS_PER_MINUTE"
        if self.is_before_rename:
            state, rate_limit = "BIANDAN_STATE", "BIANDAN_COST_PER_MINUTE"
        return {
            state: world.directory,
            rate_limit: _NO_RATE_LIMIT,
            "DATABASE_URL": world.database,
            "BIANDAN_DATABASE_CONNECTIONS_MAX": str(CONNECTIONS_MAX),
            "BIANDAN_LOG_FORMAT": "json",
        }

    def issue_token(self, subject: str, settings: Mapping[str, str]) -> str:
        """An access token that its registry accepts."""
        program = [self.program("biandan"), "token", subject, "--client", "demonstration"]
        return subprocess.run(  # noqa: S603
            [*program, "--minutes", str(TOKEN_MINUTES)],
            env={**os.environ, **settings},
            cwd=self.directory,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()


@dataclass(frozen=True, slots=True)
class CheckoutWorld:
    """The world of another checkout.

    Attributes:
        database: URL of the database for its registry's role.
        directory: state directory, with the key of its tokens.
        postmaster: process of its database server.
        ids: identifiers of enterprises of the measured city.

    """

    database: str
    directory: str
    postmaster: int
    ids: tuple[str, ...]


@contextmanager
def _open_world(checkout: Checkout, enterprises: int) -> Iterator[CheckoutWorld]:
    """Its world, made by its own code, as long as the context lasts."""
    program = [checkout.program("python"), "-c", _WORLD_OPENER.read_text(), str(enterprises)]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603
        program, cwd=checkout.directory, stdin=pipe, stdout=pipe, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            line = running.stdout.readline()
            if not line:
                raise Unavailable(f"the world of {checkout.directory} cannot be opened.")
            address = json.loads(line)
            yield CheckoutWorld(**{**address, "ids": tuple(address["ids"])})
        finally:
            running.stdin.close()


@contextmanager
def serve_checkout(
    checkout: Checkout, enterprises: int, persona: Persona
) -> Iterator[tuple[HttpCompetitor, tuple[UUID, ...]]]:
    """The other registry running, with the identifiers that it can be asked for.

    Raises:
        Unavailable: it is not set up, or does not start.

    """
    port = free_port()
    with _open_world(checkout, enterprises) as world:
        settings = {**checkout.environment(world), "BIANDAN_PORT": str(port)}

        @cache
        def headers(subject: str) -> Mapping[str, str]:
            return {"Authorization": f"Bearer {checkout.issue_token(subject, settings)}"}

        ids = tuple(map(UUID, world.ids))
        api = Api(checkout.wording, lambda who: headers(who.subject))
        first = api.requests(by_id_query(ids), persona)
        program = [checkout.program("biandan"), "serve"]
        with serve_program(
            program, settings, port=port, first=first, cwd=checkout.directory
        ) as server:
            builder = RequestBuilder(api, port)
            yield HttpCompetitor(NAME, server, world.postmaster, builder), ids
