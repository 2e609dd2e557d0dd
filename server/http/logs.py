"""Log lines with names and values: never inputs, variables, texts of queries, prices or people."""

import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from io import TextIOWrapper
from itertools import islice

import orjson
import structlog

from server.settings import LogFormat

FLUSH_INTERVAL_SECONDS = 0.01

CHAINED_ERRORS_MAX = 10
"""So many errors of a chain are told, the last one first."""


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


class AccessLog:
    """One line for each request; those of a hundredth of a second are written together.

    What structlog's pipeline would spend on it is more than all the rest of a quick answer costs.
    """

    def __init__(self, log_format: LogFormat) -> None:
        self._format = _json_line if log_format is LogFormat.JSON else _console_line
        self._pending: list[_AccessRecord] = []

    def record(self, path: str, status: int, seconds: float, request_id: str) -> None:
        """Log it: what was asked for and how it ended, and nothing of what was sent."""
        if not self._pending:
            asyncio.get_running_loop().call_later(FLUSH_INTERVAL_SECONDS, self.flush)
        self._pending.append((int(time.time() * 1000), path, status, seconds, request_id))

    def flush(self) -> None:
        """Write what was not; who stops must not wait for the time to come."""
        answers, self._pending = self._pending, []
        sys.stderr.write("".join([self._format(answered) for answered in answers]))


_AccessRecord = tuple[int, str, int, float, str]
"""When, in milliseconds since 1970; the path, the status, after how many seconds; the number."""


def _json_line(record: _AccessRecord) -> str:
    at, path, status, seconds, number = record
    return (
        f'{{"path":{orjson.dumps(path).decode()},"status":{status},"ms":{seconds * 1000:.1f},'
        f'"request":"{number}","event":"request","level":"info","timestamp":"{_timestamp(at)}"}}\n'
    )


def _console_line(record: _AccessRecord) -> str:
    at, path, status, seconds, number = record
    ms = f"{seconds * 1000:.1f}"
    return f"{_timestamp(at)} [info     ] request {status} {path!a} ms={ms} request={number}\n"


@lru_cache(32)
def _timestamp(milliseconds: int) -> str:
    """Since 1970; lines that are written together share a few."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _as_json(event: object, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()


def configure_logging(log_format: LogFormat, *, level: int = logging.INFO) -> None:
    """Send what is logged from level ``level`` on to standard error, in one form."""
    if log_format is LogFormat.JSON and isinstance(sys.stderr, TextIOWrapper):
        # Whatever the machine's language is: JSON has no other encoding.
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(_as_json)
        if log_format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
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
