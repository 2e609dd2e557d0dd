"""From a caller to a viewer: which appointment acts, and which measures bind it now.

Reads and writes both begin here, so this module lies below the concepts: it reads the tables of
parties and freezes by SQL and knows none of their records. The facts of the database
(``ViewerRecord``) and their meaning at a moment (``viewer_from_record``) are apart, so that facts
may be cached and the time may not.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from policies.vocabulary import Text
from registry.access.epoch import ACCESS_SNAPSHOT_SQL, AccessSnapshot, snapshot_from_row
from registry.access.principals import NIL, PUBLIC, Principal, Viewer
from registry.db.session import fetch_all
from registry.kernel.errors import AppointmentRequired, ClientNotRegistered

_APPOINTMENTS_SQL = """
    SELECT a.id, a.person_id, a.organisation_id, a.role, a.division, a.may_initiate, a.may_approve,
        o.kind IN ('province', 'city', 'county', 'centre') AS is_authority,
        a.state = 'in_force' AND o.state = 'open' AS is_open, a.valid_from, a.valid_until
    FROM appointment a
    JOIN person p ON p.id = a.person_id
    JOIN organisation o ON o.id = a.organisation_id
    WHERE p.subject = $2 AND a.state IN ('in_force', 'ended')
        AND ($3 = a.id OR $3 = '00000000-0000-0000-0000-000000000000')
    ORDER BY a.organisation_id, a.id
"""

_VIEWER_SQL = f"""
    WITH held AS MATERIALIZED ({_APPOINTMENTS_SQL})
    SELECT access.*, held.*
    FROM (SELECT array_agg(organisation_id) AS organisations FROM held) AS locked
    CROSS JOIN LATERAL read_access($1, locked.organisations) AS access
    LEFT JOIN held ON true
    ORDER BY held.organisation_id, held.id
"""  # noqa: S608 - a text of ours
_CLIENT_SQL = "SELECT * FROM read_access($1, NULL)"
_SYSTEM_SQL = f"""
    SELECT moment.*, NOT EXISTS (SELECT FROM organisation) AS registry_is_empty
    FROM ({ACCESS_SNAPSHOT_SQL}) AS moment
"""  # noqa: S608 - a text of ours


@dataclass(frozen=True, slots=True)
class Interval:
    """From a moment on, until another; None for no end."""

    starts_at: datetime
    ends_at: datetime | None

    def contains(self, now: datetime) -> bool:
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True)
class AppointmentRecord:
    """An appointment as it is stored, with the measures against its organisation."""

    id: UUID
    person: UUID
    organisation: UUID
    role: str
    division: str
    may_initiate: bool
    may_approve: bool
    is_authority: bool
    is_open: bool  # Neither was the appointment ended nor the organisation closed.
    term: Interval
    sanctions: tuple[Interval, ...]  # Periods of those that were not lifted.
    # Periods of the freezes of the whole organisation that were not lifted.
    freezes: tuple[Interval, ...]

    def is_in_force(self, now: datetime) -> bool:
        """Whether its holder may act in it."""
        return self.is_open and self.term.contains(now)


@dataclass(frozen=True, slots=True)
class ViewerRecord:
    """The facts of a caller in the database: they change with its rows, never with the clock."""

    is_client_open: bool = True  # No program is named, or it is registered and was not revoked.
    # The verbs that the program may use for this caller; None sets no limit.
    scopes: frozenset[str] | None = None
    # The owner of the program; NIL without one, or for a first-party one.
    client_organisation: UUID = NIL
    # The one that the request names, else every one the person ever acted in.
    appointments: tuple[AppointmentRecord, ...] = ()
    # No organisation is registered; asked for the program's own roles.
    registry_is_empty: bool = False


class NoAppointmentChosen(AppointmentRequired):
    """No appointment acts; ``viewer`` is the public under the name of who signed in."""

    def __init__(self, text: Text, viewer: Viewer) -> None:
        super().__init__(text.en, text.zh)
        self.viewer = viewer


async def resolve_viewer(principal: Principal) -> Viewer:
    """The viewer for ``principal`` now, by one statement; the newest edition is in force then.

    Raises:
        ClientNotRegistered: the token names a client that is not registered, or was revoked.
        NoAppointmentChosen: the person holds no appointment in force, or several and named none,
            or named one that another person holds.

    """
    snapshot, record = await load_viewer_record(principal)
    return viewer_from_record(principal, record, snapshot.now)


async def load_viewer_record(principal: Principal) -> tuple[AccessSnapshot, ViewerRecord]:
    """Read the access snapshot and the principal's record on the current connection."""
    if principal.system_role:
        (row,) = await fetch_all(_SYSTEM_SQL)
        return await snapshot_from_row(row), ViewerRecord(
            registry_is_empty=row["registry_is_empty"]
        )
    if principal.subject:
        rows = await fetch_all(
            _VIEWER_SQL, principal.client, principal.subject, principal.appointment_id
        )
    else:
        rows = await fetch_all(_CLIENT_SQL, principal.client)
    access = rows[0]
    is_open, scopes, organisation = _client_access(principal, access)
    measures = _measures(access)
    held = tuple(_appointment_from_row(row, measures) for row in rows if row.get("id") is not None)
    return await snapshot_from_row(access), ViewerRecord(is_open, scopes, organisation, held)


