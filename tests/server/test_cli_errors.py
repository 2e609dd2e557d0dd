"""A failed command prints one sentence for the operator, never a traceback."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from server.admin.cli_errors import operator_message
from tests.support.cluster import Database


def run_command(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "server.admin.cli", *arguments],
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def with_database(url: str, database: str) -> str:
    """The URL of another database of the same server."""
    address, _, query = url.partition("?")
    return f"{address.rpartition('/')[0]}/{database}?{query}"


def test_a_database_that_is_not_there_is_one_sentence(clone: Database) -> None:
    answered = run_command("verify", DATABASE_URL=with_database(clone.application_url, "nowhere"))

    assert (answered.returncode, answered.stdout, answered.stderr.count("\n")) == (1, "", 1)
    assert "nowhere" in answered.stderr


def test_an_owner_who_may_not_make_tables_is_one_sentence(clone: Database) -> None:
    answered = run_command(
        "migrate",
        DATABASE_URL=with_database(clone.application_url, "postgres"),
        BIANDAN_OWNER_URL=with_database(clone.application_url, "postgres"),
    )

    assert (answered.returncode, answered.stdout, answered.stderr.count("\n")) == (1, "", 1)
    assert answered.stderr.startswith("The database refuses: permission denied")


def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    answered = run_command(
        "verify", DATABASE_URL=f"postgresql://somebody@/registry?host={tmp_path}"
    )

    assert (answered.returncode, answered.stdout, answered.stderr.count("\n")) == (1, "", 1)
    assert answered.stderr.startswith("The database cannot be reached")


@pytest.mark.parametrize(
    ("options", "remedy"),
    [((), "run `biandan migrate`"), (("--cross-region",), "run `./dev demo --cross-region`")],
)
def test_a_database_without_tables_names_what_makes_them(
    clone: Database, options: tuple[str, ...], remedy: str
) -> None:
    empty = with_database(clone.application_url, "postgres")

    answered = run_command("verify", *options, DATABASE_URL=empty)

    assert (answered.returncode, answered.stdout, answered.stderr.count("\n")) == (1, "", 1)
    assert remedy in answered.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (asyncpg.DiskFullError("could not extend file"), "The disk is full."),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "The disk is full."),
        (asyncpg.InvalidPasswordError("wrong"), "The database refuses: wrong."),
        (asyncpg.AdminShutdownError("stopped"), "Refused (OVERLOADED): "),
    ],
)
def test_what_the_operator_can_mend_is_reported(error: Exception, said: str) -> None:
    answered = operator_message(error)

    assert answered is not None
    assert answered.startswith(said)


def test_a_bug_is_not_explained_away() -> None:
    assert operator_message(KeyError("x")) is None
    assert operator_message(asyncpg.UndefinedColumnError("x")) is None
