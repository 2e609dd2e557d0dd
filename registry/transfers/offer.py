"""Seller and buyer: draft, offer, countersign, accept, withdraw."""

from datetime import date
from typing import Annotated, NotRequired, TypedDict, Unpack
from uuid import UUID, uuid4

from registry.commands.operation import CommandContext, operation
from registry.db.session import get_by_id
from registry.kernel.calendar import day_of
from registry.kernel.errors import Condition, Malformed, NotFound
from registry.kernel.identifiers import REASON_LENGTH_MAX, check_text
from registry.kernel.parameters import Parameter, Reason
from registry.kernel.quantities import MONEY_MAX, Price, Quantity, parse_quantity, total_price_fen
from registry.ledger.records import Instrument
from registry.parties.records import Organisation
from registry.parties.rules import OrganisationKind
from registry.reference.cache import load_reference
from registry.transfers.conditions import (
    ACCEPTANCE_CONDITIONS,
    OFFER_CONDITIONS,
    TERM_CONDITIONS,
)
from registry.transfers.eligibility_data import evaluate_transfer, load_and_evaluate
from registry.transfers.facts import TRANSFER
from registry.transfers.records import Transfer
from registry.transfers.rules import NEITHER, NEVER, State, Step, TransferSide
from registry.transfers.workflow import advance_transfer, last_day_of, regime_on

ANNOUNCEMENT_MAX = 500
"""Most characters of where a notice was published."""


class TransferTerms(TypedDict):
    """The proposal of the seller."""

    buyer: Annotated[
        UUID, Parameter("The enterprise that is to buy 受让方.", refers="Organisation")
    ]
    instrument: Annotated[
        UUID, Parameter("The instrument on sale, one's own 转让标的.", refers="Instrument")
    ]
    quantity: Annotated[Quantity, Parameter("How much, in its unit 数量.")]
    price: Annotated[Price, Parameter("Yuan for one unit, for the whole right 单价.")]
    note: Annotated[
        NotRequired[str],
        Parameter("A note that both sides and the authorities read 备注.", default=""),
    ]
    announced_on: Annotated[
        NotRequired[date | None],
        Parameter("Across cities: day of the notice in one's own city 本市公告日期."),
    ]
    announcement: Annotated[
        NotRequired[str],
        Parameter("Across cities: where that notice was published 公告出处.", default=""),
    ]


async def _build_transfer(context: CommandContext, **terms: Unpack[TransferTerms]) -> Transfer:
    """The case as it would be; the viewer's own organisation sells."""
    on = day_of(context.now)
    seller = await _get_enterprise(context.viewer.organisation, "organisation")
    buyer = await _get_enterprise(terms["buyer"], "buyer")
    if seller.id == buyer.id:
        raise Malformed(
            "buyer", "Seller and buyer are two organisations.", "出让方与受让方不得为同一单位。"
        )
    instrument = await get_by_id(Instrument, terms["instrument"])
    if instrument is None or instrument.class_ != "right":
        raise NotFound("instrument")
    quantity = parse_quantity(terms["quantity"], instrument.scale)
    announced_on, announcement = _check_notice(
        terms.get("announced_on"), terms.get("announcement", ""), on
    )
    note = terms.get("note", "")
    return Transfer(
        id=uuid4(),
        seller_id=seller.id,
        seller_city=seller.city,
        seller_county=seller.county,
        buyer_id=buyer.id,
        buyer_city=buyer.city,
        buyer_county=buyer.county,
        instrument_id=instrument.id,
        quantity=quantity,
        price_fen=_check_price(terms["price"]),
        sum_fen=_total_fen(quantity, terms["price"], instrument.scale),
        note=check_text(note, "note", max_length=REASON_LENGTH_MAX, optional=True),
        announced_on=announced_on,
        announcement=announcement,
        regime=regime_on(
            await load_reference(context.reference_version), on, instrument.pollutant
        ).value,
        state=State.DRAFT.value,
        deadline_at=NEVER,
        submitted_by=context.viewer.person,
        submitting_organisation=context.viewer.organisation,
        signatories=[],
        signed_for=[],
        demo=instrument.demo or seller.demo or buyer.demo,
        drafted_at=context.now,
        changed_at=context.now,
    )


async def _get_enterprise(id: UUID, field: str) -> Organisation:
    found = await get_by_id(Organisation, id)
    if found is None or found.kind != OrganisationKind.ENTERPRISE:
        raise NotFound(field)
    return found


def _check_price(price: int) -> int:
    if not 1 <= price <= MONEY_MAX:
        raise Malformed("price", "The price must be more than zero.", "单价必须大于零。")
    return price


def _total_fen(quantity: int, price: int, scale: int) -> int:
    total = total_price_fen(quantity, price, scale)
    if total == 0:
        raise Malformed(
            "price",
            "Quantity times price must come to a fen at least.",
            "数量与单价之积不得为零。",
        )
    return total


