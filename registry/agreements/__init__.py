"""Cooperation agreements: who agreed what with whom, and what came of it."""

from registry.agreements import milestones, operations, records
from registry.agreements.constraint_errors import CONSTRAINT_ERRORS
from registry.agreements.facts import AGREEMENT
from registry.commands.concept import Concept, operations_of
from registry.db.errors import ErrorTranslations
from registry.db.migrations.grants import Grants

CONCEPT = Concept(
    name="agreements",
    records=records,
    kinds=(AGREEMENT,),
    operations=operations_of(operations, milestones),
    errors=ErrorTranslations(CONSTRAINT_ERRORS),
    grants=Grants(
        dict.fromkeys(("agreement", "agreement_party", "milestone"), "SELECT, INSERT, UPDATE")
    ),
)
