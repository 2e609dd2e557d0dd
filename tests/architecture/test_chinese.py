"""The Chinese that a person sees: full-width punctuation, the settled terms, no English codes."""

import ast
import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.architecture.source import ROOT, project_files

CJK = "\u3400-\u9fff"
_CHINESE = re.compile(f"[{CJK}]")
_HALF_WIDTH = re.compile(f"[{CJK}”》〕）][,;:()!?]|[,;:()!?][{CJK}“《〔（]")
"""A half-width mark beside a Chinese character; marks of English before a blank are left out."""

REPLACED = [
    "案件",
    "惩戒",
    "任职",
    "任命",
    "免职",
    "会签",
    "登记规则",
    "撤销许可证",
    "许可限值",
    "公开名片",
    "出金",
    "持仓",
    "交割专户",
    "裁定",
    "里程碑",
    "期初库存",
    "查询文档",
    "失效时间",
    "驳回",
    "预演",
    "设区市",
    "省厅",
    "本案",
    "是否两高行业",
]
"""Terms that the regulation does not use so; ``corrections`` 1.4 names what is written instead."""

_CODES = frozenset(
    [
        "SO2",
        "NOX",
        "COD",
        "NH3N",
        "hai",
        "liao",
        "inland",
        "industrial",
        "agricultural",
        "central_treatment",
        "holding",
        "escrow",
        "reserve",
        "issuance",
        "outside",
        "PAID",
        "FREE",
    ]
)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_API_NAME = re.compile("`[^`]*`")

SOURCES = frozenset({"source", "legal_basis"})
"""Columns that cite publications as they are; the Chinese half of a bilingual one is a sentence."""


def strings() -> Iterator[tuple[str, str]]:
    """Each string of the product with Chinese in it, and where; docstrings are for engineers."""
    for path in project_files():
        place = path.relative_to(ROOT)
        if path.suffix != ".py" or place.parts[0] not in {"registry", "schema", "server", "seeds"}:
            continue
        tree = ast.parse(path.read_text("utf-8"))
        skipped = {id(node) for node in _docstrings(tree)}
        skipped |= {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for part in node.values
        }
        for node in ast.walk(tree):
            text = _text(node)
            if text is not None and id(node) not in skipped and _CHINESE.search(text):
                yield f"{place}:{getattr(node, 'lineno', 0)}", text


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    """Of modules, classes, functions and attributes: strings that are statements."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield node.value


def _text(node: ast.AST) -> str | None:
    """The string; what an f-string fills in is a neutral sign."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "〇" for part in node.values
        )
    return None


def descriptions() -> Iterator[tuple[str, str]]:
    """Each line of the printed schema with Chinese in it."""
    schema = (ROOT / "schema" / "schema.graphql").read_text("utf-8")
    for number, line in enumerate(schema.splitlines(), 1):
        if _CHINESE.search(line):
            yield f"schema.graphql:{number}", line.strip().strip('"')


def cells() -> Iterator[tuple[str, str]]:
    """Each Chinese cell of the CSV files; of a bilingual cell the Chinese half."""
    for path in _files("policies/**/*.csv"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            text = line.rpartition(" | ")[2] if line.startswith("p, ") else line
            if not line.startswith("#"):
                yield from _chinese_cells(f"{path.name}:{number}", next(csv.reader([text]), ()))
    for path in (*_files("seeds/**/*.csv"), *_files("registry/**/*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines), 2):
                texts = (
                    re.sub("{[^}]*}", "〇", text.rpartition(" | ")[2])
                    for column, text in row.items()
                    if column not in SOURCES or " | " in text
                )
                yield from _chinese_cells(f"{path.name}:{number}", texts)


def _files(pattern: str) -> list[Path]:
    return sorted(ROOT.glob(pattern))


def _chinese_cells(place: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        if text and _CHINESE.search(text):
            yield place, text


def shown() -> list[tuple[str, str]]:
    return [*strings(), *descriptions(), *cells()]


def test_no_half_width_mark_is_beside_a_chinese_character() -> None:
    found = shown()

    assert len(found) > 1000
    assert [each for each in found if _HALF_WIDTH.search(each[1])] == []


def test_no_term_is_used_that_the_regulation_does_not_use_so() -> None:
    assert [
        (place, text, term) for place, text in shown() for term in REPLACED if term in text
    ] == []


def test_no_code_stands_in_a_chinese_sentence() -> None:
    sentences = [
        (place, _API_NAME.sub("", text))
        for place, text in shown()
        if re.match(f"[“《〇{CJK}]", text) and not place.startswith("industries")
    ]

    assert [each for each in sentences if _CODES & set(_WORD.findall(each[1]))] == []
