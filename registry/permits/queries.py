"""Queries of other concepts on permits, projects and assessments, as of a day."""

from datetime import date
from uuid import UUID

from registry.db.session import fetch_one
from registry.permits.records import Permit

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
