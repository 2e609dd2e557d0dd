"""Checks before an organisation closes; each concept adds its own."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from policies.vocabulary import Text
from registry.commands.concept import ClosingCheck
from registry.db.session import fetch_value
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


def counting_check(name: str, sql: str, en: str, zh: str) -> ClosingCheck:
    """Met where the statement counts nothing of the organisation; the texts name the number."""

    async def check(organisation: UUID, _now: datetime) -> Condition:
        number = await fetch_value(sql, [organisation])
        message = Text(en.format(number), zh.format(number))
        return Condition(name, met=number == 0, message=message)

    return check


check_no_appointments = counting_check(
    "no_appointments",
    "SELECT count(*) FROM appointment WHERE organisation_id = $1 AND state <> 'ended'",
    "The organisation has {} appointments that have not ended.",
    "该单位尚有{}项岗位授权未终止。",
)
check_no_clients = counting_check(
    "no_clients",
    "SELECT count(*) FROM client WHERE organisation_id = $1 AND state = 'open'",
    "The organisation has {} client programs that were not revoked.",
    "该单位尚有{}个接入应用未撤销。",
)
