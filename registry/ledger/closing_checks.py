"""An organisation that holds rights or money does not close."""

from datetime import datetime
from uuid import UUID

from policies.vocabulary import Text
from registry.db.session import fetch_all
from registry.kernel.errors import Condition
from registry.kernel.legal_bases import LEDGER
from registry.kernel.quantities import format_quantity

_HOLDINGS = """
    SELECT i.code, i.unit, i.scale, sum(b.quantity)::bigint AS quantity
    FROM account a JOIN balance b ON b.account_id = a.id JOIN instrument i ON i.id = b.instrument_id
    WHERE a.organisation_id = $1 AND b.quantity > 0
    GROUP BY i.code, i.unit, i.scale ORDER BY i.code COLLATE "C" LIMIT 10
"""


async def check_no_holdings(organisation: UUID, _now: datetime) -> Condition:
    """None of its accounts holds anything; at most ten positions are named."""
    held = [
        f"{found['code']} {format_quantity(found['quantity'], found['scale'])} {found['unit']}"
        for found in await fetch_all(_HOLDINGS, organisation)
    ]
    return Condition(
        name="nothing_held",
        met=not held,
        message=Text(
            f"The organisation still holds {', '.join(held) or 'nothing'}.",
            f"该单位仍持有{'、'.join(held) or '零'}。",
        ),
        source=LEDGER,
    )
