"""The ledger: instruments, accounts, entries, freezes, reversals."""

from registry.commands.concept import Concept, operations_of
from registry.db.errors import ErrorTranslations, read_constraint_errors
from registry.db.migrations.grants import Grants
from registry.ledger import operations, records
from registry.ledger.closing_checks import check_no_holdings
from registry.ledger.facts import ACCOUNT, FREEZE, REVERSAL
from registry.ledger.invariants import LEDGER_INVARIANTS
from registry.ledger.posting_errors import SQLSTATE_ERRORS

CONCEPT = Concept(
    name="ledger",
    records=records,
    kinds=(ACCOUNT, FREEZE, REVERSAL),
    operations=operations_of(operations),
    invariants=LEDGER_INVARIANTS,
    closing_checks=(check_no_holdings,),
    errors=ErrorTranslations(read_constraint_errors(__file__), SQLSTATE_ERRORS),
    grants=Grants(
        tables={
            "instrument": "SELECT, INSERT",
            "account": "SELECT, INSERT, UPDATE",
            "balance": "SELECT",
            "entry": "SELECT",
            "posting": "SELECT",
            "bank_reference": "SELECT",
            "city_cap": "SELECT",
            "freeze_order": "SELECT, INSERT, UPDATE",
            "reversal": "SELECT, INSERT, UPDATE",
        },
        functions=(
            "china_date(timestamptz)",
            "city_holds(text, text, date)",
            "balance_as_recorded(uuid, uuid, timestamptz)",
            "balance_as_effective(uuid, uuid, timestamptz, timestamptz)",
        ),
        # The one writer of balances, entries and postings.
        writing_functions=(
            (
                "post_entry(uuid, uuid, text, timestamptz, timestamptz, uuid, text, text, boolean,"
                " text, uuid[], uuid[], uuid[], bigint[])"
            ),
        ),
    ),
)
