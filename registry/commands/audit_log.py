"""Canonical input of audit entries, idempotency keys, and an object's history."""

import hashlib
import json
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from registry.access.principals import NIL
from registry.kernel.errors import Malformed
from registry.reading.keyset import Ordering
from registry.reading.projections import ColumnExpr

INPUT_LENGTH_MAX = 64 * 1024


def to_plain(value: object) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """``value`` as JSON knows it: text for identifiers, days and enums; no floats.

    Raises:
        TypeError: a value of a type that no operation takes.

    """
    if isinstance(value, Enum):
        return to_plain(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        # Equal instants are equal input, in any offset that the client wrote.
        value = value.astimezone(UTC)
    if isinstance(value, UUID | date):
        return value.isoformat() if isinstance(value, date) else str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return to_plain(asdict(value))
    if isinstance(value, dict):
        return {str(name): to_plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [to_plain(item) for item in value]
        return sorted(items) if isinstance(value, set | frozenset) else items
    raise TypeError(f"{type(value).__name__} is no input of an operation")


def canonical_input(operation: str, args: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The input in JSON's types, and the hash over operation and input that a key is bound to.

    Raises:
        Malformed: the input is larger than ``INPUT_LENGTH_MAX`` characters.

    """
    plain = to_plain(args)
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if len(text) > INPUT_LENGTH_MAX:
        raise Malformed("input", "The input is too large.", "输入内容过大。")
    return plain, hashlib.sha256(f"{operation}\n{text}".encode()).hexdigest()


def nil_to_none(id: UUID) -> UUID | None:
    """``id``, with NULL for the nil UUID."""
    return None if id == NIL else id


ENTRY_ID = ColumnExpr("{t}.id", id_kind="AuditEntry")
HISTORY_ORDERS = {
    "newest": Ordering("written_at", datetime, descending=True),
    "oldest": Ordering("written_at", datetime),
}
"""Two entries of one object may have the same ``at``: the registry's clock can stop."""

STATE_AT = ColumnExpr(
    "(SELECT a.state_after FROM audit_entry a WHERE a.object_id = {t}.id AND a.at <= :as_of"
    " AND a.state_after IS NOT NULL ORDER BY a.written_at DESC LIMIT 1)"
)
"""The state in which the acts had left a row by a moment."""
