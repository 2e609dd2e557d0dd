"""Cooperation agreements: who agreed what with whom, and what came of it."""

from registry.agreements import milestones, operations, records
from registry.agreements.facts import AGREEMENT
from registry.commands.concept import Concept, operations_of
from registry.db.errors import ErrorTranslations, read_constraint_errors
from registry.db.migrations.grants import Grants

CONCEPT = Concept(
    name="agreements",
    records=records,
    kinds=(AGREEMENT,),
    operations=operations_of(operations, milestones),
    errors=ErrorTranslations(read_constraint_errors(__file__)),
    grants=Grants(
        dict.fromkeys(("agreement", "agreement_party", "milestone"), "SELECT, INSERT, UPDATE")
    ),
)
