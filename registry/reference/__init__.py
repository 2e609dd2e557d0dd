"""Reference data: divisions, rivers, pollutants, industries, holidays, parameters."""

from registry.commands.concept import Concept
from registry.db.migrations.grants import Grants

CONCEPT = Concept(
    name="reference",
    grants=Grants(
        dict.fromkeys(
            ("division", "river_system", "pollutant", "industry", "holiday", "parameter"), "SELECT"
        )
    ),
)
