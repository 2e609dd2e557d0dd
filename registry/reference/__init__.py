"""Reference data: divisions, rivers, pollutants, industries, holidays, parameters."""

from registry.commands.concept import Concept, operations_of
from registry.db.errors import ErrorTranslations, read_constraint_errors
from registry.db.migrations.grants import Grants
from registry.reference import confirmations, records
from registry.reference.facts import PARAMETER_CONFIRMATION

CONCEPT = Concept(
    name="reference",
    records=records,
    kinds=(PARAMETER_CONFIRMATION,),
    operations=operations_of(confirmations),
    errors=ErrorTranslations(read_constraint_errors(__file__)),
    grants=Grants(
        dict.fromkeys(
            (
                "division",
                "river_system",
                "pollutant",
                "industry",
                "holiday",
                "parameter",
                "parameter_figure",
            ),
            "SELECT",
        )
        | {"parameter_confirmation": "SELECT, INSERT"}
    ),
)
