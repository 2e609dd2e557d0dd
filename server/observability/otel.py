"""The part of tracing that imports OpenTelemetry; imported only where an endpoint is set."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from starlette.types import Scope

from registry.kernel.observation import Observation

SERVICE = "biandan"


class SpanRecorder:
    """Records spans and exports them in the background."""

    def __init__(self, processor: SpanProcessor | None = None) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
        self._provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(SERVICE)

    @contextmanager
    def request(self, scope: Scope, observation: Observation) -> Iterator[None]:
        """A span for a request, under the caller's own span if it sends one."""
        headers = {n.decode("latin-1"): value.decode("latin-1") for n, value in scope["headers"]}
        with self._tracer.start_as_current_span(
            "request", context=extract(headers), kind=SpanKind.SERVER
        ) as span:
            try:
                yield
            finally:
                span.update_name(observation.operation or scope["path"])
                span.set_attribute("url.path", scope["path"])
                span.set_attribute("biandan.request", scope["request_id"])
                codes: Sequence[str] = observation.codes
                span.set_attribute("biandan.codes", codes)

    def statement(self, digest: str, *, started_at: int, ended_at: int) -> None:
        """Record a statement that has ended; times in nanoseconds since 1970."""
        attributes = {"db.system.name": "postgresql", "biandan.statement": digest}
        span = self._tracer.start_span("statement", start_time=started_at, attributes=attributes)
        span.end(ended_at)

    def close(self) -> None:
        """Export what is left."""
        self._provider.shutdown()
