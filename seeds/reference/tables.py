"""What the files of reference data look like, and their strict reading. Knows no database."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path
from uuid import UUID, uuid5

from seeds.csv_reader import (
    SheetRefused,
    cell,
    count,
    day,
    like,
    lines,
    maybe_day,
    maybe_text,
    text,
    truth,
)

FOLDER = Path(__file__).parent

# The same row has the same id in every database.
_NAMESPACE = UUID("7f1c52f4-8b0e-5c39-9f57-2b1d8c1f6a10")

Value = str | int | bool | None
Row = dict[str, Value]


ReferenceRefused = SheetRefused
"""A file of reference data is not what it must be; nothing was loaded. Names file and line."""


def _any_or_text(said: str) -> str:
    return maybe_text(said) or ""


_DIVISION = like(r"[1-9]\d{5}")
_POLLUTANT = like(r"[A-Z][A-Z0-9]*")
_WORD = like(r"[a-z][a-z0-9_]*")

Reader = Callable[[str], Value]

_NAMES: Mapping[str, Reader] = {"name_zh": text, "name_en": text}
_PERIOD: Mapping[str, Reader] = {"effective_from": day, "effective_until": maybe_day}
_SOURCE: Mapping[str, Reader] = {
    "source": text,
    "source_date": maybe_day,
    "provenance": like("R~?|A|K|I"),
    "demo": truth,
    "needs_confirmation": truth,
}


def _unchanged(row: Row) -> Row:
    return row


def _parameter(row: Row) -> Row:
    key = "/".join(str(row[part]) for part in ("name", "area", "pollutant", "effective_from"))
    return {"id": str(uuid5(_NAMESPACE, key)), **row}


def _base_price(row: Row) -> Row:
    return _parameter({"name": "base_price", "area": "", **row, "value": row["price"]})


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file, and the table it fills.

    Attributes:
        columns: its columns in order, and what reads a cell of each; provenance follows.
        key: the columns of the table by which a row is recognised.
        refers: columns whose codes, where given, stand in the file of another table or earlier.
        complete: makes the table's row of the file's.

    """

    file: str
    table: str
    columns: Mapping[str, Reader]
    key: tuple[str, ...] = ("code",)
    refers: Mapping[str, str] = field(default_factory=dict)
    complete: Callable[[Row], Row] = _unchanged


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file, ready for its table.

    Attributes:
        where: file and line, as a refusal names them.

    """

    where: str
    row: Row


_DIVISION_COLUMNS: Mapping[str, Reader] = {
    "code": _DIVISION,
    **_NAMES,
    "level": like("province|city|county"),
    "city": _DIVISION,
    "effective_from": maybe_day,
    "effective_until": maybe_day,
}
_PARAMETER_KEY = ("name", "area", "pollutant", "effective_from")

# In the order in which they may refer to each other.
SHEETS = (
    Sheet("cities.csv", "division", _DIVISION_COLUMNS, refers={"city": "division"}),
    Sheet("counties.csv", "division", _DIVISION_COLUMNS, refers={"city": "division"}),
    Sheet("river_systems.csv", "river_system", {"code": _WORD, **_NAMES, "basin": _WORD}),
    Sheet(
        "pollutants.csv",
        "pollutant",
        {
            "code": _POLLUTANT,
            **_NAMES,
            "medium": like("air|water|mixed"),
            "national_code": like(r"[aw]\d{5}"),
            "unit": like("t|kg"),
            "scale": count,
            "status": like("active|planned|possible"),
            "enabled_from": maybe_day,
        },
    ),
    Sheet(
        "industries.csv",
        "industry",
        {
            "code": like(r"\d{4}"),
            **_NAMES,
            "source_category": _WORD,
            "thermal_power": truth,
            "two_high": truth,
            "benchmark_industry": truth,
        },
    ),
    Sheet(
        "holidays.csv",
        "holiday",
        {"day": day, "kind": like("holiday|make_up"), **_NAMES},
        key=("day",),
    ),
    Sheet(
        "base_prices.csv",
        "parameter",
        {
            "pollutant": _POLLUTANT,
            **_PERIOD,
            "price": like(r"(0|[1-9]\d*)\.\d\d"),
            "unit": _WORD,
            "ground": text,
        },
        key=_PARAMETER_KEY,
        refers={"pollutant": "pollutant"},
        complete=_base_price,
    ),
    Sheet(
        "parameters.csv",
        "parameter",
        {
            "name": _WORD,
            "area": _any_or_text,
            "pollutant": _any_or_text,
            **_PERIOD,
            "value": maybe_text,
            "unit": _WORD,
            "ground": text,
        },
        key=_PARAMETER_KEY,
        refers={"area": "division", "pollutant": "pollutant"},
        complete=_parameter,
    ),
)


def read_sheets(folder: Path = FOLDER) -> dict[str, list[Line]]:
    """The rows of every file, by its name, in the order in which they can be written.

    Raises:
        ReferenceRefused: with file and line: an unknown column, a wrong cell, a code that no file
            gives, a row that stands there twice, or two figures of one parameter for one day.

    """
    read = {sheet.file: list(_read(sheet, folder)) for sheet in SHEETS}
    _check_codes(read)
    _check_periods(read)
    return read


def _read(sheet: Sheet, folder: Path) -> Iterator[Line]:
    readers = {**sheet.columns, **_SOURCE}
    seen: dict[tuple[Value, ...], str] = {}
    for where, cells in lines(folder / sheet.file, list(readers)):
        row = sheet.complete(
            {
                column: cell(where, column, read, said)
                for (column, read), said in zip(readers.items(), cells, strict=True)
            }
        )
        key = tuple(row[column] for column in sheet.key)
        if key in seen:
            raise ReferenceRefused(f"{where}: the same row stands in {seen[key]}")
        seen[key] = where
        yield Line(where, row)


def _check_codes(read: Mapping[str, list[Line]]) -> None:
    known: dict[str, set[Value]] = {sheet.table: set() for sheet in SHEETS}
    for sheet in SHEETS:
        known[sheet.table] |= {line.row.get("code") for line in read[sheet.file]}
        for line, column, table in product(read[sheet.file], sheet.refers, known):
            code = line.row[column]
            if table == sheet.refers[column] and code and code not in known[table]:
                raise ReferenceRefused(f"{line.where}: column {column}: there is no {table} {code}")


def _check_periods(read: Mapping[str, list[Line]]) -> None:
    figures = [line for sheet in SHEETS if sheet.table == "parameter" for line in read[sheet.file]]
    figures.sort(key=lambda line: [str(line.row[column]) for column in _PARAMETER_KEY])
    for earlier, later in pairwise(figures):
        if any(earlier.row[column] != later.row[column] for column in _PARAMETER_KEY[:-1]):
            continue
        until = earlier.row["effective_until"]
        if until is None or str(until) >= str(later.row["effective_from"]):
            raise ReferenceRefused(f"{later.where}: begins before {earlier.where} has ended")
