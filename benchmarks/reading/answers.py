"""Values that every API writes differently, in one common form."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from schema.framework.global_ids import parse_global_id

FEN_DECIMALS = 2


def parse_instant(text: str) -> str:
    """An instant in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


def key(id: str) -> str:
    """The UUID inside a global identifier."""
    return str(parse_global_id(id)[1])


def stored_words(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A row whose enum values, at the given keys, are the words that are stored."""
    return {**row, **{name: row[name].lower() for name in names}}


def bare_codes(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A row whose objects of a code alone, at the given keys, are the codes themselves.

    Other values stay as they are, so that one form serves APIs with codes and with objects.
    """
    codes = {name: row[name]["code"] for name in names if _is_code(row[name])}
    return {**row, **codes}


def _is_code(value: object) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"code"}


def base_units(quantity: str, decimals: int) -> str:
    """A decimal in base units."""
    return str(int(Decimal(quantity).scaleb(decimals)))


def sorted_by(name: str, rows: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Rows in the order of one of their values."""
    return sorted(rows, key=lambda row: str(row[name]))
