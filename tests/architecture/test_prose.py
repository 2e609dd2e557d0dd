"""English prose is plain: no private words, no sentence that begins with What or Who."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, project_files

_WORDS = (
    "whoever", "whatever", "so many", "so long", "he", "him", "his", "himself", "nobody",
    "somebody", "told", "stands", "standing", "lane", "crowd", "sitter", "washed out", "let in",
)  # fmt: skip
_ANY = "|".join(_WORDS).replace(" ", r"\s+")
BANNED = re.compile(rf"\b({_ANY})\b", re.IGNORECASE)
FIRST_WORD = re.compile(r"(?:\A|[.!?:;»]\s+|\n\s*\n\s*|\n\s*[-*#|]+\s*)(What|Who)\b")
PROSE = {".md", ".csv", ".sql", ".graphql", ".py"}


def _python_prose(text: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            value = node.value.value
            if isinstance(value, str):
                yield node.lineno, value
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def _prose(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        yield from _python_prose(text)
    elif path.suffix == ".md":
        yield 1, text
    else:
        for number, line in enumerate(text.splitlines(), 1):
            yield from ((number, cell.strip(' "-#')) for cell in re.split(r"[|,\t]", line))


def _faults(path: Path) -> Iterator[str]:
    name = path.relative_to(ROOT).as_posix()
    for first, text in _prose(path):
        for pattern in (BANNED, FIRST_WORD):
            for match in pattern.finditer(text):
                line = first + text.count("\n", 0, match.start(1))
                yield f"{name}:{line}: {match[1]}"


@pytest.mark.parametrize("suffix", sorted(PROSE))
def test_prose_is_plain(suffix: str) -> None:
    found = [fault for path in project_files() if path.suffix == suffix for fault in _faults(path)]

    assert found == []


@pytest.mark.parametrize(
    "text", ["Nobody may.", "It is told.", "Who may see it.", "Done. What it is."]
)
def test_a_fault_is_found(text: str) -> None:
    assert BANNED.search(text) or FIRST_WORD.search(text)
