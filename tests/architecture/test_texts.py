"""Texts in two languages: no English words in the Chinese, no Chinese in the English."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import ROOT, project_files

_NAMES = {"HTTP", "Host", "JSON", "GraphQL", "POST", "UUID", "SHA", "PKCE", "UTF", "Unicode"}
"""Names that a Chinese engineer writes in Latin letters; and the API's own, in backticks."""

_CHINESE = re.compile("[\u4e00-\u9fff]")
_WORD = re.compile(r"[A-Za-z]{3,}")


def _literal(node: ast.expr) -> str:
    """The fixed part of a text; values that are filled in are left out."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


def _texts() -> Iterator[tuple[str, str, str]]:
    for path in project_files():
        if path.suffix != ".py" or path.relative_to(ROOT).parts[0] not in {"registry", "server"}:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Text" and node.args[1:]:
                en, zh = node.args[:2]
                if all(isinstance(each, ast.Constant | ast.JoinedStr) for each in (en, zh)):
                    place = f"{path.relative_to(ROOT)}:{node.lineno}"
                    yield place, _literal(en), re.sub("`[^`]*`", "", _literal(zh))


def test_each_text_is_in_its_language() -> None:
    found = list(_texts())

    assert len(found) > 100
    assert [place for place, en, _ in found if _CHINESE.search(en)] == []
    mixed = [(place, set(_WORD.findall(zh)) - _NAMES) for place, _, zh in found]
    assert [(place, words) for place, words in mixed if words] == []
