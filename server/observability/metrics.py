"""Prometheus metrics, served on a port of their own."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from registry.kernel.observation import Observation
from registry.kernel.statistics import STATISTICS
from server.settings import ConfigurationError, Settings

MAX_OPERATION_NAMES = 200
"""Maximum number of operation names: clients choose them, and each is a time series for ever."""

OTHER, ANONYMOUS = "other", "anonymous"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter(
    "biandan_requests_total", "Requests, by operation and outcome.", ("operation", "outcome")
)
REQUEST_SECONDS = Histogram(
    "biandan_request_duration_seconds", "Duration of requests.", buckets=_SECONDS
)
REFUSALS = Counter("biandan_refusals_total", "Errors and refusals in answers, by code.", ("code",))
STATEMENT_SECONDS = Histogram(
    "biandan_database_statement_duration_seconds",
    "Duration of SQL statements, by pool.",
    ("pool",),
    buckets=_SECONDS,
)
QUEUE_LENGTH = Gauge("biandan_load_shedding_queue_length", "Requests that wait for a slot.")

_names: set[str] = set()


def record_request(observation: Observation, status: int, seconds: float) -> None:
    """Count a request that has ended."""
    codes = observation.codes
    outcome = codes[0] if codes else "ok" if status < 400 else f"http_{status}"  # noqa: PLR2004
    REQUESTS.labels(_operation_label(observation.operation), outcome).inc()
    REQUEST_SECONDS.observe(seconds)
    for code in codes:
        REFUSALS.labels(code).inc()


def _operation_label(name: str) -> str:
    if not name:
        return ANONYMOUS
    if name not in _names:
        if len(_names) >= MAX_OPERATION_NAMES:
            return OTHER
        _names.add(name)
    return name


class StatisticsCollector(Collector):
    """Exports the plain numbers of the process when they are scraped."""

    def collect(self) -> Iterator[Metric]:
        """Each of them, as it is now."""
        numbers = STATISTICS
        yield _counter(
            "biandan_cache_hits", "Look-ups answered by a cache.", "cache", numbers.cache_hits
        )
        yield _counter(
            "biandan_cache_misses",
            "Look-ups not answered by a cache.",
            "cache",
            numbers.cache_misses,
        )
        yield _counter(
            "biandan_pool_waits", "Waits for a free connection.", "pool", numbers.pool_waits
        )
        yield _counter(
            "biandan_pool_wait_seconds",
            "Time spent in these waits.",
            "pool",
            numbers.pool_wait_seconds,
        )
        ages = GaugeMetricFamily(
            "biandan_background_age_seconds",
            "Time since a background task last succeeded.",
            labels=("task",),
        )
        for task, at in list(numbers.last_success.items()):
            ages.add_metric((task,), time.monotonic() - at)
        yield ages


def _counter(name: str, text: str, label: str, numbers: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    # A copy: the event loop goes on counting in its own thread.
    for value, number in list(numbers.items()):
        family.add_metric((value,), number)
    return family


@contextmanager
def serve_metrics(settings: Settings) -> Iterator[None]:
    """Serve the metrics while the body runs, where a port is set."""
    if settings.metrics_port is None:
        yield
        return
    try:
        server, thread = start_http_server(settings.metrics_port, settings.host)
    except OSError as error:
        raise ConfigurationError(
            f"{settings.host}:{settings.metrics_port} cannot be listened on for metrics:"
            f" {error.strerror or error}; set BIANDAN_METRICS_PORT to a free port."
        ) from None
    collector = StatisticsCollector()
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)
        server.shutdown()
        server.server_close()
        thread.join()
