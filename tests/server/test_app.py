"""The application over HTTP, with the sample's schema."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import strawberry
from httpx2 import Response
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

import schema.framework.read_transaction
import server.app
from registry.access.principals import Principal
from registry.parties.persisted_queries import PersistedQueryLookup
from schema.documents.rate_limit import RateLimiter
from server.app import Components, create_app
from server.auth.authenticator import TokenAuthenticator
from server.auth.demo_tokens import DemoTokenSigner
from server.auth.jwks import static_keys
from server.graphql.persisted_queries import PersistedQueryCache
from server.graphql.request_preparation import (
    PREPARED_KEY,
    STARTED_AT_KEY,
    RequestPreparer,
    client_address,
)
from server.graphql.view import GRAPHQL, JSON, negotiate_media_type
from server.settings import Mode, Settings
from tests.schema.sample import Mutation, build_sample_schema
from tests.server.test_authenticator import KEY

SETTINGS = Settings(body_bytes_max=20_000)


@strawberry.type
class Query:
    """What the tests ask."""

    @strawberry.field(description="Who asks 请求者.")
    def caller(self, info: strawberry.Info) -> str:
        """The caller as sign-in knows him."""
        return repr(info.context.caller)

    @strawberry.field(description="Slow 缓慢.")
    async def slow(self) -> str:
        """Longer than is allowed."""
        await asyncio.sleep(60)
        return "late"

    @strawberry.field(description="A bug 错误.")
    def bug(self) -> str:
        """Raise what nobody expects."""
        raise ZeroDivisionError

    @strawberry.field(description="Twice 两倍.")
    def twice(self, number: int) -> int:
        """For variables."""
        return 2 * number


SIGNER = DemoTokenSigner(SETTINGS, KEY)
SCHEMA = build_sample_schema(Query, Mutation)


async def _none(_client: str, _sha256: str) -> PersistedQueryLookup:
    return PersistedQueryLookup()


PREPARER = RequestPreparer(
    SCHEMA.document_cache,
    RateLimiter(SETTINGS.rate_limit_points_per_minute, time.monotonic, wall_clock=time.time),
    PersistedQueryCache(_none),
)


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


@pytest.fixture
def settings() -> Settings:
    return SETTINGS


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[TestClient]:
    """A client of the running application."""
    monkeypatch.setattr(schema.framework.read_transaction, "read_only_transaction", _nothing)
    keys = static_keys(SIGNER.public_keys())
    parts = Components(
        settings, SCHEMA, TokenAuthenticator(settings, keys), _nothing, PREPARER, SIGNER.public_keys
    )
    with TestClient(create_app(parts), raise_server_exceptions=False) as running:
        yield running


def post_body(client: TestClient, body: object, **headers: str) -> Response:
    return client.post("/graphql", json=body, headers=headers)


def test_an_anonymous_request_is_answered(client: TestClient) -> None:
    answer = post_body(client, {"query": "{ caller }"})

    assert answer.status_code == 200
    assert "subject=''" in answer.json()["data"]["caller"]


def test_a_token_names_the_caller(client: TestClient) -> None:
    token = SIGNER.issue_token("wang", client="test", seconds=60)

    answer = post_body(client, {"query": "{ caller }"}, authorization=f"Bearer {token}")

    assert "subject='wang'" in answer.json()["data"]["caller"]


def test_a_bad_token_is_challenged_and_never_answered_as_public(client: TestClient) -> None:
    answer = post_body(client, {"query": "{ caller }"}, authorization="Bearer x")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith(
        'Bearer realm="biandan", error="invalid_token"'
    )
    assert answer.json()["errors"][0]["extensions"]["code"] == "SIGN_IN_REQUIRED"


def test_a_malformed_appointment_is_a_bad_request(client: TestClient) -> None:
    answer = post_body(client, {"query": "{ caller }"}, **{"Biandan-Appointment": "x"})

    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_only_post_asks(client: TestClient, method: str) -> None:
    answer = client.request(method, "/graphql?query={__typename}")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"3",
        b"null",
        b'"x"',
        b"[]",
        b'[{"query":"{__typename}"}]',
        b"{}",
        b'{"query":3}',
        b'{"query":"{__typename}","operationName":3}',
        b'{"query":"{__typename}","variables":[1]}',
        b'{"query":"{__typename}","variables":"{}"}',
        b'{"query":"{__typename}","extensions":"{}"}',
        b'{"query":"{__typename}","variables":{"a":"\\u0000"}}',
        b'{"query":"{caller}","variables":{"a":[{"\\u0000":1}]}}',
        b'{"query":"{caller}","extensions":{"a":"\\u0000"}}',
        b'{"query":"\xff"}',
        b'{"query":"\\ud800"}',
        b"[" * 5000,
    ],
)
def test_malformed_request_bodies_are_bad_requests(client: TestClient, body: bytes) -> None:
    answer = client.post("/graphql", content=body, headers={"content-type": JSON})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "MALFORMED"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_media_types_of_cross_site_forms_are_refused(client: TestClient, kind: str) -> None:
    answer = client.post(
        "/graphql", content=b'{"query":"{caller}"}', headers={"content-type": kind}
    )

    assert answer.status_code == 400


def test_a_large_request_body_is_not_read(client: TestClient) -> None:
    answer = post_body(client, {"query": "{ caller }", "variables": {"x": "y" * 30_000}})

    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "TOO_LARGE"


def test_a_large_chunked_request_body_is_not_read_to_its_end(
    client: TestClient,
) -> None:
    answer = client.post(
        "/graphql", content=(b" " * 1_000 for _ in range(30)), headers={"content-type": JSON}
    )

    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "TOO_LARGE"


@pytest.mark.parametrize(
    "query",
    [
        '{ caller(a: "\\u0000") }',
        '{ caller(a: "\\u{0}") }',
        '{ caller(a: "\\ud800") }',
        '{ caller(a: "\\u{dfff}") }',
        "{ twice(number: " + "9" * 5_000 + ") }",
        "{ twice(number: 1, first: " + "9" * 5_000 + ") }",
        "{ twice(number: " + "9" * 5_000 + ".5) }",
        "{ caller" * 600 + "}" * 600,
        "{ caller(a: " + "[" * 900 + "]" * 900 + ") }",
        "query ($a: " + "[" * 900 + "Int" + "]" * 900 + ") { caller }",
        "{",
    ],
)
def test_validation_errors_have_our_own_messages(client: TestClient, query: str) -> None:
    answer = post_body(client, {"query": query}, accept=GRAPHQL)

    assert answer.status_code == 400
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {"MALFORMED"}
    assert "int_max_str_digits" not in answer.text


def test_a_backslash_is_a_character_like_any_other(client: TestClient) -> None:
    answer = client.post(
        "/graphql",
        content=b'{"query":"{caller}","variables":{"path":"C:\\\\u0000"}}',
        headers={"content-type": JSON},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("query", ["{", "{ nothing }", "query ($n: Int!) { twice(number: $n) }"])
def test_a_faulty_request_has_its_status_in_the_newer_type_alone(
    client: TestClient, query: str
) -> None:
    newer = post_body(client, {"query": query}, accept=GRAPHQL)
    older = post_body(client, {"query": query}, accept=JSON)

    assert (newer.status_code, older.status_code) == (400, 200)
    assert newer.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert older.headers["content-type"] == f"{JSON}; charset=utf-8"
    assert "data" not in newer.json()


def test_an_error_of_a_field_keeps_the_status_and_the_data(client: TestClient) -> None:
    answer = post_body(client, {"query": "{ bug }"}, accept=GRAPHQL)

    assert answer.status_code == 200
    assert answer.json()["data"] is None
    assert answer.json()["errors"][0]["message"] == "Internal error"


@pytest.mark.parametrize("settings", [Settings(operation_seconds_max=1)])
def test_what_takes_too_long_is_given_up(client: TestClient) -> None:
    answer = post_body(client, {"query": "{ slow }"})

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"


def test_answers_are_compact(client: TestClient) -> None:
    answer = post_body(
        client, {"query": "query ($n: Int!) { twice(number: $n) }", "variables": {"n": 2}}
    )

    assert answer.content == b'{"data":{"twice":4}}'


def test_every_answer_has_a_number_and_security_headers(client: TestClient) -> None:
    for answer in (
        client.get("/"),
        client.get("/healthz"),
        client.get("/none"),
        post_body(client, {}),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"]


def test_the_process_lives_and_is_not_ready_without_a_database(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(_: str) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(server.app, "read_only_transaction", _nothing)
    monkeypatch.setattr(server.app, "fetch_one", refused)

    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").status_code == 503


def test_the_demonstration_publishes_its_public_key_alone(client: TestClient) -> None:
    (key,) = client.get("/.well-known/jwks.json").json()["keys"]

    assert key["kid"] == KEY.kid
    assert "d" not in key


def test_production_publishes_no_keys_of_its_own() -> None:
    settings = Settings.model_validate(
        {
            "mode": Mode.PRODUCTION,
            "issuer": "https://i.example",
            "audience": "biandan",
            "jwks_url": "https://i.example/keys",
            "DATABASE_URL": "postgresql://u@h/d",
        }
    )
    parts = Components(
        settings,
        SCHEMA,
        TokenAuthenticator(settings, static_keys({})),
        _nothing,
        PREPARER,
        SIGNER.public_keys,
    )

    with TestClient(create_app(parts)) as client:
        assert client.get("/.well-known/jwks.json").status_code == 404
        assert "strict-transport-security" in client.get("/healthz").headers


def test_the_landing_page_describes_the_service(client: TestClient) -> None:
    page = client.get("/").text

    assert "/graphql" in page
    assert "演示" in page


@pytest.mark.parametrize(
    ("header", "agreed"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{JSON};q=0.9, {GRAPHQL};q=0.8", JSON),
        (f"{GRAPHQL};q=0, */*;q=0.1", JSON),
        (f"{GRAPHQL.upper()}; charset=utf-8", GRAPHQL),
        (f"{GRAPHQL};q=x", None),
        ("text/html", None),
        (f"{JSON};q=0", None),
    ],
)
def test_the_media_type_is_the_one_that_is_liked_best(header: str, agreed: str | None) -> None:
    assert negotiate_media_type(header) == agreed


def test_nobody_is_answered_in_a_type_not_accepted(client: TestClient) -> None:
    assert post_body(client, {"query": "{ caller }"}, accept="text/html").status_code == 406


def test_a_prepared_request_is_not_charged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema.framework.read_transaction, "read_only_transaction", _nothing)
    # The public may have one point, and the other door takes it.
    entrance = RequestPreparer(
        SCHEMA.document_cache,
        RateLimiter(10, lambda: 0, wall_clock=lambda: 0),
        PersistedQueryCache(_none),
    )
    parts = Components(
        SETTINGS, SCHEMA, TokenAuthenticator(SETTINGS, static_keys({})), _nothing, entrance
    )
    app = create_app(parts)

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "other-door" in scope["query_string"].decode():
            scope[PREPARED_KEY] = await entrance.prepare(
                Principal(),
                client_address(scope),
                query=query,
                operation_name=None,
                extensions=None,
            )
        await app(scope, receive, send)

    query, body = "{ caller }", {"query": "{ caller }"}
    with TestClient(door) as client:
        through = client.post("/graphql?other-door", json=body)
        charged = client.post("/graphql", json=body)

    assert "data" in through.json()
    assert charged.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


def test_time_spent_on_preparation_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema.framework.read_transaction, "read_only_transaction", _nothing)
    parts = Components(
        SETTINGS, SCHEMA, TokenAuthenticator(SETTINGS, static_keys({})), _nothing, PREPARER
    )
    app = create_app(parts)

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            now = asyncio.get_running_loop().time()
            scope[STARTED_AT_KEY] = now + 0.2 - SETTINGS.operation_seconds_max
        await app(scope, receive, send)

    with TestClient(door) as client:
        answer = client.post("/graphql", json={"query": "{ slow }"})

    assert answer.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert answer.elapsed.total_seconds() < SETTINGS.operation_seconds_max


def test_the_answer_is_json(client: TestClient) -> None:
    assert json.loads(post_body(client, {"query": "{ __typename }"}).content) == {
        "data": {"__typename": "Query"}
    }
