"""Housekeeping: lets the cases expire whose time limit has passed."""

from uuid import UUID

from registry.access.authorizer import Filter, gate
from registry.access.principals import REGISTRY
from registry.access.viewer_lookup import enter
from registry.commands.command import command
from registry.db.named_params import numbered
from registry.db.session import rows
from registry.kernel.errors import Refused
from registry.transfers.facts import TRANSFER
from registry.transfers.settlement import expire_transfer

SWEEP_MAX = 500
"""Most cases of one sweep."""


async def overdue() -> list[UUID]:
    """At most ``SWEEP_MAX`` cases that the rule book lets the machine expire, oldest first."""
    viewer = await enter(REGISTRY)
    allowed = gate.row_filter(viewer, TRANSFER, "expire")
    if not isinstance(allowed, Filter):
        return []
    sql, args = numbered(
        f"SELECT t.id FROM transfer t WHERE {allowed.sql.replace('{t}', 't')}"  # noqa: S608 - our own text
        f" ORDER BY t.deadline_at, t.id LIMIT {SWEEP_MAX}",
        allowed.binds,
    )
    return [case["id"] for case in await rows(sql, *args)]


async def let_expire(case: UUID) -> bool:
    """Let one case expire, by a command of its own; whether it did. Several nodes may try at once.

    A case that was withdrawn, or swept by another node, meanwhile does not; the frame has logged
    it.
    """
    try:
        await command(expire_transfer, REGISTRY, {"id": case}, key=f"expire {case}")
    except Refused:
        return False
    return True
