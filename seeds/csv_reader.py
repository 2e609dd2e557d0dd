"""Strict reading of CSV files: the header, the number of cells, and the form of each cell."""

import csv
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")


class CsvError(Exception):
    """A CSV file of the project is invalid; nothing was loaded. Names file and line."""


def parse_text(cell: str) -> str:
    """The cell, which is not empty and has no blanks around it."""
    if not cell or cell != cell.strip():
        raise ValueError("is empty or has blanks around it")
    return cell


def parse_optional_text(cell: str) -> str | None:
    """The cell; None if it is empty."""
    return parse_text(cell) if cell else None


def parse_day(cell: str) -> str:
    """A day such as 2022-06-07."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell, re.ASCII):
        raise ValueError("is not a day such as 2022-06-07")
    return date.fromisoformat(cell).isoformat()


def parse_optional_day(cell: str) -> str | None:
    """A day; None if the cell is empty."""
    return parse_day(cell) if cell else None


def parse_bool(cell: str) -> bool:
    """``true`` or ``false``."""
    if cell not in {"true", "false"}:
        raise ValueError("is neither true nor false")
    return cell == "true"


def parse_count(cell: str) -> int:
    """A whole number of at most nine digits."""
    if not re.fullmatch(r"\d{1,9}", cell, re.ASCII):
        raise ValueError("is not a whole number")
    return int(cell)


def matching(pattern: str) -> Callable[[str], str]:
    """A parser of cells that match the whole pattern."""

    def read(cell: str) -> str:
        if not re.fullmatch(pattern, cell, re.ASCII):
            raise ValueError(f"does not match {pattern}")
        return cell

    return read


def read_rows(path: Path, columns: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each line under the header: its file and line number, and its cells.

    Raises:
        CsvError: the file cannot be read, has other columns, or a line of another length.

    """
    name = path.name
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if header != columns:
                raise CsvError(f"{name}:1: the columns are {header} instead of {columns}")
            for cells in reader:
                location = f"{name}:{reader.line_num}"
                if len(cells) != len(columns):
                    raise CsvError(f"{location}: {len(cells)} cells instead of {len(columns)}")
                yield location, cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CsvError(f"{name}: {error}") from error


def parse_cell(location: str, column: str, parse: Callable[[str], Value], value: str) -> Value:
    """The value of one cell.

    Raises:
        CsvError: it has another form; names line and column.

    """
    try:
        return parse(value)
    except ValueError as error:
        raise CsvError(f"{location}: column {column}: {value!r} {error}") from error
