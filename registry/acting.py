"""From a caller to a viewer: which appointment acts, and what stands against it now.

One of the shared rooms, because reads and writes both begin here; it reads the tables of parties
and freezes by SQL
and knows none of their records.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from registry.database import row, rows
from registry.errors import AppointmentRequired
from registry.viewer import NIL, Caller, Viewer

_APPOINTMENTS = """
    SELECT a.id, a.person_id, a.organisation_id, a.role, a.division, a.may_initiate, a.may_approve,
        o.kind IN ('province', 'city', 'county', 'centre') AS authority,
        NOT (a.state = 'in_force' AND o.state = 'open' AND a.valid_from <= $2
            AND (a.valid_until IS NULL OR a.valid_until > $2)) AS lapsed
    FROM appointment a
    JOIN person p ON p.id = a.person_id
    JOIN organisation o ON o.id = a.organisation_id
    WHERE p.subject = $1 AND a.state IN ('in_force', 'ended')
    ORDER BY a.organisation_id, a.id
"""
# The lock makes a dismissal, a closure or a sanction that commits first win over the command that
# waits here.
_LOCKED = _APPOINTMENTS + " FOR SHARE OF a, o"

# Whoever waited for a lock asks for the time again: what he waited for began meanwhile.
_STANDING = """
    SELECT moment.now,
        EXISTS (
            SELECT FROM sanction s WHERE s.organisation_id = $1 AND s.state = 'in_force'
                AND s.starts_at <= moment.now AND (s.ends_at IS NULL OR s.ends_at > moment.now)
        ) AS sanctioned,
        EXISTS (
            SELECT FROM freeze_order f WHERE f.organisation_id = $1 AND f.target = 'organisation'
                AND f.starts_at <= moment.now AND (f.ends_at IS NULL OR f.ends_at > moment.now)
                AND f.lifted_at IS NULL
        ) AS frozen
    FROM (SELECT CASE WHEN $3 THEN registry_now() ELSE $2 END AS now OFFSET 0) AS moment
"""

_CLIENT = (
    "SELECT organisation_id, scopes, house, state = 'open' AS open FROM client WHERE name = $1"
)


async def load_viewer(caller: Caller, now: datetime, *, lock: bool = False) -> Viewer:
    """The appointment that acts for ``caller`` at ``now``; the public where nobody is signed in.

    With ``lock`` the appointment and its organisation are share-locked until the transaction ends.

    Raises:
        AppointmentRequired: the person holds no appointment in force, or several and named none,
        or named one
            that is not his.

    """
    if caller.machine:
        return Viewer(role=caller.machine, now=now)
    open_client, scopes, body = await _client(caller)
    if not caller.subject:
        role = "portal" if open_client and body != NIL else "public"
        return Viewer(
            role=role,
            now=now,
            organisation=body,
            client=caller.client,
            scopes=scopes if body != NIL else None,
        )
    found = await rows(_LOCKED if lock else _APPOINTMENTS, caller.subject, now)
    chosen = _choose(found, caller.appointment)
    standing = await row(_STANDING, chosen["organisation_id"], now, lock) or {}
    return Viewer(
        role=chosen["role"],
        now=standing["now"],
        person=chosen["person_id"],
        appointment=chosen["id"],
        organisation=chosen["organisation_id"],
        division=chosen["division"],
        may_initiate=chosen["may_initiate"],
        may_approve=chosen["may_approve"],
        client=caller.client,
        scopes=scopes,
        lapsed=chosen["lapsed"] or not open_client,
        sanctioned=standing["sanctioned"],
        frozen=standing["frozen"],
        authority=chosen["authority"],
    )


async def _client(caller: Caller) -> tuple[bool, frozenset[str] | None, UUID]:
    """Whether the client is open, the scopes it has here, and the body it belongs to."""
    if not caller.client:
        return True, caller.scopes, NIL
    client = await row(_CLIENT, caller.client)
    if client is None or not client["open"]:
        return False, frozenset(), NIL
    if client["house"]:
        return True, caller.scopes, NIL
    granted = frozenset(client["scopes"])
    return (
        True,
        granted if caller.scopes is None else granted & caller.scopes,
        client["organisation_id"],
    )


def _choose(found: list[dict[str, Any]], wanted: UUID) -> dict[str, Any]:
    """The appointment named, or the only one in force."""
    if wanted != NIL:
        named = [a for a in found if a["id"] == wanted]
        if not named:
            raise AppointmentRequired(
                "The appointment named in the request is not yours.", "请求中指定的任职不属于您。"
            )
        return named[0]
    in_force = [a for a in found if not a["lapsed"]]
    if len(in_force) == 1:
        return in_force[0]
    if in_force:
        raise AppointmentRequired(
            "You hold several appointments; name one of them in the request.",
            "您有多个有效任职,请在请求中指定其一。",
        )
    raise AppointmentRequired("You hold no appointment in force.", "您没有有效任职。")
