"""The real application over real HTTP, on the test's own database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import httpx2

from registry.access.viewer_cache import ViewerCache
from registry.parties.records import Person
from registry.reading.reader_pool import ReaderPool
from schema.planning.query_runner import QueryRunner
from schema.root import build_api_schema
from server.app import Components, create_app
from server.auth.authenticator import TokenAuthenticator
from server.auth.demo_tokens import DemoTokenSigner
from server.auth.jwks import static_keys
from server.background.access_poller import poll_access
from server.composition import create_handler, create_reader_pool, document_limits
from server.http.granian_server import bind, open_server
from server.settings import Settings
from tests.server.test_authenticator import KEY
from tests.support.cluster import Database

SETTINGS = Settings()
SIGNER = DemoTokenSigner(SETTINGS, KEY)
CLIENT = "demonstration"


@dataclass
class Portal:
    """A client of the running application."""

    http: httpx2.AsyncClient
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    async def post(
        self, query: str, variables: dict[str, Any] | None = None, **headers: str
    ) -> httpx2.Response:
        """The bare answer to a document."""
        return await self.http.post(
            "/graphql", json={"query": query, "variables": variables or {}}, headers=headers
        )

    async def ask(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        *,
        subject: str = "",
        appointment: UUID | str | None = None,
        client: str = CLIENT,
    ) -> dict[str, Any]:
        """The whole response with its errors; without a subject, to the public."""
        headers = {"authorization": f"Bearer {self.token(subject, client)}"} if subject else {}
        if appointment:
            headers["biandan-appointment"] = str(appointment)
        response = await self.post(query, variables, **headers)
        answer: dict[str, Any] = response.json()
        for error in answer.get("errors", ()):
            assert {"code", "messageZh", "retryable"} <= error["extensions"].keys(), error
        return answer

    async def data(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        *,
        subject: str = "",
        appointment: UUID | str | None = None,
        client: str = CLIENT,
    ) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        answer = await self.ask(
            query, variables, subject=subject, appointment=appointment, client=client
        )
        assert "errors" not in answer, answer["errors"]
        found: dict[str, Any] = answer["data"]
        return found

    def token(self, subject: str, client: str = CLIENT) -> str:
        """An access token, signed once for each person and program."""
        named = (subject, client)
        if named not in self.tokens:
            self.tokens[named] = SIGNER.issue_token(subject, client=client, seconds=3600)
        return self.tokens[named]


@asynccontextmanager
async def open_portal(*, planned: Database | None = None) -> AsyncIterator[Portal]:
    """The application on a free port of loopback, on the database that the test has opened.

    With ``planned``, which names that database, queries are answered by plans, as in operation.
    """
    schema = build_api_schema(document_limits(SETTINGS))
    authenticator = TokenAuthenticator(SETTINGS, static_keys(SIGNER.public_keys()))
    runner, viewers, open_runtime = None, None, _opened_elsewhere
    if planned is not None:
        assert schema.planner is not None, "the whole schema has plans"
        viewers = ViewerCache(max_entries=100)
        readers = create_reader_pool(SETTINGS, planned.reader_url)
        runner = QueryRunner(schema.planner, viewers, readers)
        open_runtime = partial(_poll_access, viewers, readers, planned.application_url)
    parts = Components(
        SETTINGS,
        create_handler(SETTINGS, schema, authenticator, runner),
        open_runtime,
        viewers,
        SIGNER.public_keys,
    )
    with bind(SETTINGS.model_copy(update={"port": 0})) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            open_server(create_app(parts), SETTINGS, listener),
            httpx2.AsyncClient(base_url=address, timeout=30) as http,
        ):
            yield Portal(http)


@asynccontextmanager
async def _opened_elsewhere() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def _poll_access(viewers: ViewerCache, readers: ReaderPool, url: str) -> AsyncIterator[None]:
    async with poll_access(viewers, url):
        yield
    await readers.close()


async def subject_of(person_id: UUID) -> str:
    """How a person signs in."""
    return (await Person.get(id=person_id)).subject
