"""An organisation with open transfers does not close."""

from datetime import datetime
from uuid import UUID

from policies.vocabulary import Text
from registry.db.session import fetch_one
from registry.kernel.errors import Condition
from registry.transfers.rules import FINAL

_COUNT_OPEN = """
    SELECT count(*) AS number FROM transfer
    WHERE (seller_id = $1 OR (buyer_id = $1 AND offered_at < '9999-12-31+00'))
        AND state <> ALL ($2::text[])
"""


async def check_no_open_transfers(organisation: UUID, _now: datetime) -> Condition:
    """No transfer is under way. One that ran out holds units until it is swept, so it counts."""
    found = await fetch_one(_COUNT_OPEN, organisation, sorted(FINAL))
    number = found["number"] if found else 0
    return Condition(
        name="no_open_transfers",
        met=number == 0,
        message=Text(
            f"The organisation is a side of {number} transfers that have not ended.",
            f"该单位尚有{number}件转让未终结。",
        ),
        legal_basis="registry rule",
    )
