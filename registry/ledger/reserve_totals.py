"""Public totals of the government reserves."""

from dataclasses import dataclass
from uuid import UUID

from registry.db.session import fetch_all

_TOTALS = """
    SELECT a.organisation_id, b.instrument_id, b.quantity
    FROM account a JOIN balance b ON b.account_id = a.id JOIN instrument i ON i.id = b.instrument_id
    WHERE a.kind = 'reserve' ORDER BY a.city, i.code COLLATE "C"
"""


@dataclass(frozen=True, slots=True)
class ReserveTotal:
    """The balance of one instrument in one reserve, in base units."""

    organisation_id: UUID
    instrument_id: UUID
    quantity: int


async def reserve_totals() -> list[ReserveTotal]:
    """By reserve and instrument; a stock that no source gives is missing, not zero.

    Rule: 国办发〔2014〕38号 item 13 (disclosure).

    """
    return [ReserveTotal(**found) for found in await fetch_all(_TOTALS)]
