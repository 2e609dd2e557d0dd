"""The refusals that the constraints of the tables of permits, projects and assessments mean."""

from registry.db.errors import ConstraintErrors, duplicate, malformed

CONSTRAINT_ERRORS: ConstraintErrors = {
    "permit_number_once": duplicate("This permit is registered already.", "该许可证已登记。"),
    "permit_period": malformed(
        "validUntil", "A permit ends after it begins.", "许可证截止日不得早于起始日。"
    ),
    "permit_limit_change_once": duplicate(
        "A limit from this day is on record already.", "该日起的限值已登记。"
    ),
    "construction_project_name_once": duplicate(
        "The developer has a project of this name already.", "该建设单位已有同名项目。"
    ),
    "construction_project_approval_once": duplicate(
        "A project with this approval number is registered already.", "该环评批复文号已登记。"
    ),
    "environment_assessment_once": duplicate(
        "This city is assessed for this year and medium already.",
        "该市该年度该环境要素的考核结果已登记。",
    ),
}
