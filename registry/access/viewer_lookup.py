"""From a caller to a viewer: which appointment acts, and what stands against it now.

One of the shared rooms, because reads and writes both begin here; it reads the tables of parties
and freezes by SQL and knows none of their records. What the database says (``ViewerRecord``) and
what the clock makes of it (``viewer_from_record``) are apart, so that facts may be remembered and
the time may not.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from registry.access.epoch import (
    ACCESS_SNAPSHOT_SQL,
    AccessSnapshot,
    read_access_snapshot,
    snapshot_from_row,
)
from registry.access.principals import NIL, Principal, Viewer
from registry.db.session import fetch_all
from registry.kernel.errors import AppointmentRequired

_APPOINTMENTS_SQL = """
    SELECT a.id, a.person_id, a.organisation_id, a.role, a.division, a.may_initiate, a.may_approve,
        o.kind IN ('province', 'city', 'county', 'centre') AS authority,
        a.state = 'in_force' AND o.state = 'open' AS stands, a.valid_from, a.valid_until
    FROM appointment a
    JOIN person p ON p.id = a.person_id
    JOIN organisation o ON o.id = a.organisation_id
    WHERE p.subject = $1 AND a.state IN ('in_force', 'ended')
        AND ($2 = a.id OR $2 = '00000000-0000-0000-0000-000000000000')
    ORDER BY a.organisation_id, a.id
"""
# The lock makes a dismissal, a closure or a sanction that commits first win over the command that
# waits here.
_APPOINTMENTS_LOCKED_SQL = _APPOINTMENTS_SQL + " FOR SHARE OF a, o"

# A statement of its own: whoever waited for a lock must see what was committed meanwhile, at the
# time it is by now.
_RESTRICTIONS_SQL = f"""
    SELECT moment.*, c.name IS NOT NULL AS registered, c.organisation_id AS body, c.scopes, c.house,
        c.state = 'open' AS open, measure.*
    FROM ({ACCESS_SNAPSHOT_SQL} OFFSET 0) AS moment
    LEFT JOIN client c ON c.name = $1
    LEFT JOIN (
        SELECT s.organisation_id, false AS freezes, s.starts_at, s.ends_at FROM sanction s
        WHERE s.organisation_id = ANY($2) AND s.state = 'in_force'
        UNION ALL
        SELECT f.organisation_id, true AS freezes, f.starts_at, f.ends_at FROM freeze_order f
        WHERE f.organisation_id = ANY($2) AND f.target = 'organisation' AND f.lifted_at IS NULL
    ) AS measure ON true
"""  # noqa: S608 - a text of ours


@dataclass(frozen=True, slots=True)
class Interval:
    """From a moment on, until another; None for no end."""

    starts_at: datetime
    ends_at: datetime | None

    def contains(self, now: datetime) -> bool:
        """Whether ``now`` lies in it; the end does not."""
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True)
class AppointmentRecord:
    """An appointment as it is stored, with the measures against its organisation.

    Attributes:
        is_authority: the organisation is an authority.
        is_open: neither was the appointment ended nor the organisation closed.
        term: its dates.
        sanctions: periods of those that were not lifted.
        freezes: periods of the freezes of the whole organisation that were not lifted.

    """

    id: UUID
    person: UUID
    organisation: UUID
    role: str
    division: str
    may_initiate: bool
    may_approve: bool
    is_authority: bool
    is_open: bool
    term: Interval
    sanctions: tuple[Interval, ...]
    freezes: tuple[Interval, ...]

    def is_in_force(self, now: datetime) -> bool:
        """Whether somebody may act in it."""
        return self.is_open and self.term.contains(now)


@dataclass(frozen=True, slots=True)
class ViewerRecord:
    """What the database says of a caller: all that a change of its rows changes, and no clock.

    Attributes:
        is_client_open: no program is named, or it is registered and was not revoked.
        scopes: what the program may do here for this caller; None sets no limit.
        client_organisation: whose program it is; NIL for nobody's and for one of the house.
        appointments: the one that the request names, else every one the person ever acted in.

    """

    is_client_open: bool = True
    scopes: frozenset[str] | None = None
    client_organisation: UUID = NIL
    appointments: tuple[AppointmentRecord, ...] = ()


async def resolve_viewer(principal: Principal, *, lock: bool = False) -> Viewer:
    """The viewer for ``principal`` now; the gate holds the newest edition afterwards.

    With ``lock`` the appointment and its organisation are share-locked until the transaction ends,
    and the moment is the one after the wait for them.

    Raises:
        AppointmentRequired: the person holds no appointment in force, or several and named none,
            or named one that is not his.

    """
    moment, facts = await load_viewer_record(principal, lock=lock)
    return viewer_from_record(principal, facts, moment.now)


async def load_viewer_record(
    principal: Principal, *, lock: bool = False
) -> tuple[AccessSnapshot, ViewerRecord]:
    """Read the access snapshot and the principal's record on the current connection."""
    if principal.system_role:
        return await read_access_snapshot(), ViewerRecord()
    held = []
    if principal.subject:
        held = await fetch_all(
            _APPOINTMENTS_LOCKED_SQL if lock else _APPOINTMENTS_SQL,
            principal.subject,
            principal.appointment_id,
        )
    standing = await fetch_all(
        _RESTRICTIONS_SQL, principal.client, [line["organisation_id"] for line in held]
    )
    first = standing[0]
    client_open, scopes, body = _client_access(principal, first)
    facts = ViewerRecord(client_open, scopes, body, _appointments_from_rows(held, standing))
    return await snapshot_from_row(first), facts


