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


def base_units(quantity: str, decimals: int) -> str:
    """A decimal in base units."""
    return str(int(Decimal(quantity).scaleb(decimals)))


def sorted_by(name: str, rows: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Rows in the order of one of their values."""
    return sorted(rows, key=lambda row: str(row[name]))
