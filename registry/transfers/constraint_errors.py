"""The refusals that the constraints of the transfers' tables mean."""

from registry.db.errors import ConstraintErrors, duplicate

CONSTRAINT_ERRORS: ConstraintErrors = {
    "transfer_contract_number_unique": duplicate(
        "Another case has this contract number.", "该合同编号已用于其他案件。"
    ),
}
