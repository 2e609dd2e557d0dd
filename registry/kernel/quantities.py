"""Quantity, money, price, period. Pure, integers only; alone reads decimals and rounds."""

import re
from dataclasses import dataclass
from datetime import date
from typing import NewType

from registry.kernel.errors import Malformed

Quantity = NewType("Quantity", str)
"""A decimal in the instrument's unit; a text until the instrument, which knows its scale."""

Money = NewType("Money", int)
"""Fen."""

Price = NewType("Price", int)
"""Fen for one unit of the instrument."""

QUANTITY_MAX = 10**13
"""Most base units in one figure: ten thousand million tonnes counted in kilograms."""

MONEY_MAX = 10**15
"""Most fen in one figure: ten million million yuan. Thousands of them still fit a bigint."""

MONEY_SCALE = 2

_DECIMAL = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)
_MAX_DECIMAL_LENGTH = 32

UNITS_ZH = {"t": "吨", "kg": "千克", "yuan": "元"}
"""The units of instruments in Chinese."""


def parse_quantity(text: str, scale: int, *, field: str = "quantity") -> int:
    """Parse a decimal in the instrument's unit into base units; zero is allowed.

    Args:
        text: plain decimal such as ``356.418``: no sign, exponent, blank or separator.
        scale: decimals of the instrument; 3 means that a tonne has 1000 base units.
        field: the argument a refusal names.

    Raises:
        Malformed: another form, more decimals than ``scale``, or more than ``QUANTITY_MAX``.

    """
    return _parse(text, scale, maximum=QUANTITY_MAX, field=field)


def format_quantity(units: int, scale: int) -> str:
    """The decimal with exactly ``scale`` decimals; negative only for what an issuer has issued."""
    return _format(units, scale)


def parse_money(text: str, *, field: str = "money") -> int:
    """Parse a decimal in yuan into fen; zero is allowed."""
    return _parse(text, MONEY_SCALE, maximum=MONEY_MAX, field=field)


def format_money(fen: int) -> str:
    """Yuan with two decimals: ``8536113.00``."""
    return _format(fen, MONEY_SCALE)


def total_price_fen(quantity: int, price_fen: int, scale: int) -> int:
    """The price of a quantity, rounded half up to whole fen.

    Args:
        quantity: base units, from 0 to ``QUANTITY_MAX``.
        price_fen: fen for one unit of the API (one tonne), that is for ``10 ** scale`` base units.
        scale: decimals of the instrument.

    Rule: the price is paid once for the whole right, not per year; parameter ``price_basis``.

    """
    unit: int = 10**scale
    amount = (2 * quantity * price_fen + unit) // (2 * unit)
    if amount > MONEY_MAX:
        raise Malformed(
            "price",
            f"Quantity times price exceeds {format_money(MONEY_MAX)} yuan.",
            f"数量与单价之积超过{format_money(MONEY_MAX)}元。",
        )
    return amount


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days on which something is in force, both ends included."""

    since: date
    until: date | None = None

    def __post_init__(self) -> None:
        if self.until is not None and self.until < self.since:
            raise Malformed(
                "until",
                f"The period ends on {self.until}, before it begins on {self.since}.",
                f"期间截止日{self.until}早于起始日{self.since}。",
            )

    def contains(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


def _parse(text: str, scale: int, *, maximum: int, field: str) -> int:
    found = _DECIMAL.fullmatch(text) if len(text) <= _MAX_DECIMAL_LENGTH else None
    if found is None:
        raise Malformed(
            field,
            f"{field} must be a plain decimal such as {_format(1234567, scale)}.",
            f"{field}须为普通十进制数，例如{_format(1234567, scale)}。",
        )
    whole, decimals = found[1], found[2] or ""
    if len(decimals) > scale:
        raise Malformed(
            field,
            f"{field} has {len(decimals)} decimals where {scale} are allowed.",
            f"{field}有{len(decimals)}位小数，最多允许{scale}位。",
        )
    units = int(whole + decimals.ljust(scale, "0"))
    if units > maximum:
        raise Malformed(
            field,
            f"{field} exceeds the limit of {_format(maximum, scale)}.",
            f"{field}超过上限{_format(maximum, scale)}。",
        )
    return units


def _format(units: int, scale: int) -> str:
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else sign + digits
