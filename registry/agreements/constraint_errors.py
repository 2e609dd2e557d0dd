"""The refusals that the constraints of the agreements' tables mean."""

from registry.db.errors import ConstraintErrors, duplicate, malformed

CONSTRAINT_ERRORS: ConstraintErrors = {
    "milestone_title_once": duplicate(
        "The agreement has a milestone of this title already.", "该协议已有同名里程碑。"
    ),
    "agreement_period": malformed(
        "validUntil", "An agreement ends after it begins.", "协议截止日不得早于起始日。"
    ),
}
