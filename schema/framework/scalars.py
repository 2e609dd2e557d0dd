"""Scalars with one text form each: what another form says is refused, never guessed."""

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from policies.vocabulary import Text
from registry.kernel.calendar import CHINA
from registry.kernel.errors import Malformed, error_extensions
from registry.kernel.identifiers import Sha256
from registry.kernel.quantities import (
    Money,
    Price,
    Quantity,
    format_money,
    parse_money,
    parse_quantity,
)

YEAR_MIN, YEAR_MAX = 1900, 2200

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"
    r"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)

_DECIMAL = Text("A decimal is written 356.418.", "小数写作356.418。")
_ParsedScalar = TypeVar("_ParsedScalar")


def parse_quantity_scalar(text: str) -> Quantity:
    """A plain decimal without trailing zeros; its instrument limits the decimals.

    Equal quantities become equal texts: under one idempotency key "0.2" and "0.200" are one input.
    """
    parse_quantity(text, len(text.partition(".")[2]))
    whole, point, decimals = text.partition(".")
    significant = decimals.rstrip("0")
    return Quantity(f"{whole}{point}{significant}" if significant else whole)


def parse_date(text: str) -> date:
    """A day, ``2022-06-07``."""
    parsed = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    if parsed is None or not YEAR_MIN <= parsed.year <= YEAR_MAX:
        raise ValueError
    return parsed


def parse_datetime(text: str) -> datetime:
    """A moment with its offset, ``2022-06-07T10:00:00+08:00``."""
    parsed = datetime.fromisoformat(text) if _DATE_TIME.fullmatch(text) else None
    if parsed is None or not YEAR_MIN <= parsed.year <= YEAR_MAX:
        raise ValueError
    return parsed


def format_datetime(value: datetime) -> str:
    """The moment in China's time, with as many decimals of a second as it has.

    As PostgreSQL shows it to ``database.SESSION``: plans show moments too.
    """
    whole, point, rest = value.astimezone(CHINA).isoformat().partition(".")
    return f"{whole}.{rest[:6].rstrip('0')}{rest[6:]}" if point else whole


def parse_sha256(text: str) -> Sha256:
    """A SHA-256 in lower case."""
    if not _SHA256.fullmatch(text):
        raise ValueError
    return Sha256(text)


def _define_scalar(
    name: str,
    description: str,
    *,
    parse: Callable[[str], _ParsedScalar],
    serialize: Callable[[Any], str] = str,
    form: Text = _DECIMAL,
) -> ScalarDefinition:
    """A scalar; ``form`` says how it is written where ``parse`` only knows that it is not."""

    def strictly(value: object) -> _ParsedScalar:
        if not isinstance(value, str):
            raise _malformed(name, f"{name} is written as a string.", f"{name}须为字符串。")
        try:
            return parse(value)
        except Malformed as refusal:
            raise _malformed(name, refusal.message.en, refusal.message.zh) from None
        except ValueError:
            raise _malformed(name, form.en, form.zh) from None

    definition: ScalarDefinition = strawberry.scalar(
        name=name, description=description, parse_value=strictly, serialize=serialize
    )
    return definition


def _malformed(name: str, en: str, zh: str) -> GraphQLError:
    return GraphQLError(en, extensions=error_extensions(Malformed.code.value, zh, scalar=name))


SCALARS: dict[object, ScalarDefinition] = {
    Quantity: _define_scalar(
        "Quantity",
        'A decimal string in the instrument\'s unit, such as "356.418" tonnes 数量.',
        parse=parse_quantity_scalar,
    ),
    Money: _define_scalar(
        "Money",
        'A decimal string in yuan (CNY), such as "8536113.00" 金额.',
        parse=parse_money,
        serialize=format_money,
    ),
    Price: _define_scalar(
        "Price",
        'A decimal string in yuan for one tonne, such as "5000.00" 单价.',
        parse=partial(parse_money, field="price"),
        serialize=format_money,
    ),
    Sha256: _define_scalar(
        "Sha256",
        "SHA-256 of a file, 64 lower-case hexadecimal digits 文件摘要.",
        parse=parse_sha256,
        form=Text(
            "A SHA-256 has 64 lower-case hexadecimal digits.", "文件摘要为64位小写十六进制数。"
        ),
    ),
    date: _define_scalar(
        "Date",
        'A day, such as "2022-06-07" 日期.',
        parse=parse_date,
        serialize=date.isoformat,
        form=Text(
            f"A day of the years {YEAR_MIN} to {YEAR_MAX} is written 2022-06-07.",
            f"日期写作2022-06-07，年份为{YEAR_MIN}至{YEAR_MAX}。",
        ),
    ),
    datetime: _define_scalar(
        "DateTime",
        'A moment with its offset, such as "2022-06-07T10:00:00+08:00" 时间.',
        parse=parse_datetime,
        serialize=format_datetime,
        form=Text(
            f"A moment of the years {YEAR_MIN} to {YEAR_MAX} is written 2022-06-07T10:00:00+08:00;"
            " hours end at 23, minutes at 59, in the offset too.",
            f"时间写作2022-06-07T10:00:00+08:00，年份为{YEAR_MIN}至{YEAR_MAX}；"
            "时至23，分至59，时差亦同。",
        ),
    ),
}
"""Every scalar of the schema beside those of GraphQL itself."""
