"""Looks up what the conditions of a transfer look at, and weighs them together."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

from policies.vocabulary import Text
from registry.commands.command import CommandContext
from registry.db.session import fetch_all, fetch_one
from registry.kernel.calendar import day_of, trading_days_between
from registry.kernel.errors import Condition
from registry.ledger.account_statement import load_positions
from registry.ledger.journal import ensure_account
from registry.ledger.records import Instrument
from registry.ledger.rules import AccountKind, Acquisition
from registry.permits.queries import assessment_of, basins_of, load_pollutants
from registry.reference.holidays import load_calendar
from registry.reference.parameters import find_parameter
from registry.transfers.conditions import ConditionCheck, evaluate_conditions
from registry.transfers.eligibility_input import (
    AssessmentSnapshot,
    BuyerDemand,
    PartySnapshot,
    RightSnapshot,
    TransferSnapshot,
)
from registry.transfers.records import Transfer
from registry.transfers.rules import LOCKS_RIGHTS

Precondition = Callable[..., Awaitable[list[Condition]]]


def load_and_evaluate(checks: tuple[ConditionCheck, ...]) -> Precondition:
    """The conditions of one operation, as the frame of every write asks for them."""

    async def weigh(work: CommandContext, transfer: Transfer, **_: object) -> list[Condition]:
        return evaluate_conditions(await load_snapshot(transfer, work), checks)

    return weigh


async def load_snapshot(transfer: Transfer, context: CommandContext) -> TransferSnapshot:
    """The transfer with everything its conditions look at, as of the registry's day."""
    on = day_of(context.now)
    right = await load_right(transfer.instrument_id)
    holds, frozen = await _load_position(transfer, context)
    cap, city_holds = await _load_cap(transfer.buyer_city, right.pollutant, on)
    find = find_parameter
    return TransferSnapshot(
        as_of=on,
        seller=await _load_party(transfer.seller_id, context),
        buyer=await _load_party(transfer.buyer_id, context),
        right=right,
        quantity=transfer.quantity,
        price_fen=transfer.price_fen,
        rights_locked=transfer.state in LOCKS_RIGHTS,
        held_quantity=holds,
        is_frozen=frozen,
        is_cross_city=transfer.is_cross_city,
        base_price=await find(
            "base_price", on, area=transfer.seller_city, pollutant=right.pollutant
        ),
        free_tradable=await find("free_rights_tradable", on),
        regime=await find("cross_region_regime", on),
        notice_period=await find("cross_region_wait_trading_days", on),
        receiver_tests=await find("receiver_tests", on),
        announced_on=transfer.announced_on,
        trading_days_since_notice=await _trading_days_since(transfer.announced_on, on),
        demand=await _load_demand(transfer.buyer_id, right.pollutant, on),
        assessment=await _load_assessment(transfer.buyer_city, on.year - 1, right.medium),
        city_cap=cap,
        city_holding=city_holds,
    )


async def load_right(instrument_id: UUID) -> RightSnapshot:
    """The right a transfer is about, with the medium and the unit of its pollutant."""
    instrument = await Instrument.get(id=instrument_id)
    assert instrument.pollutant is not None, "only rights are transferred"
    substance = (await load_pollutants([instrument.pollutant]))[instrument.pollutant]
    return RightSnapshot(
        code=instrument.code,
        pollutant=instrument.pollutant,
        medium=substance.medium,
        basin=instrument.basin or "",
        is_paid=instrument.acquisition == Acquisition.PAID,
        valid_from=instrument.valid_from,
        valid_until=instrument.valid_until,
        unit=instrument.unit,
        scale=instrument.scale,
    )


_PARTY = """
    SELECT o.name, coalesce(o.name_en, o.name) AS name_en, o.state = 'open' AS open,
        coalesce(o.source_category, '') AS source_category, o.thermal_power,
        EXISTS (
            SELECT FROM sanction s WHERE s.organisation_id = o.id AND s.state = 'in_force'
                AND s.starts_at <= $2 AND (s.ends_at IS NULL OR s.ends_at > $2)
        ) OR EXISTS (
            SELECT FROM freeze_order f WHERE f.organisation_id = o.id AND f.target = 'organisation'
                AND f.lifted_at IS NULL AND f.starts_at <= $2
                AND (f.ends_at IS NULL OR f.ends_at > $2)
        ) AS barred
    FROM organisation o WHERE o.id = $1
"""


async def _load_party(organisation: UUID, context: CommandContext) -> PartySnapshot:
    found: dict[str, Any] | None = await fetch_one(_PARTY, organisation, context.now)
    assert found is not None, "both sides of a transfer are registered"
    return PartySnapshot(
        name=Text(found["name_en"], found["name"]),
        is_open=found["open"],
        is_barred=found["barred"],
        source_category=found["source_category"],
        thermal_power=found["thermal_power"],
    )


async def _load_position(transfer: Transfer, context: CommandContext) -> tuple[int, bool]:
    """What lies in the account the units are taken from, and whether it is frozen."""
    kind = AccountKind.ESCROW if transfer.state in LOCKS_RIGHTS else AccountKind.HOLDING
    account = await ensure_account(transfer.seller_id, kind)
    for position in await load_positions([account.id], context.now):
        if position.instrument_id == transfer.instrument_id:
            return position.quantity, position.frozen
    return 0, False


_PERMITS = """
    SELECT DISTINCT p.number
    FROM permit p
    JOIN permit_limit l ON l.permit_id = p.id AND l.pollutant = $2
        AND l.effective_from <= $3 AND coalesce(l.effective_until >= $3, true)
    WHERE p.organisation_id = $1 AND p.valid_from <= $3 AND p.valid_until >= $3
        AND coalesce(p.revoked_on > $3, true)
    ORDER BY p.number LIMIT 10
"""
_PROJECT = """
    SELECT FROM construction_project c
    JOIN project_demand d ON d.project_id = c.id AND d.pollutant = $2 AND d.superseded_at IS NULL
    WHERE c.organisation_id = $1 LIMIT 1
"""


async def _load_demand(buyer: UUID, pollutant: str, on: date) -> BuyerDemand:
    permits = await fetch_all(_PERMITS, buyer, pollutant, on)
    return BuyerDemand(
        permits=tuple(permit["number"] for permit in permits),
        has_project=await fetch_one(_PROJECT, buyer, pollutant) is not None,
        basins=await basins_of(buyer, on),
    )


_CAP = """
    SELECT c.cap, city_holds($1, $2, $3) AS holds FROM city_cap c
    WHERE c.city = $1 AND c.pollutant = $2 AND c.effective_from <= $3
    ORDER BY c.effective_from DESC LIMIT 1
"""


async def _load_cap(city: str, pollutant: str, on: date) -> tuple[int | None, int]:
    """What the city may hold of the pollutant in all, where that is recorded, and what it holds."""
    found = await fetch_one(_CAP, city, pollutant, on)
    return (found["cap"], found["holds"]) if found else (None, 0)


async def _load_assessment(city: str, year: int, medium: str) -> AssessmentSnapshot | None:
    found = await assessment_of(city, year, medium)
    if found is None:
        return None
    return AssessmentSnapshot(
        year=year,
        quality_attained=found.quality_attained,
        reduction_task_done=found.reduction_task_done,
        improvement_target_met=found.improvement_target_met,
        source=found.source,
    )


async def _trading_days_since(day: date | None, on: date) -> int:
    return 0 if day is None else trading_days_between(await load_calendar(), day, on)
