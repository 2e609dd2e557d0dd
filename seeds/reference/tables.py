"""The columns of the reference data files, and their strict reading. It knows no database."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path
from uuid import UUID, uuid5

from seeds.csv_reader import (
    CsvError,
    matching,
    parse_bool,
    parse_cell,
    parse_count,
    parse_day,
    parse_optional_day,
    parse_optional_text,
    parse_text,
    read_rows,
)

FOLDER = Path(__file__).parent

# The same row has the same id in every database.
_NAMESPACE = UUID("7f1c52f4-8b0e-5c39-9f57-2b1d8c1f6a10")

Value = str | int | bool | None
Row = dict[str, Value]


ReferenceDataError = CsvError
"""A file of reference data is invalid; nothing was loaded. Names file and line."""


def _parse_optional_bool(value: str) -> bool | None:
    return parse_bool(value) if value else None


def _parse_text_or_empty(value: str) -> str:
    return parse_optional_text(value) or ""


_DIVISION = matching(r"[1-9]\d{5}")
_POLLUTANT = matching(r"[A-Z][A-Z0-9]*")
_WORD = matching(r"[a-z][a-z0-9_]*")

CellParser = Callable[[str], Value]

_NAME_COLUMNS: Mapping[str, CellParser] = {"name_zh": parse_text, "name_en": parse_text}
_PERIOD_COLUMNS: Mapping[str, CellParser] = {
    "effective_from": parse_day,
    "effective_until": parse_optional_day,
}
_PROVENANCE_COLUMNS: Mapping[str, CellParser] = {
    "source": parse_text,
    "source_date": parse_optional_day,
    "provenance": matching("R~?|A|K|I"),
    "demo": parse_bool,
    "needs_confirmation": parse_bool,
}


def _identity(row: Row) -> Row:
    return row


def _parameter(row: Row) -> Row:
    key = "/".join(str(row[part]) for part in ("name", "area", "pollutant", "effective_from"))
    return {"id": str(uuid5(_NAMESPACE, key)), **row}


def _base_price(row: Row) -> Row:
    return _parameter({"name": "base_price", "area": "", **row, "value": row["price"]})


@dataclass(frozen=True, slots=True)
class ReferenceTable:
    """One file, and the table it fills.

    Attributes:
        columns: its columns in order with their parsers; the columns of provenance follow.
        key: the columns that identify a row of the table.
        references: for a column of codes, the table that has these codes, here or in a file above.
        to_row: turns a row of the file into a row of the table.

    """

    file: str
    table: str
    columns: Mapping[str, CellParser]
    key: tuple[str, ...] = ("code",)
    references: Mapping[str, str] = field(default_factory=dict)
    to_row: Callable[[Row], Row] = _identity


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """One row of a file, ready for its table.

    Attributes:
        location: file and line, for error messages.

    """

    location: str
    row: Row


_DIVISION_COLUMNS: Mapping[str, CellParser] = {
    "code": _DIVISION,
    **_NAME_COLUMNS,
    "level": matching("province|city|county"),
    "city": _DIVISION,
    "effective_from": parse_optional_day,
    "effective_until": parse_optional_day,
}
_PARAMETER_KEY = ("name", "area", "pollutant", "effective_from")

# A file refers only to itself and to files above it.
REFERENCE_TABLES = (
    ReferenceTable("cities.csv", "division", _DIVISION_COLUMNS, references={"city": "division"}),
    ReferenceTable("counties.csv", "division", _DIVISION_COLUMNS, references={"city": "division"}),
    ReferenceTable(
        "river_systems.csv", "river_system", {"code": _WORD, **_NAME_COLUMNS, "basin": _WORD}
    ),
    ReferenceTable(
        "pollutants.csv",
        "pollutant",
        {
            "code": _POLLUTANT,
            **_NAME_COLUMNS,
            "medium": matching("air|water|mixed"),
            "national_code": matching(r"[aw]\d{5}"),
            "unit": matching("t|kg"),
            "scale": parse_count,
            "status": matching("active|planned|possible"),
            "enabled_from": parse_optional_day,
        },
    ),
    ReferenceTable(
        "industries.csv",
        "industry",
        {
            "code": matching(r"\d{4}"),
            **_NAME_COLUMNS,
            "source_category": _WORD,
            "thermal_power": parse_bool,
            "two_high": parse_bool,
            "benchmark_industry": parse_bool,
        },
    ),
    ReferenceTable(
        "holidays.csv",
        "holiday",
        {"day": parse_day, "kind": matching("holiday|make_up|market_closure"), **_NAME_COLUMNS},
        key=("day",),
    ),
    ReferenceTable(
        "base_prices.csv",
        "parameter",
        {
            "pollutant": _POLLUTANT,
            **_PERIOD_COLUMNS,
            "price": matching(r"(0|[1-9]\d*)\.\d\d"),
            "unit": _WORD,
            "tax_included": _parse_optional_bool,
            "legal_basis": parse_text,
        },
        key=_PARAMETER_KEY,
        references={"pollutant": "pollutant"},
        to_row=_base_price,
    ),
    ReferenceTable(
        "parameters.csv",
        "parameter",
        {
            "name": _WORD,
            "area": _parse_text_or_empty,
            "pollutant": _parse_text_or_empty,
            **_PERIOD_COLUMNS,
            "value": parse_optional_text,
            "unit": _WORD,
            "legal_basis": parse_text,
        },
        key=_PARAMETER_KEY,
        references={"area": "division", "pollutant": "pollutant"},
        to_row=_parameter,
    ),
)


def read_tables(folder: Path = FOLDER) -> dict[str, list[ReferenceRow]]:
    """The rows of every file, by its name, in the order in which to write them.

    Raises:
        ReferenceDataError: with file and line: an unknown column, a wrong cell, an unknown code, a
            row that occurs twice, or two values of one parameter for one day.

    """
    rows = {table.file: list(_read_table(table, folder)) for table in REFERENCE_TABLES}
    _check_codes(rows)
    _check_periods(rows)
    return rows


def _read_table(table: ReferenceTable, folder: Path) -> Iterator[ReferenceRow]:
    parsers = {**table.columns, **_PROVENANCE_COLUMNS}
    seen: dict[tuple[Value, ...], str] = {}
    for location, cells in read_rows(folder / table.file, list(parsers)):
        row = table.to_row(
            {
                column: parse_cell(location, column, parse, cell)
                for (column, parse), cell in zip(parsers.items(), cells, strict=True)
            }
        )
        key = tuple(row[column] for column in table.key)
        if key in seen:
            raise ReferenceDataError(f"{location}: the same row is in {seen[key]}")
        seen[key] = location
        yield ReferenceRow(location, row)


def _check_codes(rows: Mapping[str, list[ReferenceRow]]) -> None:
    codes: dict[str, set[Value]] = {table.table: set() for table in REFERENCE_TABLES}
    for table in REFERENCE_TABLES:
        codes[table.table] |= {row.row.get("code") for row in rows[table.file]}
        for row, (column, target) in product(rows[table.file], table.references.items()):
            code = row.row[column]
            if code and code not in codes[target]:
                raise ReferenceDataError(
                    f"{row.location}: column {column}: there is no {target} {code}"
                )


def _check_periods(rows: Mapping[str, list[ReferenceRow]]) -> None:
    parameters = [
        row for table in REFERENCE_TABLES if table.table == "parameter" for row in rows[table.file]
    ]
    parameters.sort(key=lambda row: [str(row.row[column]) for column in _PARAMETER_KEY])
    for earlier, later in pairwise(parameters):
        if any(earlier.row[column] != later.row[column] for column in _PARAMETER_KEY[:-1]):
            continue
        until = earlier.row["effective_until"]
        if until is None or str(until) >= str(later.row["effective_from"]):
            raise ReferenceDataError(
                f"{later.location}: begins before {earlier.location} has ended"
            )
