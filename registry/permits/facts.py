"""Facts about permits, projects and assessments, as Python checks and SQL conditions."""

from policies.vocabulary import Text
from registry.access.kinds import Kind, state_predicate
from registry.db.session import register_constraint_errors
from registry.kernel.errors import Malformed
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

register_constraint_errors(
    {
        "permit_number_once": Text("This permit is registered already.", "该许可证已登记。"),
        "permit_period": lambda: Malformed(
            "validUntil", "A permit ends after it begins.", "许可证截止日不得早于起始日。"
        ),
        "permit_limit_change_once": Text(
            "A limit from this day is on record already.", "该日起的限值已登记。"
        ),
        "construction_project_name_once": Text(
            "The developer has a project of this name already.", "该建设单位已有同名项目。"
        ),
        "construction_project_approval_once": Text(
            "A project with this approval number is registered already.", "该环评批复文号已登记。"
        ),
        "environment_assessment_once": Text(
            "This city is assessed for this year and medium already.",
            "该市该年度该环境要素的考核结果已登记。",
        ),
    }
)
