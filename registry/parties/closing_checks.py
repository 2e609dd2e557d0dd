"""Checks before an organisation closes; each concept adds its own."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from policies.vocabulary import Text
from registry.commands.concept import ClosingCheck
from registry.db.session import fetch_one
from registry.kernel.errors import Condition


class _Active:
    """The checks of all concepts of this process, replaced when the registry is opened."""

    checks: tuple[ClosingCheck, ...] = ()


def use_closing_checks(checks: Iterable[ClosingCheck]) -> None:
    """Evaluate these at every closing from now on."""
    _Active.checks = tuple(checks)


async def evaluate_closing_checks(organisation: UUID, now: datetime) -> list[Condition]:
    """The conditions for closing an organisation, met or not."""
    return [await check(organisation, now) for check in _Active.checks]


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
