"""Facts about permits, projects and assessments, as Python checks and SQL conditions."""

from registry.access.kinds import Kind, state_predicate
from registry.parties.facts import INSIDE, OWN
from registry.permits.records import Assessment, ConstructionProject, Permit
from registry.permits.rules import PermitState

PERMIT = Kind(
    name="Permit",
    record=Permit,
    facts={"own": OWN, "inside": INSIDE, "stage_in_force": state_predicate(PermitState.IN_FORCE)},
    organisation_columns=("organisation_id",),
    masks={"view_limits": ("limits", "outlets")},
)
CONSTRUCTION_PROJECT = Kind(
    name="ConstructionProject",
    record=ConstructionProject,
    facts={"own": OWN, "inside": INSIDE},
    organisation_columns=("organisation_id",),
    masks={"view_demand": ("demands",)},
)
ASSESSMENT = Kind(name="Assessment", record=Assessment, facts={})
