"""Negotiated transfers, from draft to settlement."""

from registry.commands.concept import Concept, Sweeper, operations_of
from registry.db.errors import ErrorTranslations, read_constraint_errors
from registry.db.migrations.grants import Grants
from registry.transfers import approval, offer, records, settlement
from registry.transfers.closing_checks import check_no_open_transfers
from registry.transfers.expiry import expire_if_overdue, find_overdue
from registry.transfers.facts import CERTIFICATE, TRANSFER
from registry.transfers.invariants import INVARIANTS

CONCEPT = Concept(
    name="transfers",
    records=records,
    kinds=(TRANSFER, CERTIFICATE),
    operations=operations_of(offer, approval, settlement),
    invariants=INVARIANTS,
    closing_checks=(check_no_open_transfers,),
    errors=ErrorTranslations(read_constraint_errors(__file__)),
    sweepers=(Sweeper("overdue transfers", find_overdue, expire_if_overdue),),
    grants=Grants(
        {
            "transfer": "SELECT, INSERT, UPDATE",
            "transfer_opinion": "SELECT, INSERT",
            "transfer_comment": "SELECT, INSERT",
            "eligibility_finding": "SELECT, INSERT",
            "certificate": "SELECT, INSERT",
            "certificate_sequence": "SELECT, INSERT, UPDATE",
            "case_number_sequence": "SELECT, INSERT, UPDATE",
        }
    ),
)
