"""Prints docs/rules.md: every rule that a docstring cites, the function that holds it, the tests
that name it.

Rewrite after a change: ``python -m tests.architecture.rules_table > docs/rules.md``.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from registry.kernel.errors import Code, Refused

ROOT = Path(__file__).parents[2]
PACKAGES = ("policies", "registry", "seeds", "server")
TESTS_NAMED = 2

_RULE = re.compile(r"^\s*Rule: (.+?)(?:\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)

_HEAD = """\
# Rules

Every rule of the regulation or of the registry that a docstring of the code cites: its ground, the
function that holds it,
and the tests that name that function. Generated from the code and compared by a test; rewrite it
with

    ./dev run python -m tests.architecture.rules_table > docs/rules.md

Permissions are not here: they are the rule book, `policies/*.csv`, in sentences in
`tests/policies/golden_sentences.txt`.

| rule | function | tests |
| --- | --- | --- |
"""

_CODES = """
## Refusals, in order of precedence

Codes are API and never change; messages may. `retryable` says whether the same command may
succeed if sent again.

| code | means | retryable |
| --- | --- | --- |
"""


class Rule(NamedTuple):
    """A rule as one docstring cites it."""

    text: str
    function: str
    location: str
    tests: tuple[str, ...]


def rules() -> list[Rule]:
    """Every cited rule, by place."""
    tests = {path: path.read_text("utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py"))}
    found = []
    for room in PACKAGES:
        for path in sorted((ROOT / room).rglob("*.py")):
            for name, text in _citations(ast.parse(path.read_text("utf-8"))):
                place = path.relative_to(ROOT).as_posix()
                found.append(Rule(text, name, place, _tests_naming(name, tests)))
    return found


def document() -> str:
    """The whole of docs/rules.md."""
    lines = [
        f"| {rule.text} | `{rule.function}` ({rule.location}) |"
        f" {', '.join(rule.tests[:TESTS_NAMED])} |\n"
        for rule in rules()
    ]
    return _HEAD + "".join(lines) + _CODES + "".join(_codes())


def _codes() -> Iterator[str]:
    known = {cls.code: cls for cls in Refused.__subclasses__()}
    for code in Code:
        cls = known[code]
        meaning = " ".join((cls.__doc__ or "").split("\n\n", maxsplit=1)[0].split())
        yield f"| `{code.value}` | {meaning} | {'yes' if cls.retryable else 'no'} |\n"


def _citations(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for rule in _RULE.findall(ast.get_docstring(node, clean=True) or ""):
                yield node.name, " ".join(rule.split()).rstrip(".")


def _tests_naming(name: str, tests: dict[Path, str]) -> tuple[str, ...]:
    head, *rest = name.split("_")
    camel = head + "".join(word.capitalize() for word in rest)
    wanted = re.compile(rf"\b(?:{re.escape(name)}|{re.escape(camel)})\b")
    return tuple(
        path.relative_to(ROOT / "tests").as_posix()
        for path, text in tests.items()
        if wanted.search(text)
    )


if __name__ == "__main__":
    sys.stdout.write(document())
