"""The log line of an error: its origin, and no request data."""

import asyncio
import io
import json
import logging
import logging.config
import sys
from collections.abc import Iterator

import pytest
import structlog

from server.http.access_log import AccessLog
from server.http.logging_config import configure_logging
from server.settings import LogFormat

SECRET = "8536113.00"


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


class IntegrityViolation(Exception):
    """A database's, which quotes the row."""

    sqlstate = "23505"
    constraint_name = "organisation_name"


def log_price(price: str) -> None:
    raise IntegrityViolation(f"Key (price)=({price}) already exists.")


def raise_error(price: str) -> None:
    try:
        log_price(price)
    except IntegrityViolation as error:
        raise ValueError(price) from error


def capture_log(form: LogFormat, capsys: pytest.CaptureFixture[str], *, foreign: bool) -> str:
    configure_logging(form)
    try:
        raise_error(SECRET)
    except ValueError as error:
        if foreign:
            logging.getLogger("library").exception("failed", exc_info=error)
        else:
            structlog.get_logger().error("bug", exc_info=error)
    return capsys.readouterr().err


@pytest.mark.parametrize("form", list(LogFormat))
@pytest.mark.parametrize("foreign", [True, False])
def test_an_error_is_logged_without_request_data(
    form: LogFormat, capsys: pytest.CaptureFixture[str], *, foreign: bool
) -> None:
    line = capture_log(form, capsys, foreign=foreign)

    assert SECRET not in line
    assert "ValueError" in line
    assert "IntegrityViolation 23505 organisation_name" in line
    assert "test_logs.py" in line
    assert "raise_error" in line


def test_a_line_for_machines_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = capture_log(LogFormat.JSON, capsys, foreign=False).splitlines()

    assert json.loads(line)["event"] == "bug"


async def test_json_lines_are_utf_8_in_every_locale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, "ascii", "backslashreplace"))
    configure_logging(LogFormat.JSON)
    AccessLog().record("/é/扁担", 404, 0.001, "0" * 32)
    await asyncio.sleep(0)
    structlog.get_logger().error("é")
    sys.stderr.write("\udcff\n")
    sys.stderr.flush()

    first, second = (json.loads(line) for line in written.getvalue().decode().splitlines()[:2])
    assert (first["path"], second["event"]) == ("/é/扁担", "é")
    assert written.getvalue().endswith(b"\n\\udcff\n")


async def test_the_requests_that_end_in_one_turn_are_written_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writes: list[str] = []
    configure_logging(LogFormat.JSON)
    log = AccessLog()
    monkeypatch.setattr(log._logger, "_write", writes.append)
    for number in range(3):
        log.record("/graphql", 200, 0.001, str(number))
    await asyncio.sleep(0)
    log.record("/graphql", 200, 0.001, "3")
    await asyncio.sleep(0)

    assert [[json.loads(line)["request"] for line in each.splitlines()] for each in writes] == [
        ["0", "1", "2"],
        ["3"],
    ]


def test_denied_decisions_of_the_policy_engine_are_not_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(LogFormat.JSON)
    # As the HTTP server configures its own loggers, which enables all others.
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})

    logging.getLogger("casbin.enforcer").warning("Request: enterprise, view, Transfer ---> False")

    assert capsys.readouterr().err == ""
