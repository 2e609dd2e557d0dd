"""Organisations, people, appointments, sanctions, clients and their persisted queries."""

from registry.commands.concept import Concept, operations_of
from registry.db.errors import ErrorTranslations, read_constraint_errors
from registry.db.migrations.grants import Grants
from registry.parties import operations, persisted_queries, records
from registry.parties.closing_checks import check_no_appointments, check_no_clients
from registry.parties.facts import APPOINTMENT, CLIENT, ORGANISATION, PERSON, SANCTION

CONCEPT = Concept(
    name="parties",
    records=records,
    kinds=(ORGANISATION, PERSON, APPOINTMENT, SANCTION, CLIENT),
    operations=operations_of(operations, persisted_queries),
    closing_checks=(check_no_appointments, check_no_clients),
    errors=ErrorTranslations(read_constraint_errors(__file__)),
    grants=Grants(
        dict.fromkeys(
            ("organisation", "person", "appointment", "sanction", "client", "persisted_query"),
            "SELECT, INSERT, UPDATE",
        )
        | {"sign_in_name": "SELECT, INSERT"}
    ),
)
