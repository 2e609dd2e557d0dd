"""The first start from a fresh clone on a machine without any package cache, and the second."""

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from server.postgres import embedded
from tests.architecture.source import ROOT
from tests.support.demo_process import run_demo, wait_for_answer, wait_for_exit


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="biandan-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)  # As root the server runs as another user, which must pass.
        yield Path(name)


def start(folder: Path) -> tuple[dict[str, Any], float]:
    """The answer to the first query, and the seconds until it arrived."""
    caches = {
        "HOME": str(folder),
        "PIP_CACHE_DIR": str(folder / "pip"),
        "UV_CACHE_DIR": str(folder / "uv"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    environment = {**os.environ, **caches}
    program = [str(folder / "clone" / "dev")]
    started = time.monotonic()
    with run_demo(folder / "state", program=program, environment=environment) as running:
        answer = wait_for_answer(running)
        seconds = time.monotonic() - started
        assert wait_for_exit(running) == 0
    return answer, seconds


def download_seconds(log: str) -> float:
    """Seconds of the set-up in which packages were downloaded and unpacked."""
    fetched = re.search(r"^([\d.]+) s: .* install .*--target", log, re.MULTILINE)
    prepared = re.search(r"^Prepared \d+ packages in (?:([\d.]+)s|([\d.]+)ms)$", log, re.MULTILINE)
    assert fetched is not None
    assert prepared is not None, "uv installed it"
    return float(fetched[1]) + float(prepared[1] or float(prepared[2]) / 1000)


@pytest.mark.long
def test_a_fresh_clone_starts_without_any_cache(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "clone")], check=True)

    first, first_seconds = start(folder)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    second, second_seconds = start(folder)
    download = download_seconds((folder / "clone" / ".venv" / "install.log").read_text())

    with capsys.disabled():
        sys.stdout.write(
            f"\nfirst start {first_seconds:.1f} s, of it {download:.1f} s download,"
            f" {used.ru_utime + used.ru_stime:.1f} s of processor without the database;"
            f" second start {second_seconds:.1f} s\n"
        )
    assert first["data"]["viewer"]["role"] == second["data"]["viewer"]["role"]
    assert first["data"]["transfers"] == second["data"]["transfers"]
    assert not embedded.is_running(folder / "state")
    packages = {path.name for path in (folder / "clone" / ".venv").glob("lib/*/site-packages/*")}
    assert packages.isdisjoint({"mypy", "pytest", "hypothesis"})
