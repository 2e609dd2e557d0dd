"""The registry: one process as `biandan serve` starts it, with sign-in, rules and limits."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.reading.http_requests import Api, Requests
from benchmarks.reading.server_process import Server, free_port, serve_program
from benchmarks.reading.world import WORLD, Persona, World
from server.auth.demo_tokens import load_signer
from server.settings import Settings

NAME = "ours"
CONNECTIONS_MAX = 10
"""Database connections of each server."""

_TOKEN_SECONDS = 6 * 3600
# All limits have their defaults but one: the rate limit would end the measurement.
_SETTINGS = {"BIANDAN_RATE_LIMIT_POINTS_PER_MINUTE": "1000000000"}


def our_api(world: World) -> Api:
    """The registry of this world, asked by signed-in people."""
    signer = load_signer(Settings(), world.cluster.directory)
    tokens: dict[str, str] = {}

    def headers(persona: Persona) -> Mapping[str, str]:
        if persona.subject not in tokens:
            tokens[persona.subject] = signer.issue_token(
                persona.subject, client="demonstration", seconds=_TOKEN_SECONDS
            )
        return {"Authorization": f"Bearer {tokens[persona.subject]}"}

    return Api(lambda query: query.ours, headers)


@contextmanager
def serve_registry(world: World, first: Requests, database: str = WORLD) -> Iterator[Server]:
    """The registry running on one of the databases.

    Raises:
        Unavailable: it does not start.

    """
    port = free_port()
    env = {
        **_SETTINGS,
        "DATABASE_URL": world.application(database),
        "BIANDAN_STATE_DIR": str(world.cluster.directory),
        "BIANDAN_PORT": str(port),
        "BIANDAN_DATABASE_CONNECTIONS_MAX": str(CONNECTIONS_MAX),
        "BIANDAN_LOG_FORMAT": "json",
    }
    program = [sys.executable, "-m", "server.admin.cli", "serve"]
    with serve_program(program, env, port=port, first=first) as server:
        yield server
