"""Stocks that exist before the registry: what may be entered, and how it becomes an entry."""

from datetime import date, datetime
from typing import Annotated, NotRequired, TypedDict
from uuid import UUID, uuid4

from policies.vocabulary import Text
from registry.commands.operation import CommandContext
from registry.db.session import fetch_one, get_by_id
from registry.kernel.calendar import day_of
from registry.kernel.errors import Condition, NotFound, make_requirement
from registry.kernel.identifiers import SOURCE_LENGTH_MAX, check_text
from registry.kernel.legal_bases import REFERENCE_DATA, REFORM_PLAN
from registry.kernel.parameters import Demo, Parameter
from registry.kernel.quantities import Quantity, parse_quantity
from registry.ledger.journal import ensure_account, ensure_instrument, post_entry
from registry.ledger.records import Account
from registry.ledger.rules import (
    ISSUANCE_ACCOUNT,
    AccountKind,
    Acquisition,
    Basin,
    EntryKind,
    Posting,
    Right,
    last_day,
)
from registry.parties.records import Organisation
from registry.parties.rules import check_word
from registry.reference.cache import load_reference


class OpeningTerms(TypedDict):
    """A stock that exists before the registry, as it enters it."""

    organisation: Annotated[UUID, Parameter("Whose it is 所属单位.", refers="Organisation")]
    pollutant: Annotated[str, Parameter("Code of the pollutant 污染物代码.", codes="Pollutant")]
    quantity: Annotated[Quantity, Parameter("How much, in its unit, more than zero 数量.")]
    source: Annotated[str, Parameter("Where the figure comes from, 1 to 500 characters 数据来源.")]
    basin: Annotated[NotRequired[Basin | None], Parameter("Its basin; water only 流域.")]
    effective_at: Annotated[
        NotRequired[datetime | None], Parameter("Since when it was held 生效时间.")
    ]
    demo: NotRequired[Demo]


class HoldingOpeningTerms(OpeningTerms):
    """An opening stock of an enterprise."""

    acquisition: Annotated[
        NotRequired[Acquisition], Parameter("Paid for or free 取得方式.", default=Acquisition.PAID)
    ]
    origin: Annotated[
        NotRequired[str | None],
        Parameter(
            "Code of the area it was taken from, by default the own city 来源地代码.",
            codes="Division",
        ),
    ]
    valid_from: Annotated[
        NotRequired[date | None], Parameter("First day; none until trial production 生效日.")
    ]
    valid_until: Annotated[
        NotRequired[date | None],
        Parameter("Last day; by default at the end of its validity 失效日."),
    ]


async def build_reserve_account(
    _context: CommandContext, *, organisation: UUID, **_: object
) -> Account:
    """The organisation's reserve account, unsaved where it has none."""
    return await _build_account(organisation, AccountKind.RESERVE)


async def build_holding_account(
    _context: CommandContext, *, organisation: UUID, **_: object
) -> Account:
    """The organisation's holding account, unsaved where it has none."""
    return await _build_account(organisation, AccountKind.HOLDING)


async def _build_account(organisation: UUID, kind: AccountKind) -> Account:
    holder = await get_by_id(Organisation, organisation)
    if holder is None:
        raise NotFound("organisation")
    found = await Account.get_or_none(organisation_id=organisation, kind=kind.value)
    return found or Account(
        id=uuid4(),
        organisation_id=organisation,
        kind=kind.value,
        city=holder.city,
        county=holder.county,
    )


_ORGANISATION_AND_POLLUTANT = """
    SELECT o.kind, o.name, coalesce(o.name_en, o.name) AS name_en,
        (SELECT p.enabled_from FROM pollutant p WHERE p.code = $2) AS enabled_from
    FROM organisation o WHERE o.id = $1
"""


async def check_may_hold_stock(
    context: CommandContext, account: Account, *, pollutant: str, **_: object
) -> list[Condition]:
    """Whether this kind of body may hold this kind of stock of this pollutant today."""
    found = await fetch_one(_ORGANISATION_AND_POLLUTANT, account.organisation_id, pollutant)
    assert found is not None, "an account that is opened belongs to an organisation"
    kinds = {"province", "city"} if account.kind == AccountKind.RESERVE else {"enterprise"}
    enabled = found["enabled_from"] is not None and found["enabled_from"] <= day_of(context.now)
    return [
        make_requirement(
            name="may_hold_stock",
            met=found["kind"] in kinds,
            unmet=Text(
                f"{found['name_en']} is not of a kind that keeps a {account.kind} account.",
                f"{found['name']}不得开立该类账户。",
            ),
            legal_basis=REFORM_PLAN,
        ),
        make_requirement(
            name="pollutant_enabled",
            met=enabled,
            unmet=Text(f"{pollutant} is not traded yet.", f"{pollutant}尚未纳入交易。"),
            legal_basis=REFORM_PLAN,
            source=REFERENCE_DATA,
        ),
    ]


def build_reserve_right(account: Account, opening: OpeningTerms) -> Right:
    """A right as a reserve will sell it: paid for, its period beginning with the sale."""
    return _build_right(account, opening, Acquisition.PAID, origin=None, days=(None, None))


async def build_holding_right(
    context: CommandContext, account: Account, opening: HoldingOpeningTerms
) -> Right:
    """A right as an enterprise holds it, its last day reckoned where it is not said."""
    first, last = opening.get("valid_from"), opening.get("valid_until")
    if first and not last:
        pollutant, on = opening["pollutant"], day_of(context.now)
        parameters = (await load_reference(context.reference_version)).parameters
        years = parameters.require("validity_years", on, area=account.city, pollutant=pollutant)
        last = last_day(first, years.number)
    acquisition = check_word(
        opening.get("acquisition", Acquisition.PAID), Acquisition, "acquisition"
    )
    return _build_right(
        account, opening, acquisition, origin=opening.get("origin"), days=(first, last)
    )


def _build_right(
    account: Account,
    opening: OpeningTerms,
    acquisition: Acquisition,
    *,
    origin: str | None,
    days: tuple[date | None, date | None],
) -> Right:
    return Right(
        opening["pollutant"],
        origin or account.city,
        acquisition,
        basin=opening.get("basin"),
        valid_from=days[0],
        valid_until=days[1],
        demo=opening.get("demo", False),
    )


async def post_opening(
    context: CommandContext, account: Account, right: Right, opening: OpeningTerms
) -> Account:
    """Post the opening entry: out of issuance, into the account, which is opened if it is new."""
    assert account.organisation_id is not None, "an account that is opened has a holder"
    opened = await ensure_account(account.organisation_id, AccountKind(account.kind))
    instrument = await ensure_instrument(right)
    quantity = parse_quantity(opening["quantity"], instrument.scale)
    post_entry(
        context,
        EntryKind.OPENING,
        [Posting(ISSUANCE_ACCOUNT, opened.id, instrument.id, quantity)],
        source=check_text(opening["source"], "source", max_length=SOURCE_LENGTH_MAX),
        effective_at=opening.get("effective_at"),
        demo=right.demo,
    )
    return opened
