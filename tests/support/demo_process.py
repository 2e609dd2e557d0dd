"""Runs the demonstration as a process and talks to it as its greeting says."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx2

from server.postgres import embedded
from tests.support.waiting import SECONDS_MAX

CLI = (sys.executable, "-m", "server.admin.cli")


@contextmanager
def run_demo(
    state: Path,
    *options: str,
    program: Sequence[str] = CLI,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[subprocess.Popen[str]]:
    """The process of the demonstration; at the end it is killed with all that it started."""
    variables = {"PATH": os.environ["PATH"], "BIANDAN_STATE_DIR": str(state), "LANG": "C.UTF-8"}
    with subprocess.Popen(
        [*program, "demo", "--port", "0", *options],
        env={**variables, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                running.kill()
                embedded.stop(state)


def wait_for_answer(running: subprocess.Popen[str]) -> dict[str, Any]:
    """The answer to the first query, sent as the greeting prints it."""
    printed = read_greeting(running)
    curl = shlex.split(printed[printed.index("curl ") :].partition("\n\n")[0])
    address = next(word for word in curl if word.startswith("http"))
    headers = dict(word.split(": ", 1) for word in curl if re.match(r"[a-z-]+: ", word))
    body = json.loads(curl[curl.index("-d") + 1])
    for _ in range(200):
        try:
            answer: dict[str, Any] = httpx2.post(address, headers=headers, json=body).json()
        except httpx2.ConnectError:
            time.sleep(0.05)
        else:
            return answer
    raise AssertionError("It never answered.")


def read_greeting(running: subprocess.Popen[str]) -> str:
    """The text that is printed before it serves."""
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            return "".join(lines)
    assert running.stderr is not None
    raise AssertionError("".join(lines) + running.stderr.read())


def wait_for_exit(running: subprocess.Popen[str]) -> int:
    """The exit code after Ctrl-C."""
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=SECONDS_MAX)
    return running.returncode
