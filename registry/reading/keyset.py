"""Pages of lists: their orders, bounds and cursors.

A page is found by keyset, so that page 2 000 costs what page 1 costs.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from registry.db.named_params import is_storable_text
from registry.kernel.errors import Malformed

MAX_PAGE_SIZE = 100
MAX_CURSOR_LENGTH = 2_048


@dataclass(frozen=True, slots=True)
class Ordering:
    """By which NOT NULL column a list is read, the identifier breaking ties."""

    column: str  # The column, from a whitelist.
    # The Python type of its values; a cursor must carry one.
    type: type[datetime] | type[date] | type[int] | type[str]
    descending: bool = False  # Newest or largest first.


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page request: the first or last ``n`` rows, after or before a cursor.

    Raises:
        Malformed: neither or both of ``first`` and ``last``, or one outside 1 to ``MAX_PAGE_SIZE``.

    """

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        if (self.first is None) == (self.last is None):
            raise Malformed(
                "first", "Give either `first` or `last`.", "请在`first`与`last`中恰好指定一个。"
            )
        name = "last" if self.first is None else "first"
        if not 1 <= self.size <= MAX_PAGE_SIZE:
            raise Malformed(
                name,
                f"`{name}` is 1 to {MAX_PAGE_SIZE}.",
                f"{name}的取值范围为1至{MAX_PAGE_SIZE}。",
            )

    @property
    def size(self) -> int:
        return self.first if self.first is not None else self.last or 0

    @property
    def is_backward(self) -> bool:
        """Whether the page is read from the end of the list."""
        return self.first is None


def name_order(node_type: str, order: str) -> str:
    """The name within a cursor: the type of the objects and the order, and no filter."""
    return f"{node_type} {order}"


MIN_PART, MAX_PART = 2, 100
"""Characters of a part of a name; a single one has no bigram."""


def check_part(field: str, value: str) -> None:
    """Refuse a part of a name that no index can find."""
    if not MIN_PART <= len(value) <= MAX_PART:
        raise Malformed(
            field,
            f"A part of a name has {MIN_PART} to {MAX_PART} characters.",
            f"名称片段长度为{MIN_PART}至{MAX_PART}个字符。",
        )


def check_value_count(field: str, values: object) -> None:
    """Refuse a filter that names too many values."""
    if isinstance(values, list) and len(values) > MAX_PAGE_SIZE:
        raise Malformed(field, "At most 100 values.", "最多100个取值。")


def decode_cursor(cursor: str, list_order: str, ordering: Ordering, field: str) -> tuple[Any, UUID]:
    """The value of the order's column and the identifier; refuses cursors of other lists."""
    try:
        if len(cursor) > MAX_CURSOR_LENGTH:
            raise ValueError(cursor)  # noqa: TRY301 - one refusal for every fault of a cursor
        padded = cursor + "=" * (-len(cursor) % 4)
        named, key, id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if named != list_order:
            raise ValueError(named)  # noqa: TRY301 - likewise
        return _parse_key(key, ordering), UUID(id)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise Malformed(
            field,
            f"`{field}` is no cursor of this list in this order ({list_order}).",
            f"{field}不是此列表按此排序方式（{list_order}）生成的游标。",
        ) from None


def _parse_key(key: object, ordering: Ordering) -> object:
    if issubclass(ordering.type, date):
        value = ordering.type.fromisoformat(str(key))
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(key)
        # A moment at either end of time may have none in another zone, and none is kept there.
        return value.astimezone(UTC) if isinstance(value, datetime) else value
    # Numeric orders use int4, as the numbers of the API do.
    if type(key) is not ordering.type or (isinstance(key, int) and not -(2**31) <= key < 2**31):
        raise ValueError(key)
    if isinstance(key, str) and not is_storable_text(key):
        raise ValueError(key)
    return key
