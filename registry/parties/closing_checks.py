"""Checks before an organisation closes; each concept adds its own."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from policies.vocabulary import Text
from registry.db.session import fetch_one
from registry.kernel.errors import Condition

ClosingCheck = Callable[[UUID, datetime], Awaitable[Condition]]
"""Asked of an organisation at a moment; unmet where it still holds or owes something."""

registered_checks: list[ClosingCheck] = []


def closing_check(check: ClosingCheck) -> ClosingCheck:
    """Have every closing weigh this too."""
    registered_checks.append(check)
    return check


async def evaluate_closing_checks(organisation: UUID, now: datetime) -> list[Condition]:
    """Everything that is weighed before an organisation closes, met or not."""
    return [await weigh(organisation, now) for weigh in registered_checks]


@closing_check
async def check_no_appointments(organisation: UUID, _now: datetime) -> Condition:
    """There is no appointment in force or proposed."""
    found = await fetch_one(
        "SELECT count(*) AS number FROM appointment"
        " WHERE organisation_id = $1 AND state <> 'ended'",
        organisation,
    )
    number = found["number"] if found else 0
    return Condition(
        name="no_appointments",
        met=number == 0,
        message=Text(
            f"The organisation has {number} appointments that have not ended.",
            f"该单位尚有{number}项任职未终止。",
        ),
        legal_basis="registry rule",
    )


@closing_check
async def check_no_clients(organisation: UUID, _now: datetime) -> Condition:
    """It has no open client."""
    found = await fetch_one(
        "SELECT count(*) AS number FROM client WHERE organisation_id = $1 AND state = 'open'",
        organisation,
    )
    number = found["number"] if found else 0
    return Condition(
        name="no_clients",
        met=number == 0,
        message=Text(
            f"The organisation has {number} client programs that were not revoked.",
            f"该单位尚有{number}个接入应用未撤销。",
        ),
        legal_basis="registry rule",
    )
