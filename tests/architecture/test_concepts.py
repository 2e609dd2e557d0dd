"""The manifests are complete, and a new concept needs few edits outside its folder."""

import importlib
import pkgutil
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from registry.access.kinds import Kind
from registry.commands.operation import Operation
from registry.concepts import CONCEPTS, OPERATIONS
from registry.db.migrations.grants import SHARED_GRANTS
from tests.architecture.source import ROOT, project_files

PRODUCT = ("policies", "registry", "schema", "seeds", "server", "pyproject.toml")
FILES_MAX = 2
"""Maximum number of product files outside a concept's folder that know an empty concept."""
READERS_OF_MANIFESTS = ("test_concepts.py", "test_kinds.py", "test_checks.py")


def test_every_kind_and_operation_is_in_the_manifest_of_its_concept() -> None:
    for concept in CONCEPTS:
        kinds, operations = set(), set()
        for value in declared_in(f"registry.{concept.name}"):
            if isinstance(value, Kind):
                kinds.add(value.name)
            elif isinstance(value, Operation) and value.kind in concept.kinds:
                operations.add(value.name)

        assert {kind.name for kind in concept.kinds} <= kinds
        assert operations == set(concept.operations)


def test_no_name_is_declared_by_two_concepts() -> None:
    names = Counter(
        name
        for concept in CONCEPTS
        for name in (
            *concept.operations,
            *(kind.name for kind in concept.kinds),
            *(check.name for check in concept.invariants),
            *concept.errors.constraints,
            *concept.errors.sqlstates,
            *concept.grants.tables,
        )
    )

    assert [name for name, times in names.items() if times > 1] == []
    assert len(OPERATIONS) == sum(len(concept.operations) for concept in CONCEPTS)
    assert not names.keys() & SHARED_GRANTS.tables.keys()


def test_the_layers_are_the_concepts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(
        contract["layers"]
        for contract in contracts["contracts"]
        if contract.get("containers") == ["registry"]
    )
    top_down = layers[1 : layers.index("commands")]

    assert layers[0] == "concepts"
    assert {name for layer in top_down for name in layer.split(" | ")} == {
        concept.name for concept in CONCEPTS
    }


async def test_every_translated_constraint_exists(owner: asyncpg.Connection) -> None:
    names = [name for concept in CONCEPTS for name in concept.errors.constraints]

    missing = await owner.fetch(
        "SELECT name FROM unnest($1::text[]) AS name WHERE name NOT IN ("
        " SELECT conname FROM pg_constraint UNION SELECT indexname FROM pg_indexes)",
        names,
    )

    assert missing == []


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with an empty concept, known to the list and to the layers."""
    root = tmp_path_factory.mktemp("project")
    for path in project_files():
        target = root / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (root / "registry/auctions").mkdir()
    (root / "registry/auctions/__init__.py").write_text(
        '"""Auctions."""\n\nfrom registry.commands.concept import Concept\n\n'
        'CONCEPT = Concept("auctions")\n'
    )
    edit(
        root / "registry/concepts.py",
        ("from registry.commands import", "from registry.auctions import CONCEPT as AUCTIONS\n{}"),
        (", AGREEMENTS)", ", AGREEMENTS, AUCTIONS)"),
    )
    edit(root / "pyproject.toml", ('    "agreements",\n', '    "auctions",\n{}'))
    return root


def test_an_empty_concept_is_known_by_two_files_outside_its_folder(copy: Path) -> None:
    knowing = [
        path.relative_to(copy).as_posix()
        for path in copy.rglob("*")
        if path.is_file()
        and path.relative_to(copy).parts[0] in PRODUCT
        and path.relative_to(copy).parts[:2] != ("registry", "auctions")
        and "auctions" in path.read_text("utf-8", errors="replace").lower()
    ]

    assert len(knowing) <= FILES_MAX, knowing


def test_no_third_file_needs_to_know_an_empty_concept(copy: Path) -> None:
    tests = [f"tests/architecture/{name}" for name in READERS_OF_MANIFESTS]

    layers = run(copy, "-c", "from importlinter.cli import lint_imports_command as lint; lint()")
    readers = run(copy, "-m", "pytest", "-q", "-k", "not empty_concept and not is_noticed", *tests)

    assert layers.returncode == 0, layers.stdout
    assert readers.returncode == 0, readers.stdout


@pytest.mark.parametrize("forgotten", ["registry/concepts.py", "pyproject.toml"])
def test_a_concept_that_one_of_the_two_does_not_know_is_noticed(copy: Path, forgotten: str) -> None:
    known = (copy / forgotten).read_text()
    shutil.copyfile(ROOT / forgotten, copy / forgotten)
    try:
        layers = run(
            copy, "-m", "pytest", "-q", "-k", "layers", "tests/architecture/test_concepts.py"
        )
    finally:
        (copy / forgotten).write_text(known)

    assert layers.returncode == 1, layers.stdout


def declared_in(package: str) -> Iterator[object]:
    """The values of the package's modules."""
    folder = importlib.import_module(package)
    for module in pkgutil.walk_packages(folder.__path__, f"{package}."):
        yield from vars(importlib.import_module(module.name)).values()


def edit(path: Path, *changes: tuple[str, str]) -> None:
    """Replace each text, which occurs once; ``{}`` in the new text is the old one."""
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new.replace("{}", old))
    path.write_text(text)


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in the copy, which it imports before the installed project."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
