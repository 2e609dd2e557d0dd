"""Cursors as the planner's statements write them, made without SQL."""

import base64
import json
from datetime import UTC, date, datetime
from uuid import UUID


def encode_cursor(list_order: str, key: datetime | date | int | str, id: UUID) -> str:
    """The cursor of a row by the key of its order; see ``name_order``."""
    if isinstance(key, datetime):
        said: object = key.astimezone(UTC).isoformat(timespec="microseconds")
    else:
        said = key.isoformat() if isinstance(key, date) else key
    text = json.dumps([list_order, said, str(id)], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
