"""Strict reading of CSV files: the header, the cells of a line, and what a cell may say."""

import csv
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TypeVar

V = TypeVar("V")


class SheetRefused(Exception):
    """A file of ours is not what it must be; nothing was loaded. Names file and line."""


def text(cell: str) -> str:
    """The cell, which says something and has no blanks around it."""
    if not cell or cell != cell.strip():
        raise ValueError("is empty or has blanks around it")
    return cell


def maybe_text(cell: str) -> str | None:
    """The cell; None where it is empty."""
    return text(cell) if cell else None


def day(cell: str) -> str:
    """A day such as 2022-06-07."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell, re.ASCII):
        raise ValueError("is not a day such as 2022-06-07")
    return date.fromisoformat(cell).isoformat()


def maybe_day(cell: str) -> str | None:
    """A day; None where the cell is empty."""
    return day(cell) if cell else None


def truth(cell: str) -> bool:
    """``true`` or ``false``."""
    if cell not in {"true", "false"}:
        raise ValueError("is neither true nor false")
    return cell == "true"


def count(cell: str) -> int:
    """A whole number of at most nine digits."""
    if not re.fullmatch(r"\d{1,9}", cell, re.ASCII):
        raise ValueError("is not a whole number")
    return int(cell)


def like(pattern: str) -> Callable[[str], str]:
    """What reads a cell that matches the pattern from end to end."""

    def read(cell: str) -> str:
        if not re.fullmatch(pattern, cell, re.ASCII):
            raise ValueError(f"does not match {pattern}")
        return cell

    return read


def lines(path: Path, columns: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each line under the header: where it stands, as a refusal names it, and its cells.

    Raises:
        SheetRefused: the file cannot be read, has other columns, or a line of another length.

    """
    name = path.name
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if header != columns:
                raise SheetRefused(f"{name}:1: the columns are {header} instead of {columns}")
            for cells in reader:
                where = f"{name}:{reader.line_num}"
                if len(cells) != len(columns):
                    raise SheetRefused(f"{where}: {len(cells)} cells instead of {len(columns)}")
                yield where, cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SheetRefused(f"{name}: {error}") from error


def cell(where: str, column: str, read: Callable[[str], V], said: str) -> V:
    """What one cell says.

    Raises:
        SheetRefused: it is not as it must be; names line and column.

    """
    try:
        return read(said)
    except ValueError as error:
        raise SheetRefused(f"{where}: column {column}: {said!r} {error}") from error
