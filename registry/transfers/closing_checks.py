"""An organisation with open transfers does not close."""

from registry.parties.closing_checks import counting_check
from registry.transfers.rules import FINAL

_FINAL = ", ".join(f"'{state}'" for state in sorted(FINAL))

# One that ran out holds units until it is swept, so it counts.
check_no_open_transfers = counting_check(
    "no_open_transfers",
    f"""
    SELECT count(*) FROM transfer
    WHERE (seller_id = $1 OR (buyer_id = $1 AND offered_at < '9999-12-31+00'))
        AND state NOT IN ({_FINAL})
    """,  # noqa: S608 - our own words
    "The organisation is a side of {} transfers that have not ended.",
    "该单位尚有{}件转让未终结。",
)
