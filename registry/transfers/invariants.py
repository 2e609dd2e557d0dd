"""The invariants that tie the ledger to the transfers."""

from policies.vocabulary import Text
from registry.commands.concept import InvariantCheck
from registry.transfers.rules import LOCKS_RIGHTS, State


def _sql_list(states: frozenset[State]) -> str:
    return ", ".join(f"'{state.value}'" for state in sorted(states))


RIGHTS_IN_ESCROW = InvariantCheck(
    "rights_in_escrow_have_their_case",
    Text(
        "The rights in a seller's escrow are those of its open transfers.",
        "出让方交割账户内的权利与其未结转让一致。",
    ),
    f"""SELECT account_id, instrument_id, sum(held)::bigint AS held, sum(due)::bigint AS due
    FROM (
        SELECT b.account_id, b.instrument_id, b.quantity AS held, 0 AS due
        FROM balance b
        JOIN account a ON a.id = b.account_id AND a.kind = 'escrow'
        JOIN instrument i ON i.id = b.instrument_id AND i.class = 'right'
        UNION ALL
        SELECT a.id, t.instrument_id, 0, t.quantity
        FROM transfer t JOIN account a ON a.organisation_id = t.seller_id AND a.kind = 'escrow'
        WHERE t.state IN ({_sql_list(LOCKS_RIGHTS)})
    ) both_sides GROUP BY account_id, instrument_id HAVING sum(held) <> sum(due)""",  # noqa: S608 - our own words
)

MONEY_IN_ESCROW = InvariantCheck(
    "money_in_escrow_has_its_case",
    Text(
        "The money in a buyer's escrow is that of its paid transfers.",
        "受让方交割账户内的资金与其已付款转让一致。",
    ),
    """SELECT account_id, sum(held)::bigint AS held, sum(due)::bigint AS due
    FROM (
        SELECT b.account_id, b.quantity AS held, 0 AS due
        FROM balance b
        JOIN account a ON a.id = b.account_id AND a.kind = 'escrow'
        JOIN instrument i ON i.id = b.instrument_id AND i.class = 'money'
        UNION ALL
        SELECT a.id, 0, t.sum_fen
        FROM transfer t JOIN account a ON a.organisation_id = t.buyer_id AND a.kind = 'escrow'
        WHERE t.state = 'paid'
    ) both_sides GROUP BY account_id HAVING sum(held) <> sum(due)""",
)

SETTLED_HAS_CERTIFICATE = InvariantCheck(
    "settled_transfers_are_attested",
    Text(
        "Every settled transfer has one certificate, whose entry settled it.",
        "每件已结算转让均有一份鉴证书及其结算分录。",
    ),
    """SELECT t.id AS transfer_id, t.number FROM transfer t
    LEFT JOIN certificate c ON c.transfer_id = t.id
    LEFT JOIN entry e ON e.id = c.entry_id
    LEFT JOIN audit_entry a ON a.id = e.audit_entry_id
    WHERE (t.state = 'settled') IS DISTINCT FROM (c.number IS NOT NULL AND c.number = t.number
        AND e.kind = 'settlement' AND a.object_id = t.id)""",
)

INVARIANTS = (RIGHTS_IN_ESCROW, MONEY_IN_ESCROW, SETTLED_HAS_CERTIFICATE)
