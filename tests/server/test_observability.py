"""Observability for operators: metrics, spans, slow statements."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx2
import pytest
import structlog
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from registry.concepts import open_registry
from registry.db.session import close_database, fetch_one
from registry.kernel.observation import note_code, note_operation, start_observation
from registry.kernel.slru_cache import SegmentedLRUCache
from registry.kernel.statistics import STATISTICS
from server.http.granian_server import bind, open_server
from server.http.request_middleware import RequestMiddleware
from server.observability import metrics
from server.observability.metrics import OTHER, record_request, serve_metrics
from server.observability.otel import SpanRecorder
from server.observability.statements import connection_listener
from server.observability.tracing import ENDPOINT_VARIABLE, TRACING, open_tracing
from server.settings import ConfigurationError, Settings
from tests.robustness.server_processes import find_free_port
from tests.support.cluster import Database

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


async def _query(_: Request) -> Response:
    note_operation("Feed")
    return PlainTextResponse("fine")


async def _refused(_: Request) -> Response:
    note_operation("Approve")
    note_code("FORBIDDEN")
    return PlainTextResponse("refused")


@pytest.fixture
def settings() -> Settings:
    return Settings(port=0, metrics_port=find_free_port())


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    routes = [Route("/query", _query), Route("/refused", _refused)]
    app = RequestMiddleware(Starlette(routes=routes), settings)
    with bind(settings) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            open_server(app, settings, listener),
            httpx2.AsyncClient(base_url=address) as client,
        ):
            yield client


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_requests_are_counted_by_operation_and_outcome(
    http: httpx2.AsyncClient, settings: Settings
) -> None:
    before = sample("biandan_refusals_total", code="FORBIDDEN")
    for path in ("/query", "/refused", "/none"):
        await http.get(path)

    with serve_metrics(settings):
        async with httpx2.AsyncClient() as client:
            scraped = (await client.get(f"http://127.0.0.1:{settings.metrics_port}/metrics")).text

    assert 'biandan_requests_total{operation="Feed",outcome="ok"} ' in scraped
    assert 'biandan_requests_total{operation="Approve",outcome="FORBIDDEN"} ' in scraped
    assert 'biandan_requests_total{operation="anonymous",outcome="http_404"} ' in scraped
    assert "biandan_request_duration_seconds_bucket" in scraped
    assert "biandan_load_shedding_queue_length" in scraped
    assert sample("biandan_refusals_total", code="FORBIDDEN") == before + 1


def test_plain_numbers_of_the_process_are_exported(settings: Settings) -> None:
    cache: SegmentedLRUCache[str, str] = SegmentedLRUCache(10, 10, name="test")
    cache.put("a", "b", 1)
    assert (cache.get("a"), cache.get("c")) == ("b", None)
    STATISTICS.note_wait("test", 0.5)
    STATISTICS.note_success("test")

    with serve_metrics(settings):
        assert sample("biandan_cache_hits_total", cache="test") == 1
        assert sample("biandan_cache_misses_total", cache="test") == 1
        assert sample("biandan_pool_waits_total", pool="test") == 1
        assert sample("biandan_pool_wait_seconds_total", pool="test") == 0.5
        assert 0 <= sample("biandan_background_age_seconds", task="test") < 60


def test_names_of_operations_that_clients_choose_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "MAX_OPERATION_NAMES", 0)
    observation = start_observation()
    note_operation("InventedByAClient")

    record_request(observation, 200, 0.1)

    assert sample("biandan_requests_total", operation=OTHER, outcome="ok") == 1


def test_a_busy_metrics_port_is_one_sentence(settings: Settings) -> None:
    with (
        serve_metrics(settings),
        pytest.raises(ConfigurationError, match="BIANDAN_METRICS_PORT"),
        serve_metrics(settings),
    ):
        pass


def test_without_a_port_nothing_is_served() -> None:
    with serve_metrics(Settings()):
        assert sample("biandan_pool_waits_total", pool="test") == 0


@contextmanager
def traced() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    TRACING.recorder = SpanRecorder(SimpleSpanProcessor(exporter))
    try:
        yield exporter
    finally:
        TRACING.recorder = None


async def test_a_request_is_a_span_named_by_its_operation(http: httpx2.AsyncClient) -> None:
    with traced() as exporter:
        await http.get("/refused", headers={"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"})

    (span,) = exporter.get_finished_spans()
    assert span.name == "Approve"
    assert span.parent is not None
    assert f"{span.parent.trace_id:x}" == TRACE_ID
    assert (span.attributes or {})["biandan.codes"] == ("FORBIDDEN",)


@pytest.fixture
async def observed_database(clone: Database) -> AsyncIterator[None]:
    settings = Settings(slow_statement_ms=50)
    listener = connection_listener(settings, "application")
    await close_database()
    await open_registry(clone.application_url, maxsize=1, on_connect=listener)
    yield
    await close_database()


async def test_slow_statements_are_logged_with_their_operation_and_traced(
    observed_database: None,
) -> None:
    start_observation()
    note_operation("Report")

    with structlog.testing.capture_logs() as lines, traced() as exporter:
        await fetch_one("SELECT pg_sleep(0.1), 'a client sent this'")
        await fetch_one("SELECT 1 AS quick")

    (line,) = [line for line in lines if line["event"] == "slow_statement"]
    assert (line["operation"], line["pool"]) == ("Report", "application")
    assert line["ms"] >= 100
    assert "sent" not in str(line)
    assert {span.name for span in exporter.get_finished_spans()} == {"statement"}


def test_nothing_listens_where_nothing_is_asked_for() -> None:
    assert connection_listener(Settings(), "application") is None


def test_without_an_endpoint_there_is_no_tracer() -> None:
    with open_tracing({}):
        assert TRACING.recorder is None


def test_an_endpoint_without_the_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "server.observability.otel", None)

    with (
        pytest.raises(ConfigurationError, match="extra `tracing`"),
        open_tracing({ENDPOINT_VARIABLE: "http://127.0.0.1:4318"}),
    ):
        pass
