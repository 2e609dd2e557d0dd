"""Writes the locks anew from `pyproject.toml`; run by `./dev lock`, whose options go to uv.

A version that a lock names already is kept if it still fits. `./dev lock --upgrade` takes the
newest version of all packages, `./dev lock --upgrade-package NAME` that of one.
"""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from environment.install import FOLDER, ROOT, fetch_uv, find_pip, uv_environment

HEADER = "# Written by `./dev lock` from pyproject.toml; see docs/developing.md.\n"


def main(options: Sequence[str]) -> None:
    """Write what sets up, what the demonstration runs, and what development needs beside it."""
    pip = find_pip()
    variables = uv_environment(pip.settings)
    compile_lock = partial(_compile, str(fetch_uv(pip)), variables)
    demo = FOLDER / "demo.lock"
    compile_lock("installer.lock", "--group", "installer", *options)
    compile_lock(demo.name, "pyproject.toml", "--extra", "demo", "--group", "build", *options)
    already = [f"--no-emit-package={name}" for name in _names(demo)]
    same_versions = ("--constraints", str(demo))
    compile_lock("development.lock", "--group", "development", *same_versions, *already, *options)


def _compile(uv: str, variables: Mapping[str, str] | None, lock: str, *options: str) -> None:
    path = FOLDER / lock
    finished = subprocess.run(  # noqa: S603 - options of this file and of the command line
        [
            *(uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
            *("--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"),
            *("--output-file", str(path), *options),
        ],
        check=False,
        cwd=ROOT,
        env=variables,
    )
    if finished.returncode:
        sys.exit(f"{lock} was not written; the lines above say why.")
    path.write_text(HEADER + path.read_text().removeprefix(HEADER))


def _names(lock: Path) -> list[str]:
    return re.findall(r"^([a-z0-9._-]+)==", lock.read_text(), re.MULTILINE)


if __name__ == "__main__":
    main(sys.argv[1:])
