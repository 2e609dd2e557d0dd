"""The registry itself: one process as `biandan serve` starts it, with sign-in, rules and limits."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.reading.http_requests import Requests, encode_requests
from benchmarks.reading.queries import Query
from benchmarks.reading.server_process import Server, free_port, serve_program
from benchmarks.reading.world import WORLD, Persona, World
from server.auth.demo_tokens import DemoTokenSigner, load_signer
from server.settings import Settings

NAME = "ours"
CONNECTIONS_MAX = 10
"""Of the database, for each contender."""

PATH = "/graphql"
_TOKEN_SECONDS = 6 * 3600
# Limits are as they come; only how much a client may ask in a minute would end the measurement.
_RAISED_LIMITS = {"BIANDAN_RATE_LIMIT_POINTS_PER_MINUTE": "1000000000"}


def token_signer(world: World) -> DemoTokenSigner:
    """Whose tokens the registry of this world takes."""
    return load_signer(Settings(), world.cluster.directory)


def build_requests(world: World, query: Query, persona: Persona) -> Requests:
    """A query as a signed-in person sends it."""
    token = token_signer(world).issue_token(
        persona.subject, client="demonstration", seconds=_TOKEN_SECONDS
    )
    return encode_requests(
        query, query.ours, path=PATH, headers={"Authorization": f"Bearer {token}"}
    )


@contextmanager
def serve_registry(world: World, first: Requests, database: str = WORLD) -> Iterator[Server]:
    """The registry running on one of the databases.

    Raises:
        Missing: it does not come up.

    """
    port = free_port()
    env = {
        **_RAISED_LIMITS,
        "DATABASE_URL": world.application(database),
        "BIANDAN_STATE_DIR": str(world.cluster.directory),
        "BIANDAN_PORT": str(port),
        "BIANDAN_DATABASE_CONNECTIONS_MAX": str(CONNECTIONS_MAX),
        "BIANDAN_LOG_FORMAT": "json",
    }
    with serve_program(
        [sys.executable, "-m", "server.admin.cli", "serve"], env, port=port, first=first
    ) as one:
        yield one
