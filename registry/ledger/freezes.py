"""Freezes: targets and orders."""

from datetime import datetime
from typing import Annotated, NotRequired, TypedDict, Unpack
from uuid import UUID, uuid4

from registry.access.authorizer import authorizer
from registry.commands.operation import CommandContext
from registry.db.session import fetch_one
from registry.kernel.errors import Malformed, NotFound
from registry.kernel.identifiers import REASON_LENGTH_MAX, SOURCE_LENGTH_MAX, check_text
from registry.kernel.parameters import Demo, Parameter, Reason
from registry.ledger.facts import ACCOUNT
from registry.ledger.records import Account, Freeze
from registry.ledger.rules import FreezeState, FreezeTarget


class FreezeOrder(TypedDict):
    """The target, reason and duration of a freeze."""

    reason: Reason
    source: Annotated[str, Parameter("The order it rests on, 1 to 500 characters 冻结依据.")]
    organisation: Annotated[
        NotRequired[UUID | None],
        Parameter("The whole of an organisation, without account 单位.", refers="Organisation"),
    ]
    account: Annotated[NotRequired[UUID | None], Parameter("One account 账户.", refers="Account")]
    instrument: Annotated[
        NotRequired[UUID | None],
        Parameter("Only this instrument of that account 标的.", refers="Instrument"),
    ]
    ends_at: Annotated[
        NotRequired[datetime | None], Parameter("Until when; until lifted by default 截止时间.")
    ]
    demo: NotRequired[Demo]


_TARGET = """
    SELECT o.id, o.city, o.county FROM organisation o
    WHERE o.id = coalesce($1, (SELECT organisation_id FROM account WHERE id = $2))
"""


async def build_freeze(context: CommandContext, **order: Unpack[FreezeOrder]) -> Freeze:
    """The freeze as it would be."""
    organisation, account = order.get("organisation"), order.get("account")
    instrument = order.get("instrument")
    if (organisation is None) == (account is None):
        raise Malformed("account", "Name an organisation or an account.", "请指定单位或账户之一。")
    if instrument is not None and account is None:
        raise Malformed("instrument", "A position lies in an account.", "冻结持有量须指定账户。")
    if account is not None:
        await _check_visible(context, account)
    holder = await fetch_one(_TARGET, organisation, account)
    if holder is None:
        raise NotFound("account" if account else "organisation")
    if instrument and await fetch_one("SELECT 1 FROM instrument WHERE id = $1", instrument) is None:
        raise NotFound("instrument")
    return Freeze(
        id=uuid4(),
        target=_freeze_target(account, instrument),
        organisation_id=holder["id"],
        account_id=account,
        instrument_id=instrument,
        reason=check_text(order["reason"], "reason", max_length=REASON_LENGTH_MAX),
        source=check_text(order["source"], "source", max_length=SOURCE_LENGTH_MAX),
        starts_at=context.now,
        ends_at=order.get("ends_at"),
        state=FreezeState.IN_FORCE.value,
        city=holder["city"],
        county=holder["county"],
        submitted_by=context.viewer.person,
        submitting_organisation=context.viewer.organisation,
        demo=order.get("demo", False),
        changed_at=context.now,
    )


async def _check_visible(context: CommandContext, account: UUID) -> None:
    """Refuse an invisible account as not found, so that the refusal does not reveal it."""
    found = await Account.get_or_none(id=account)
    if found is None or not authorizer.allows(context.viewer, ACCOUNT, "view", found):
        raise NotFound("account")


def _freeze_target(account: UUID | None, instrument: UUID | None) -> str:
    if account is None:
        return FreezeTarget.ORGANISATION.value
    return (FreezeTarget.POSITION if instrument else FreezeTarget.ACCOUNT).value
