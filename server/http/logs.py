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
        self._line = _for_machines if form is LogFormat.JSON else _for_people
        self._unwritten: list[_Answered] = []

    def say(self, path: str, status: int, seconds: float, number: str) -> None:
        """Log it: what was asked for and how it ended, and nothing of what was sent."""
        if not self._unwritten:
            asyncio.get_running_loop().call_later(TOGETHER_SECONDS, self.write)
        self._unwritten.append((int(time.time() * 1000), path, status, seconds, number))

    def write(self) -> None:
        """Write what was not; who stops must not wait for the time to come."""
        answers, self._unwritten = self._unwritten, []
        sys.stderr.write("".join([self._line(answered) for answered in answers]))


_Answered = tuple[int, str, int, float, str]
"""When, in milliseconds since 1970; the path, the status, after how many seconds; the number."""


def _for_machines(answered: _Answered) -> str:
    at, path, status, seconds, number = answered
    return (
        f'{{"path":{orjson.dumps(path).decode()},"status":{status},"ms":{seconds * 1000:.1f},'
        f'"request":"{number}","event":"request","level":"info","timestamp":"{_moment(at)}"}}\n'
    )


def _for_people(answered: _Answered) -> str:
    at, path, status, seconds, number = answered
    ms = f"{seconds * 1000:.1f}"
    return f"{_moment(at)} [info     ] request {status} {path!a} ms={ms} request={number}\n"


@lru_cache(32)
def _moment(milliseconds: int) -> str:
    """Since 1970; lines that are written together share a few."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _as_json(event: object, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()


def open_logs(form: LogFormat, *, least: int = logging.INFO) -> None:
    """Send what is logged from level ``least`` on to standard error, in one form."""
    if form is LogFormat.JSON and isinstance(sys.stderr, TextIOWrapper):
        # Whatever the machine's language is: JSON has no other encoding.
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
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
