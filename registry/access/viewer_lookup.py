"""From a caller to a viewer: which appointment acts, and what stands against it now.

One of the shared rooms, because reads and writes both begin here; it reads the tables of parties
and freezes by SQL and knows none of their records. What the database says (``Facts``) and what the
clock makes of it (``viewer_at``) are apart, so that facts may be remembered and the time may not.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from registry.access.epoch import MOMENT, Moment, look, moment_of
from registry.access.principals import NIL, Caller, Viewer
from registry.db.session import rows
from registry.kernel.errors import AppointmentRequired

_APPOINTMENTS = """
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
_LOCKED = _APPOINTMENTS + " FOR SHARE OF a, o"

# A statement of its own: whoever waited for a lock must see what was committed meanwhile, at the
# time it is by now.
_STANDING = f"""
    SELECT moment.*, c.name IS NOT NULL AS registered, c.organisation_id AS body, c.scopes, c.house,
        c.state = 'open' AS open, measure.*
    FROM ({MOMENT} OFFSET 0) AS moment
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
class Period:
    """From a moment on, until another; None for no end."""

    starts_at: datetime
    ends_at: datetime | None

    def covers(self, now: datetime) -> bool:
        """Whether ``now`` lies in it; the end does not."""
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True)
class Appointed:
    """An appointment as it is stored, with the measures against its organisation.

    Attributes:
        authority: the organisation is an authority.
        stands: neither was the appointment ended nor the organisation closed.
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
    authority: bool
    stands: bool
    term: Period
    sanctions: tuple[Period, ...]
    freezes: tuple[Period, ...]

    def in_force(self, now: datetime) -> bool:
        """Whether somebody may act in it."""
        return self.stands and self.term.covers(now)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database says of a caller: all that a change of its rows changes, and no clock.

    Attributes:
        client_open: no program is named, or it is registered and was not revoked.
        scopes: what the program may do here for this caller; None sets no limit.
        body: whose program it is; NIL for nobody's and for one of the house.
        appointments: the one that the request names, else every one the person ever acted in.

    """

    client_open: bool = True
    scopes: frozenset[str] | None = None
    body: UUID = NIL
    appointments: tuple[Appointed, ...] = ()


async def enter(caller: Caller, *, lock: bool = False) -> Viewer:
    """The viewer for ``caller`` now; the gate holds the newest edition afterwards.

    With ``lock`` the appointment and its organisation are share-locked until the transaction ends,
    and the moment is the one after the wait for them.

    Raises:
        AppointmentRequired: the person holds no appointment in force, or several and named none,
            or named one that is not his.

    """
    moment, facts = await load_facts(caller, lock=lock)
    return viewer_at(caller, facts, moment.now)


async def load_facts(caller: Caller, *, lock: bool = False) -> tuple[Moment, Facts]:
    """What the database says of ``caller``, and when, on the current transaction's connection."""
    if caller.machine:
        return await look(), Facts()
    held = []
    if caller.subject:
        held = await rows(_LOCKED if lock else _APPOINTMENTS, caller.subject, caller.appointment)
    standing = await rows(_STANDING, caller.client, [line["organisation_id"] for line in held])
    first = standing[0]
    client_open, scopes, body = _client(caller, first)
    facts = Facts(client_open, scopes, body, _appointed(held, standing))
    return await moment_of(first), facts


def viewer_at(caller: Caller, facts: Facts, now: datetime) -> Viewer:
    """The viewer that the facts make of ``caller`` at a moment.

    Raises:
        AppointmentRequired: see ``enter``.

    """
    if caller.machine:
        return Viewer(role=caller.machine, now=now)
    if not caller.subject:
        own = facts.client_open and facts.body != NIL
        return Viewer(
            role="portal" if own else "public",
            now=now,
            organisation=facts.body,
            client=caller.client,
            scopes=facts.scopes if own else None,
        )
    chosen = _choose(facts.appointments, caller.appointment, now)
    return Viewer(
        role=chosen.role,
        now=now,
        person=chosen.person,
        appointment=chosen.id,
        organisation=chosen.organisation,
        division=chosen.division,
        may_initiate=chosen.may_initiate,
        may_approve=chosen.may_approve,
        client=caller.client,
        scopes=facts.scopes,
        lapsed=not (facts.client_open and chosen.in_force(now)),
        sanctioned=_one_covers(chosen.sanctions, now),
        frozen=_one_covers(chosen.freezes, now),
        authority=chosen.authority,
    )


def _client(caller: Caller, client: Mapping[str, Any]) -> tuple[bool, frozenset[str] | None, UUID]:
    """Whether the client is open, the scopes it has here, and the body it belongs to."""
    if not caller.client:
        return True, caller.scopes, NIL
    if not (client["registered"] and client["open"]):
        return False, frozenset(), NIL
    if client["house"]:
        return True, caller.scopes, NIL
    granted = frozenset(client["scopes"])
    return True, granted if caller.scopes is None else granted & caller.scopes, client["body"]


def _appointed(
    found: list[dict[str, Any]], measures: list[dict[str, Any]]
) -> tuple[Appointed, ...]:
    periods: dict[tuple[UUID, bool], list[Period]] = defaultdict(list)
    for line in measures:
        # Where nothing stands against any of them, there is one line without a measure.
        if line["organisation_id"] is not None:
            period = Period(line["starts_at"], line["ends_at"])
            periods[line["organisation_id"], line["freezes"]].append(period)
    return tuple(
        Appointed(
            id=line["id"],
            person=line["person_id"],
            organisation=line["organisation_id"],
            role=line["role"],
            division=line["division"],
            may_initiate=line["may_initiate"],
            may_approve=line["may_approve"],
            authority=line["authority"],
            stands=line["stands"],
            term=Period(line["valid_from"], line["valid_until"]),
            sanctions=tuple(periods[line["organisation_id"], False]),
            freezes=tuple(periods[line["organisation_id"], True]),
        )
        for line in found
    )


def _one_covers(periods: tuple[Period, ...], now: datetime) -> bool:
    return bool(periods) and any(period.covers(now) for period in periods)


def _choose(found: tuple[Appointed, ...], wanted: UUID, now: datetime) -> Appointed:
    """The appointment named, or the only one in force."""
    if wanted != NIL:
        if not found:
            raise AppointmentRequired(
                "The appointment named in the request is not yours.", "请求中指定的任职不属于您。"
            )
        return found[0]
    in_force = [each for each in found if each.in_force(now)]
    if len(in_force) == 1:
        return in_force[0]
    if in_force:
        raise AppointmentRequired(
            "You hold several appointments; name one of them in the request.",
            "您有多个有效任职,请在请求中指定其一。",
        )
    raise AppointmentRequired("You hold no appointment in force.", "您没有有效任职。")
