"""Private parts of a library are used in one module, and its version is bounded for that."""

import ast
import re
import tomllib
from collections.abc import Iterator

import pytest

from tests.architecture.source import CODE, ROOT, Source, sources

COMPAT_MODULES = {
    "granian": "server/http/granian_compat.py",
    "strawberry-graphql": "schema/framework/strawberry_compat.py",
    "tortoise-orm": "registry/db/tortoise_engine.py",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def outside_compat() -> list[Source]:
    return [s for s in sources(*CODE) if s.path not in COMPAT_MODULES.values()]


def private_imports(tree: ast.Module) -> Iterator[str]:
    """Imports of private parts of other packages."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            package, *parts = name.split(".")
            if package not in CODE and any(re.match(r"_[^_]", part) for part in parts):
                yield name


def test_no_private_part_is_imported_elsewhere() -> None:
    found = [(s.path, name) for s in outside_compat() for name in private_imports(s.tree)]

    assert found == []


def test_the_linter_is_told_to_pass_private_attributes_nowhere_else() -> None:
    lint = PROJECT["tool"]["ruff"]["lint"]
    passed = {path for path, rules in lint["per-file-ignores"].items() if "SLF001" in rules}

    assert [s.path for s in outside_compat() if "SLF001" in s.text] == []
    assert passed - {"tests/**"} <= set(COMPAT_MODULES.values())
    assert "SLF001" not in lint["ignore"]


@pytest.mark.parametrize("library", COMPAT_MODULES)
def test_its_version_is_bounded(library: str) -> None:
    (bound,) = [d for d in PROJECT["project"]["dependencies"] if re.match(rf"{library}\b", d)]

    assert "==" in bound or "<" in bound
    assert (ROOT / COMPAT_MODULES[library]).is_file()
