"""Log lines with names and values: never inputs, variables, texts of queries, prices or people."""

import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import orjson
import structlog

from server.settings import LogFormat

TOGETHER_SECONDS = 0.01

ERRORS_MAX = 10
"""So many errors of a chain are told, the last one first."""


def traced(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Put where an error came from in place of the error: its message may quote what was sent."""
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(islice(_chain(error), ERRORS_MAX))
    return event


def _chain(error: BaseException | None) -> Iterator[str]:
    """Each error and what it was raised from, by type, database code and lines of the program."""
    while error is not None:
        said = (getattr(error, name, None) for name in ("sqlstate", "constraint_name"))
        lines = [" ".join([type(error).__qualname__, *(word for word in said if word)])]
        frames = traceback.extract_tb(error.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        yield "\n".join(lines)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class RequestLines:
    """One line for each request; those of a hundredth of a second are written together.

    What structlog's pipeline would spend on it is more than all the rest of a quick answer costs.
    """

    def __init__(self, form: LogFormat) -> None:
        self._json = form is LogFormat.JSON
        self._unwritten: list[str] = []
        self._second, self._said = 0, ""

    def say(self, path: str, status: int, seconds: float, number: str) -> None:
        """Log it: what was asked for and how it ended, and nothing of what was sent."""
        at, ms = self._now(), f"{seconds * 1000:.1f}"
        if self._json:
            named = orjson.dumps(path).decode()
            line = (
                f'{{"path":{named},"status":{status},"ms":{ms},"request":"{number}",'
                f'"event":"request","level":"info","timestamp":"{at}"}}\n'
            )
        else:
            line = f"{at} [info     ] request {status} {path!a} ms={ms} request={number}\n"
        if not self._unwritten:
            asyncio.get_running_loop().call_later(TOGETHER_SECONDS, self.write)
        self._unwritten.append(line)

    def write(self) -> None:
        """Write what was not; who stops must not wait for the time to come."""
        lines = "".join(self._unwritten)
        self._unwritten.clear()
        sys.stderr.write(lines)

    def _now(self) -> str:
        """The time to the millisecond; a second is put into words once."""
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second, self._said = second, datetime.fromtimestamp(second, UTC).isoformat()[:-6]
        return f"{self._said}.{int((now - second) * 1000):03}+00:00"


def _as_json(event: object, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()


def open_logs(form: LogFormat, *, least: int = logging.INFO) -> None:
    """Send what is logged from level ``least`` on to standard error, in one form."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(_as_json)
        if form is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, traced, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    foreign = logging.StreamHandler(sys.stderr)
    foreign.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                traced,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[foreign], force=True)
