"""The application over HTTP, with the sample's schema."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import strawberry
from httpx2 import Response
from starlette.testclient import TestClient

import server.app
from registry.access.viewer_cache import ViewerCache
from registry.parties.persisted_queries import PersistedQueryLookup
from registry.reading.reader_pool import ReaderPool
from schema.build import GovernedSchema
from schema.planning.query_runner import QueryRunner
from schema.root import build_api_schema
from server.app import Components, create_app
from server.auth.authenticator import TokenAuthenticator
from server.auth.demo_tokens import DemoTokenSigner
from server.auth.jwks import static_keys
from server.composition import create_rate_limiter
from server.graphql.handler import GraphQLHandler
from server.graphql.persisted_queries import PersistedQueryCache
from server.graphql.request import GRAPHQL, JSON
from server.settings import Mode, Settings
from tests.schema.sample import Mutation, build_sample_schema
from tests.server.test_authenticator import KEY

SETTINGS = Settings(body_bytes_max=20_000)


@strawberry.type
class Query:
    """The query of the tests."""

    @strawberry.field(description="Who asks 请求者.")
    def caller(self, info: strawberry.Info) -> str:
        """The authenticated principal."""
        return repr(info.context.caller)

    @strawberry.field(description="Slow 缓慢.")
    async def slow(self) -> str:
        """Longer than is allowed."""
        await asyncio.sleep(60)
        return "late"

    @strawberry.field(description="A bug 错误.")
    def bug(self) -> str:
        """Raise an unexpected error."""
        raise ZeroDivisionError

    @strawberry.field(description="Twice 两倍.")
    def twice(self, number: int) -> int:
        """For variables."""
        return 2 * number


SIGNER = DemoTokenSigner(SETTINGS, KEY)
SCHEMA = build_sample_schema(Query, Mutation)


async def _none(_client: str, _sha256: str) -> PersistedQueryLookup:
    return PersistedQueryLookup()


def build_handler(
    settings: Settings, schema: GovernedSchema = SCHEMA, runner: QueryRunner | None = None
) -> GraphQLHandler:
    """The endpoint of a schema; of the sample's where no other is given."""
    return GraphQLHandler(
        schema,
        TokenAuthenticator(settings, static_keys(SIGNER.public_keys())),
        PersistedQueryCache(_none),
        create_rate_limiter(settings),
        runner=runner,
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
    parts = Components(
        settings, build_handler(settings), _nothing, demo_public_keys=SIGNER.public_keys
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
        settings, build_handler(settings), _nothing, demo_public_keys=SIGNER.public_keys
    )

    with TestClient(create_app(parts)) as client:
        assert client.get("/.well-known/jwks.json").status_code == 404
        assert "strict-transport-security" in client.get("/healthz").headers


def test_the_landing_page_describes_the_service(client: TestClient) -> None:
    page = client.get("/").text

    assert "/graphql" in page
    assert "演示" in page


def test_nobody_is_answered_in_a_type_not_accepted(client: TestClient) -> None:
    assert post_body(client, {"query": "{ caller }"}, accept="text/html").status_code == 406


def test_a_path_with_a_slash_at_its_end_is_answered_without_a_redirect(client: TestClient) -> None:
    answer = client.post(
        "/graphql/",
        json={"query": "{ __typename }"},
        headers={"host": "elsewhere.example"},
        follow_redirects=False,
    )

    assert answer.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("target", "headers", "body"),
    [
        ("GET /graphql", {}, b""),
        ("GET /none", {}, b""),
        ("POST /healthz", {}, b""),
        ("POST /graphql", {"accept": "text/html"}, b"{}"),
        ("POST /graphql", {"content-type": "text/plain"}, b"{}"),
        ("POST /graphql", {"authorization": "Bearer x"}, b'{"query":"{ caller }"}'),
        ("POST /graphql", {"biandan-appointment": "x"}, b'{"query":"{ caller }"}'),
        ("POST /graphql", {}, b"{"),
        ("POST /graphql", {}, b"[]"),
        ("POST /graphql", {}, b"{}"),
        ("POST /graphql", {}, b'{"query":3}'),
        ("POST /graphql", {}, b'{"query":"{"}'),
        ("POST /graphql", {}, b'{"query":"{ nothing }"}'),
        ("POST /graphql", {}, b'{"query":"{ bug }"}'),
        ("POST /graphql", {}, b'{"query":"query A { bug }","operationName":"B"}'),
        ("POST /graphql", {}, b'{"extensions":{"persistedQuery":7}}'),
        (
            "POST /graphql",
            {},
            b'{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"%b"}}}' % (b"0" * 64),
        ),
        ("POST /graphql", {}, b" " * 30_000),
    ],
)
def test_every_error_has_a_code_and_a_chinese_message_and_says_whether_to_retry(
    client: TestClient, target: str, headers: dict[str, str], body: bytes
) -> None:
    method, path = target.split()
    answer = client.request(method, path, content=body, headers={"content-type": JSON} | headers)

    (error,) = answer.json()["errors"]
    assert error["message"]
    assert error["extensions"]["code"]
    assert isinstance(error["extensions"]["retryable"], bool)
    assert any("\u4e00" <= character <= "\u9fff" for character in error["extensions"]["messageZh"])


def test_a_bug_outside_of_resolvers_is_answered_with_an_id(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(PersistedQueryCache, "document_text", fails)

    answer = post_body(client, {"query": "{ caller }"})

    (error,) = answer.json()["errors"]
    assert answer.status_code == 500
    assert error["message"] == "Internal error"
    assert error["extensions"]["id"]


def test_a_query_is_refused_while_access_is_not_polled() -> None:
    schema = build_api_schema()
    assert schema.planner is not None
    readers = ReaderPool(
        "postgresql://nobody@127.0.0.1:1/none", max_connections=1, statement_timeout=1
    )
    runner = QueryRunner(schema.planner, ViewerCache(max_entries=1), readers)
    parts = Components(SETTINGS, build_handler(SETTINGS, schema, runner), _nothing)

    with TestClient(create_app(parts)) as stale:
        answer = post_body(stale, {"query": "{ cities { code } }"})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["errors"][0]["extensions"]["retryable"] is True
    assert "data" not in answer.json()


def test_one_operation_is_charged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # The public has a tenth of the points: 2 operations of 1 point each.
    settings = SETTINGS.model_copy(update={"rate_limit_points_per_minute": 20})
    parts = Components(settings, build_handler(settings), _nothing)

    with TestClient(create_app(parts)) as client:
        answers = [post_body(client, {"query": "{ caller }"}).json() for _ in range(3)]

    assert ["data" in answer for answer in answers] == [True, True, False]
    assert answers[2]["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


def test_the_answer_is_json(client: TestClient) -> None:
    assert json.loads(post_body(client, {"query": "{ __typename }"}).content) == {
        "data": {"__typename": "Query"}
    }
