"""Queries of other concepts on permits, projects and assessments, as of a day."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from registry.db.session import fetch_all, fetch_one
from registry.permits.records import Outlet, Permit, PermitLimit, ProjectDemand

# A revoked permit was in force before the day of its revocation.
_IN_FORCE = """p.organisation_id = $1 AND p.valid_from <= $2 AND p.valid_until >= $2
    AND coalesce(p.revoked_on > $2, true)"""

_PERMIT = f"SELECT p.id FROM permit p WHERE {_IN_FORCE} ORDER BY p.number LIMIT 1"  # noqa: S608 - our own text

_LIMIT = f"""
    SELECT sum(l.quantity)::bigint AS quantity
    FROM permit p
    JOIN permit_limit l ON l.permit_id = p.id AND l.pollutant = $3
        AND l.effective_from <= $2 AND coalesce(l.effective_until >= $2, true)
    WHERE {_IN_FORCE}
"""  # noqa: S608 - our own text

_DEMAND = """
    SELECT CASE WHEN bool_and(d.quantity IS NOT NULL) THEN sum(d.quantity)::bigint END AS quantity
    FROM construction_project c
    JOIN project_demand d ON d.project_id = c.id AND d.superseded_at IS NULL
    WHERE c.organisation_id = $1 AND d.pollutant = $2
"""

_LIMITS = """
    SELECT asked.permit AS permit_id, asked.day, l.id
    FROM unnest($1::uuid[], $2::date[]) AS asked (permit, day)
    JOIN permit_limit l ON l.permit_id = asked.permit
        AND l.effective_from <= asked.day AND coalesce(l.effective_until >= asked.day, true)
    ORDER BY l.pollutant COLLATE "C"
"""


async def permit_in_force(organisation: UUID, on: date) -> Permit | None:
    """A permit of the organisation that is in force on the day (the first by number), or None."""
    found = await fetch_one(_PERMIT, organisation, on)
    return None if found is None else await Permit.get(id=found["id"])


async def limit_of(organisation: UUID, pollutant: str, on: date) -> int | None:
    """Base units a year that the permits in force on the day allow together; None: no limit."""
    found = await fetch_one(_LIMIT, organisation, on, pollutant)
    return None if found is None else found["quantity"]


async def demand_of(organisation: UUID, pollutant: str) -> int | None:
    """Base units a year that the organisation's construction projects need together.

    None where no project needs the pollutant, or where the source of one gives no quantity.
    """
    found = await fetch_one(_DEMAND, organisation, pollutant)
    return None if found is None else found["quantity"]


async def limits_on(
    requests: Sequence[tuple[UUID, date]],
) -> dict[tuple[UUID, date], list[PermitLimit]]:
    """For each permit and day the limits that stand for the day, by pollutant."""
    found = await fetch_all(_LIMITS, [permit for permit, _ in requests], [on for _, on in requests])
    limits = await PermitLimit.in_bulk({limit["id"] for limit in found}, "id")
    standing: defaultdict[tuple[UUID, date], list[PermitLimit]] = defaultdict(list)
    for limit in found:
        standing[limit["permit_id"], limit["day"]].append(limits[limit["id"]])
    return standing


async def outlets_of(permits: Sequence[UUID]) -> dict[UUID, list[Outlet]]:
    """The outlets of each permit, by code."""
    found = await Outlet.filter(permit_id__in=list(permits)).order_by("code")
    outlets: defaultdict[UUID, list[Outlet]] = defaultdict(list)
    for outlet in found:
        outlets[outlet.permit_id].append(outlet)
    return outlets


async def demands_of(projects: Sequence[UUID]) -> dict[UUID, list[ProjectDemand]]:
    """The demands of each project that stand today, by pollutant."""
    found = await ProjectDemand.filter(project_id__in=list(projects), superseded_at=None).order_by(
        "pollutant"
    )
    demands: defaultdict[UUID, list[ProjectDemand]] = defaultdict(list)
    for demand in found:
        demands[demand.project_id].append(demand)
    return demands
