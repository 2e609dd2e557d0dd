"""Discharge permits, construction projects, and the environmental assessment of areas."""

from registry.commands.concept import Concept, operations_of
from registry.db.errors import ErrorTranslations, read_constraint_errors
from registry.db.migrations.grants import Grants
from registry.permits import operations, projects, records
from registry.permits.facts import ASSESSMENT, CONSTRUCTION_PROJECT, PERMIT

CONCEPT = Concept(
    name="permits",
    records=records,
    kinds=(PERMIT, CONSTRUCTION_PROJECT, ASSESSMENT),
    operations=operations_of(operations, projects),
    errors=ErrorTranslations(read_constraint_errors(__file__)),
    grants=Grants(
        {
            "permit": "SELECT, INSERT, UPDATE",
            "permit_limit": "SELECT, INSERT, UPDATE",
            "outlet": "SELECT, INSERT",
            "construction_project": "SELECT, INSERT, UPDATE",
            "project_demand": "SELECT, INSERT, UPDATE",
            "environment_assessment": "SELECT, INSERT",
        }
    ),
)