def viewer_from_record(principal: Principal, record: ViewerRecord, now: datetime) -> Viewer:
    """The viewer that the facts make of ``principal`` at a moment.

    Raises:
        AppointmentRequired: see ``resolve_viewer``.

    """
    if principal.system_role:
        return Viewer(role=principal.system_role, now=now)
    if not principal.subject:
        own = record.is_client_open and record.client_organisation != NIL
        return Viewer(
            role="portal" if own else "public",
            now=now,
            organisation=record.client_organisation,
            client=principal.client,
            scopes=record.scopes if own else None,
        )
    chosen = _select_appointment(record.appointments, principal.appointment_id, now)
    return Viewer(
        role=chosen.role,
        now=now,
        person=chosen.person,
        appointment_id=chosen.id,
        organisation=chosen.organisation,
        division=chosen.division,
        may_initiate=chosen.may_initiate,
        may_approve=chosen.may_approve,
        client=principal.client,
        scopes=record.scopes,
        appointment_expired=not (record.is_client_open and chosen.is_in_force(now)),
        is_sanctioned=_any_contains(chosen.sanctions, now),
        is_frozen=_any_contains(chosen.freezes, now),
        is_authority=chosen.is_authority,
    )


def _client_access(
    principal: Principal, client: Mapping[str, Any]
) -> tuple[bool, frozenset[str] | None, UUID]:
    """Whether the client is open, the scopes it has here, and the body it belongs to."""
    if not principal.client:
        return True, principal.scopes, NIL
    if not (client["registered"] and client["open"]):
        return False, frozenset(), NIL
    if client["house"]:
        return True, principal.scopes, NIL
    granted = frozenset(client["scopes"])
    return True, granted if principal.scopes is None else granted & principal.scopes, client["body"]


def _appointments_from_rows(
    appointments: list[dict[str, Any]], measures: list[dict[str, Any]]
) -> tuple[AppointmentRecord, ...]:
    periods: dict[tuple[UUID, bool], list[Interval]] = defaultdict(list)
    for line in measures:
        # Where nothing stands against any of them, there is one line without a measure.
        if line["organisation_id"] is not None:
            period = Interval(line["starts_at"], line["ends_at"])
            periods[line["organisation_id"], line["freezes"]].append(period)
    return tuple(
        AppointmentRecord(
            id=line["id"],
            person=line["person_id"],
            organisation=line["organisation_id"],
            role=line["role"],
            division=line["division"],
            may_initiate=line["may_initiate"],
            may_approve=line["may_approve"],
            is_authority=line["authority"],
            is_open=line["stands"],
            term=Interval(line["valid_from"], line["valid_until"]),
            sanctions=tuple(periods[line["organisation_id"], False]),
            freezes=tuple(periods[line["organisation_id"], True]),
        )
        for line in appointments
    )


def _any_contains(periods: tuple[Interval, ...], now: datetime) -> bool:
    return bool(periods) and any(period.contains(now) for period in periods)


def _select_appointment(
    appointments: tuple[AppointmentRecord, ...], requested: UUID, now: datetime
) -> AppointmentRecord:
    """The appointment named, or the only one in force."""
    if requested != NIL:
        if not appointments:
            raise AppointmentRequired(
                "The appointment named in the request is not yours.", "请求中指定的任职不属于您。"
            )
        return appointments[0]
    in_force = [each for each in appointments if each.is_in_force(now)]
    if len(in_force) == 1:
        return in_force[0]
    if in_force:
        raise AppointmentRequired(
            "You hold several appointments; name one of them in the request.",
            "您有多个有效任职,请在请求中指定其一。",
        )
    raise AppointmentRequired("You hold no appointment in force.", "您没有有效任职。")
