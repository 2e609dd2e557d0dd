"""Housekeeping: lets the cases expire whose time limit has passed."""

from uuid import UUID

from registry.access.authorizer import RowFilter, authorizer
from registry.access.principals import SYSTEM_PRINCIPAL
from registry.access.viewer_lookup import resolve_viewer
from registry.commands.command import execute_command
from registry.db.named_params import to_positional
from registry.db.session import fetch_all
from registry.kernel.errors import Refused
from registry.transfers.facts import TRANSFER
from registry.transfers.settlement import expire_transfer

SWEEP_MAX = 500
"""Most cases of one sweep."""


async def find_overdue() -> list[UUID]:
    """At most ``SWEEP_MAX`` cases that the rule book lets the machine expire, oldest first."""
    viewer = await resolve_viewer(SYSTEM_PRINCIPAL)
    allowed = authorizer.row_filter(viewer, TRANSFER, "expire")
    if not isinstance(allowed, RowFilter):
        return []
    sql, args = to_positional(
        f"SELECT t.id FROM transfer t WHERE {allowed.sql.replace('{t}', 't')}"  # noqa: S608 - our own text
        f" ORDER BY t.deadline_at, t.id LIMIT {SWEEP_MAX}",
        allowed.binds,
    )
    return [case["id"] for case in await fetch_all(sql, *args)]


async def expire_if_overdue(case: UUID) -> bool:
    """Let one case expire, by a command of its own; whether it did. Several nodes may try at once.

    A case that was withdrawn, or swept by another node, meanwhile does not; the frame has logged
    it.
    """
    try:
        await execute_command(expire_transfer, SYSTEM_PRINCIPAL, {"id": case}, key=f"expire {case}")
    except Refused:
        return False
    return True