def viewer_from_record(principal: Principal, record: ViewerRecord, now: datetime) -> Viewer:
    """The viewer that the facts make of ``principal`` at a moment."""
    if principal.system_role:
        return Viewer(
            role=principal.system_role, now=now, registry_is_empty=record.registry_is_empty
        )
    if not record.is_client_open:
        # Read as the public it would find its lists empty and not know why.
        raise ClientNotRegistered(principal.client)
    if not principal.subject:
        own = record.client_organisation != NIL
        return Viewer(
            role="portal" if own else PUBLIC,
            now=now,
            organisation=record.client_organisation,
            client=principal.client,
            scopes=record.scopes if own else None,
        )
    subject = principal.subject
    chosen = _select_appointment(record.appointments, principal.appointment_id, now)
    if isinstance(chosen, Text):
        raise NoAppointmentChosen(chosen, Viewer(role=PUBLIC, now=now, subject=subject))
    return Viewer(
        role=chosen.role,
        now=now,
        subject=subject,
        person=chosen.person,
        appointment_id=chosen.id,
        organisation=chosen.organisation,
        division=chosen.division,
        may_initiate=chosen.may_initiate,
        may_approve=chosen.may_approve,
        client=principal.client,
        scopes=record.scopes,
        appointment_expired=not chosen.is_in_force(now),
        is_sanctioned=_any_contains(chosen.sanctions, now),
        is_frozen=_any_contains(chosen.freezes, now),
        is_authority=chosen.is_authority,
    )


def _client_access(
    principal: Principal, client: Mapping[str, Any]
) -> tuple[bool, frozenset[str] | None, UUID]:
    """Whether the client is open, the scopes it has here, and the organisation it belongs to."""
    if not principal.client:
        return True, principal.scopes, NIL
    if not (client["registered"] and client["open"]):
        return False, frozenset(), NIL
    if client["first_party"]:
        return True, principal.scopes, NIL
    scopes = frozenset(client["scopes"])
    if principal.scopes is not None:
        scopes &= principal.scopes
    return True, scopes, client["client_organisation"]


Measures = Mapping[tuple[UUID, bool], tuple[Interval, ...]]
"""Periods by organisation, and by whether they freeze it or sanction it."""


def _measures(access: Mapping[str, Any]) -> Measures:
    if access["measured"] is None:
        return {}
    measures: defaultdict[tuple[UUID, bool], tuple[Interval, ...]] = defaultdict(tuple)
    columns = ("measured", "freezes", "starts_at", "ends_at")
    for organisation, freezes, starts_at, ends_at in zip(
        *(access[column] for column in columns), strict=True
    ):
        measures[organisation, freezes] += (Interval(starts_at, ends_at),)
    return measures


def _appointment_from_row(row: Mapping[str, Any], measures: Measures) -> AppointmentRecord:
    return AppointmentRecord(
        id=row["id"],
        person=row["person_id"],
        organisation=row["organisation_id"],
        role=row["role"],
        division=row["division"],
        may_initiate=row["may_initiate"],
        may_approve=row["may_approve"],
        is_authority=row["is_authority"],
        is_open=row["is_open"],
        term=Interval(row["valid_from"], row["valid_until"]),
        sanctions=measures.get((row["organisation_id"], False), ()),
        freezes=measures.get((row["organisation_id"], True), ()),
    )


def _any_contains(periods: tuple[Interval, ...], now: datetime) -> bool:
    return bool(periods) and any(period.contains(now) for period in periods)


def _select_appointment(
    appointments: tuple[AppointmentRecord, ...], requested: UUID, now: datetime
) -> AppointmentRecord | Text:
    """The appointment named, or the only one in force; else the reason why there is none."""
    if requested != NIL:
        if not appointments:
            return Text(
                "The appointment named in the request is not yours.", "请求中指定的授权不属于您。"
            )
        return appointments[0]
    in_force = [each for each in appointments if each.is_in_force(now)]
    if len(in_force) == 1:
        return in_force[0]
    if in_force:
        return Text(
            "You hold several appointments (`myAppointments`);"
            " name one in the header `Biandan-Appointment`.",
            "您有多项有效授权（`myAppointments`），请在请求标头`Biandan-Appointment`中指定其一。",
        )
    return Text("You hold no appointment in force.", "您没有有效授权。")
