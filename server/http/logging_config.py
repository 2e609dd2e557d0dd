"""Log lines with names and values: never inputs, variables, texts of queries, prices or people."""

import logging
import sys
import traceback
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import islice

import orjson
import structlog

from registry.kernel.observation import current_observation
from server.settings import LogFormat

CHAINED_ERRORS_MAX = 10
"""Maximum number of chained exceptions in a log line, the last one first."""


def strip_exception_values(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Put where an error came from in place of the error: its message may quote what was sent."""
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(islice(_exception_chain(error), CHAINED_ERRORS_MAX))
    return event


def _exception_chain(error: BaseException | None) -> Iterator[str]:
    """Each error and what it was raised from, by type, database code and lines of the program."""
    while error is not None:
        said = (getattr(error, name, None) for name in ("sqlstate", "constraint_name"))
        lines = [" ".join([type(error).__qualname__, *(word for word in said if word)])]
        frames = traceback.extract_tb(error.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        yield "\n".join(lines)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def add_request_id(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Name the request in whose context something is logged."""
    observation = current_observation()
    if observation is not None and observation.request_id:
        event.setdefault("request", observation.request_id)
    return event


def _as_json(event: object, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()


def configure_logging(log_format: LogFormat, *, level: int = logging.INFO) -> None:
    """Send what is logged from level ``level`` on to standard error, in one form."""
    if log_format is LogFormat.JSON and isinstance(sys.stderr, TextIOWrapper):
        # JSON is UTF-8 under every locale.
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(_as_json)
        if log_format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[structlog.typing.Processor] = [
        add_request_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, strip_exception_values, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    foreign = logging.StreamHandler(sys.stderr)
    foreign.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                strip_exception_values,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[foreign], force=True)
    # Casbin warns of every decision that is a no, and disables its loggers; the HTTP server's own
    # logging configuration enables them again.
    logging.getLogger("casbin").setLevel(logging.ERROR)