def _check_notice(on: date | None, where: str, today: date) -> tuple[date | None, str]:
    if on is None and not where:
        return None, ""
    if on is None or on > today:
        raise Malformed(
            "announcedOn",
            "A notice was published on a day that is not in the future.",
            "公告日期须填写且不得晚于今日。",
        )
    return on, check_text(where, "announcement", max_length=ANNOUNCEMENT_MAX)


@operation(
    TRANSFER, "draft", build=_build_transfer, preconditions=(load_and_evaluate(OFFER_CONDITIONS),)
)
async def draft_transfer(
    _context: CommandContext, transfer: Transfer, **_terms: Unpack[TransferTerms]
) -> Transfer:
    """Open a case with its terms. Nothing is blocked yet.

    Raises:
        ConditionsUnmet: any of ``OFFER_CONDITIONS``, all evaluated together.

    Rule: 河北省排污权市场交易管理暂行办法; the seller chooses the method of sale freely.

    """
    return transfer


@operation(TRANSFER, "offer", preconditions=(load_and_evaluate(OFFER_CONDITIONS),), posts=True)
async def offer_transfer(
    context: CommandContext,
    transfer: Transfer,
    *,
    accept_by: Annotated[
        date | None, Parameter("Last day to accept, within the legal limit 接受期限.")
    ] = None,
) -> Transfer:
    """Sign first for the seller and block the units.

    Raises:
        ConditionsUnmet: any of ``OFFER_CONDITIONS``.
        Insufficient: the units went elsewhere meanwhile.

    Rule: parameter ``acceptance_days``; blocked from the first signature.

    """
    transfer.accept_by = await _check_accept_by(context, accept_by)
    if await _needs_two_signatures(transfer.seller_id):
        transfer.awaiting = TransferSide.SELLER.value
        await advance_transfer(context, transfer, Step.OFFER_FIRST)
    else:
        await advance_transfer(context, transfer, Step.OFFER)
    return transfer


async def _check_accept_by(context: CommandContext, accept_by: date | None) -> date | None:
    if accept_by is None:
        return None
    on = day_of(context.now)
    reference = await load_reference(context.reference_version)
    latest = last_day_of(reference, "acceptance_days", on)
    if not on <= accept_by <= latest:
        raise Malformed(
            "acceptBy",
            f"The last day for acceptance lies between {on} and {latest}.",
            f"接受期限须在{on}至{latest}之间。",
        )
    return accept_by


async def _needs_two_signatures(organisation: UUID) -> bool:
    found = await get_by_id(Organisation, organisation)
    assert found is not None, "both sides of a transfer are registered"
    return bool(found.two_representatives)


async def _check_countersign(
    context: CommandContext, transfer: Transfer, **_: object
) -> list[Condition]:
    checks = ACCEPTANCE_CONDITIONS if transfer.awaiting == TransferSide.BUYER else TERM_CONDITIONS
    return await evaluate_transfer(context, transfer, checks)


@operation(TRANSFER, "countersign", preconditions=(_check_countersign,))
async def countersign_transfer(context: CommandContext, transfer: Transfer) -> Transfer:
    """Sign as a side's second representative.

    Raises:
        ConditionsUnmet: what the first signature had to meet no longer holds.

    Rule: two representatives where the organisation requires them; one person signs once.

    """
    of_seller = transfer.awaiting == TransferSide.SELLER
    transfer.awaiting = NEITHER
    await advance_transfer(
        context, transfer, Step.COUNTERSIGN_OFFER if of_seller else Step.COUNTERSIGN_ACCEPTANCE
    )
    return transfer


@operation(TRANSFER, "accept", preconditions=(load_and_evaluate(ACCEPTANCE_CONDITIONS),))
async def accept_transfer(context: CommandContext, transfer: Transfer) -> Transfer:
    """Accept for the buyer. NOT an approval: nothing moves.

    The centre then decides the eligibility of both sides, and the city or the province approves.

    Raises:
        ConditionsUnmet: any of ``ACCEPTANCE_CONDITIONS``.

    Rule: within the time limit of the offer, judged as of now.

    """
    if await _needs_two_signatures(transfer.buyer_id):
        transfer.awaiting = TransferSide.BUYER.value
        await advance_transfer(context, transfer, Step.ACCEPT_FIRST)
    else:
        await advance_transfer(context, transfer, Step.ACCEPT)
    return transfer


@operation(TRANSFER, "withdraw")
async def withdraw_transfer(
    context: CommandContext, transfer: Transfer, *, reason: Reason
) -> Transfer:
    """End the case before contract; blocked units come home.

    Rule: either side may withdraw until the contract; afterwards it is a default.

    """
    transfer.reason = check_text(reason, "reason", max_length=REASON_LENGTH_MAX)
    transfer.awaiting = NEITHER
    await advance_transfer(context, transfer, Step.WITHDRAW)
    return transfer
