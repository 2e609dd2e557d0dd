"""OpenTelemetry traces, where an endpoint for them is set. The SDK is an extra: `tracing`."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING

from starlette.types import Scope

from registry.kernel.observation import Observation
from server.settings import ConfigurationError

if TYPE_CHECKING:
    from server.observability.otel import SpanRecorder

ENDPOINT_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
_NO_SPAN: AbstractContextManager[None] = nullcontext()


class Tracing:
    """The spans of this process."""

    recorder: "SpanRecorder | None" = None


TRACING = Tracing()


def is_tracing_configured(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether an endpoint is set."""
    return bool(environment.get(ENDPOINT_VARIABLE))


@contextmanager
def open_tracing(environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Trace while the body runs, where an endpoint is set."""
    if not is_tracing_configured(environment):
        yield
        return
    try:
        # By name: a wheel does not require the SDK, which takes 80 ms to import.
        otel = import_module("server.observability.otel")
    except ImportError:
        raise ConfigurationError(
            f"{ENDPOINT_VARIABLE} is set: install the extra `tracing` of this package."
        ) from None
    recorder: SpanRecorder = otel.SpanRecorder()
    TRACING.recorder = recorder
    try:
        yield
    finally:
        TRACING.recorder = None
        recorder.close()


def request_span(scope: Scope, observation: Observation) -> AbstractContextManager[None]:
    """A span for a request, named by its operation; nothing where traces are off."""
    recorder = TRACING.recorder
    return recorder.request(scope, observation) if recorder else _NO_SPAN
