"""What an act says of its input, claiming keys, and reading an object's history."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from registry.access.principals import NIL, Viewer
from registry.commands.records import Act
from registry.db.named_params import storable
from registry.db.session import execute, row, rows
from registry.kernel.errors import KeyReused, Malformed
from registry.reading.projections import Listed, Shown

KEY_LENGTH_MAX = 200
INPUT_LENGTH_MAX = 64 * 1024


def plain(value: object) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """``value`` as JSON knows it: text for identifiers, days and enums; no floats.

    Raises:
        TypeError: a value of a type that no operation takes.

    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, UUID | date):
        return value.isoformat() if isinstance(value, date) else str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(item) for item in value]
        return sorted(items) if isinstance(value, set | frozenset) else items
    raise TypeError(f"{type(value).__name__} is no input of an operation")


def canonical(operation: str, args: dict[str, Any]) -> tuple[str, str]:
    """The input as JSON text, and the hash over operation and input that a key is bound to.

    Raises:
        Malformed: the input is larger than ``INPUT_LENGTH_MAX`` characters.

    """
    text = json.dumps(plain(args), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if len(text) > INPUT_LENGTH_MAX:
        raise Malformed("input", "The input is too large.", "输入内容过大。")
    return text, hashlib.sha256(f"{operation}\n{text}".encode()).hexdigest()


def check_key(key: str) -> None:
    """Refuse a key that no command may carry.

    Raises:
        Malformed: it is empty, longer than ``KEY_LENGTH_MAX``, or cannot be stored.

    """
    if not (1 <= len(key) <= KEY_LENGTH_MAX and storable(key)):
        raise Malformed(
            "idempotencyKey",
            f"The idempotency key has 1 to {KEY_LENGTH_MAX} characters.",
            f"幂等键长度为1至{KEY_LENGTH_MAX}个字符。",
        )


async def claim(viewer: Viewer, key: str, digest: str, act_id: UUID) -> UUID | None:
    """Bind ``key`` to this input and act; the act it is bound to already where it is a repetition.

    Waits for a command that holds the same key and is not yet decided.

    Raises:
        KeyReused: the key is bound to another command or other input.

    """
    owner = (viewer.organisation, viewer.person, viewer.client or viewer.role, key)
    claimed = await execute(
        "INSERT INTO idempotency_key (organisation_id, person_id, client, key, hash, act_id)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        *owner,
        digest,
        act_id,
    )
    if claimed:
        return None
    found = await row(
        "SELECT hash, act_id FROM idempotency_key"
        " WHERE organisation_id = $1 AND person_id = $2 AND client = $3 AND key = $4",
        *owner,
    )
    if found is None or found["hash"] != digest:
        raise KeyReused
    return UUID(str(found["act_id"]))


def or_none(id: UUID) -> UUID | None:
    """``id``, with NULL for «nobody»."""
    return None if id == NIL else id


# The registry's clock may stand; the order of writing then tells which came first.
_HISTORIES = """
    SELECT asked.object_id, asked.most, found.id
    FROM unnest($1::uuid[], $2::int[]) AS asked (object_id, most), LATERAL (
        SELECT id, at, written_at FROM act WHERE object_id = asked.object_id
        ORDER BY at, written_at, id LIMIT asked.most
    ) AS found
    ORDER BY found.at, found.written_at, found.id
"""
_STATES = """
    SELECT asked.object_id, asked.at, found.state_after
    FROM unnest($1::uuid[], $2::timestamptz[]) AS asked (object_id, at), LATERAL (
        SELECT state_after FROM act
        WHERE object_id = asked.object_id AND at <= asked.at AND state_after IS NOT NULL
        ORDER BY at DESC, written_at DESC LIMIT 1
    ) AS found
"""


HISTORY = Listed("act", "{t}.object_id = {p}.id", "{t}.at, {t}.written_at, {t}.id", most="first")
"""The acts on a row, oldest first."""

STATE_AT = Shown(
    "(SELECT a.state_after FROM act a WHERE a.object_id = {t}.id AND a.at <= :as_of"
    " AND a.state_after IS NOT NULL ORDER BY a.at DESC, a.written_at DESC LIMIT 1)"
)
"""The state in which the acts had left a row by a moment."""


async def histories(asked: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], list[Act]]:
    """The acts on each object, oldest first, at most so many, by what was asked."""
    found = await rows(_HISTORIES, [id for id, _ in asked], [most for _, most in asked])
    acts = {act.id: act for act in await Act.filter(id__in=[line["id"] for line in found])}
    by_asked: dict[tuple[UUID, int], list[Act]] = {key: [] for key in asked}
    for line in found:
        by_asked[line["object_id"], line["most"]].append(acts[line["id"]])
    return by_asked


async def history(object_id: UUID, *, limit: int = 100) -> list[Act]:
    """The acts on one object, oldest first, at most ``limit``."""
    asked = (object_id, limit)
    return (await histories([asked]))[asked]


async def states_at(
    asked: Sequence[tuple[UUID, datetime]],
) -> dict[tuple[UUID, datetime], str]:
    """The state each object was in at a moment, from its acts; left out before its first."""
    found = await rows(_STATES, [id for id, _ in asked], [at for _, at in asked])
    return {(line["object_id"], line["at"]): str(line["state_after"]) for line in found}


async def state_at(object_id: UUID, at: datetime) -> str | None:
    """The state an object was in at ``at``; None before its first act."""
    return (await states_at([(object_id, at)])).get((object_id, at))
