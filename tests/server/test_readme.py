"""The journey of the README, copied: what is typed is run, and what is answered is as printed."""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from server.postgres import embedded
from tests.support.demo_process import read_greeting, run_demo, wait_for_exit

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PARTED = "next block"


def journey() -> tuple[list[str], list[str]]:
    """The typed blocks, and the outputs of those that have one."""
    answered = (ROOT / "README.md").read_text().partition("## A first query")[2]
    blocks = BLOCK.findall(answered.partition("## How it hangs together")[0])
    return [text for kind, text in blocks if kind == "sh"], [
        text for kind, text in blocks if kind == "json"
    ]


def as_printed(answer: str, printed: str) -> bool:
    """Whether the answer is the printed one, in which three dots leave out what follows."""
    pattern = re.sub(r"(\\ )?\\\.\\\.\\\.", ".*", re.escape(printed.strip()))
    return re.fullmatch(pattern, answer) is not None


@pytest.mark.timeout(180)
def test_the_journey_can_be_copied() -> None:
    typed, printed = journey()

    with TemporaryDirectory(prefix="biandan-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        state = Path(folder) / "state"
        with run_demo(state) as running:
            port = re.search(r"http://\S+:(\d+)", read_greeting(running))
            assert port is not None
            script = f"\necho {PARTED}\n".join(typed)
            # The same program, from the environment that this test runs in.
            script = script.replace("./dev run biandan", f"'{sys.executable}' -m server.admin.cli")
            ran = subprocess.run(
                ["sh"],
                input=script,
                env={
                    "PATH": os.environ["PATH"],
                    "BIANDAN_PORT": port[1],
                    "BIANDAN_STATE_DIR": str(state),
                    "LANG": "C.UTF-8",
                },
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            )
            assert wait_for_exit(running) == 0
        assert not embedded.is_running(state)

    answers = [text.strip() for text in ran.stdout.split(f"{PARTED}\n")]
    assert ran.stderr == ""
    assert len(typed) == len(printed) == len(answers) > 4
    for answer, expected in zip(answers, printed, strict=True):
        assert as_printed(answer, expected), answer


def test_another_answer_would_be_noticed() -> None:
    assert as_printed('{"a":[1,2]}', '{"a":[1, ...]}')
    assert as_printed('{"a":["MTIz"]}', '{"a":["MT..."]}')
    assert not as_printed('{"a":[2]}', '{"a":[1, ...]}')
    assert not as_printed('{"a":[1]}\n{"a":[2]}', '{"a":[1]}')
