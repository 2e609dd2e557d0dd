"""What is logged of an error: where it came from, and nothing of what was sent."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog
from starlette.applications import Starlette
from starlette.types import Message

from server.app import Surroundings
from server.http.logs import RequestLines, open_logs
from server.settings import LogFormat, Settings

SECRET = "8536113.00"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


class Unkept(Exception):
    """A database's, which quotes the row."""

    sqlstate = "23505"
    constraint_name = "organisation_name"


def keep(price: str) -> None:
    raise Unkept(f"Key (price)=({price}) already exists.")


def stumble(price: str) -> None:
    try:
        keep(price)
    except Unkept as error:
        raise ValueError(price) from error


def logged(form: LogFormat, capsys: pytest.CaptureFixture[str], *, foreign: bool) -> str:
    open_logs(form)
    try:
        stumble(SECRET)
    except ValueError as error:
        if foreign:
            logging.getLogger("library").exception("failed", exc_info=error)
        else:
            structlog.get_logger().error("bug", exc_info=error)
    return capsys.readouterr().err


@pytest.mark.parametrize("form", list(LogFormat))
@pytest.mark.parametrize("foreign", [True, False])
def test_an_error_is_told_without_what_was_sent(
    form: LogFormat, capsys: pytest.CaptureFixture[str], *, foreign: bool
) -> None:
    line = logged(form, capsys, foreign=foreign)

    assert SECRET not in line
    assert "ValueError" in line
    assert "Unkept 23505 organisation_name" in line
    assert "test_logs.py" in line
    assert "stumble" in line


def test_a_line_for_machines_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = logged(LogFormat.JSON, capsys, foreign=False).splitlines()

    assert json.loads(line)["event"] == "bug"


async def test_lines_for_machines_are_utf_8_whatever_the_machine_speaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, "ascii", "backslashreplace"))
    open_logs(LogFormat.JSON)
    lines = RequestLines(LogFormat.JSON)

    lines.say("/é/扁担", 404, 0.001, "0" * 32)
    lines.write()
    structlog.get_logger().error("é")
    sys.stderr.write("\udcff\n")
    sys.stderr.flush()

    first, second = (json.loads(line) for line in written.getvalue().decode().splitlines()[:2])
    assert (first["path"], second["event"]) == ("/é/扁担", "é")
    assert written.getvalue().endswith(b"\n\\udcff\n")


async def test_a_process_that_stops_has_written_the_last_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def send(_message: Message) -> None:
        pass

    async def receive() -> Message:
        return {"type": "lifespan.shutdown"}

    app = Surroundings(Starlette(), Settings(log_format=LogFormat.JSON))
    request = {"type": "http", "path": "/none", "method": "GET", "headers": []}
    await app(request, receive, send)
    await app({"type": "lifespan"}, receive, send)

    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line).items() >= {"path": "/none", "status": 404}.items()
