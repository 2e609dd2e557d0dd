"""Looks up what the conditions of a transfer look at, and weighs them together."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

from policies.vocabulary import Text
from registry.commands.command import Work
from registry.db.session import row, rows
from registry.kernel.calendar import day_of, trading_days_between
from registry.kernel.errors import Condition
from registry.ledger.account_statement import positions
from registry.ledger.journal import ensure_account
from registry.ledger.records import Instrument
from registry.ledger.rules import AccountKind, Acquisition
from registry.permits.queries import assessment_of, basins_of, substances
from registry.reference.holidays import calendar
from registry.reference.parameters import find_parameter
from registry.transfers.conditions import Check, weighed
from registry.transfers.eligibility_input import Assessment, Case, Need, Party, Right
from registry.transfers.records import Transfer
from registry.transfers.rules import BLOCKING

Weigh = Callable[..., Awaitable[list[Condition]]]


def weighing(checks: tuple[Check, ...]) -> Weigh:
    """The conditions of one operation, as the frame of every write asks for them."""

    async def weigh(work: Work, transfer: Transfer, **_: object) -> list[Condition]:
        return weighed(await case_of(transfer, work), checks)

    return weigh


async def case_of(transfer: Transfer, work: Work) -> Case:
    """The transfer with everything its conditions look at, as of the registry's day."""
    on = day_of(work.now)
    right = await right_of(transfer.instrument_id)
    holds, frozen = await _position(transfer, work)
    cap, city_holds = await _cap(transfer.buyer_city, right.pollutant, on)
    find = find_parameter
    return Case(
        on=on,
        seller=await _party(transfer.seller_id, work),
        buyer=await _party(transfer.buyer_id, work),
        right=right,
        quantity=transfer.quantity,
        price_fen=transfer.price_fen,
        blocked=transfer.state in BLOCKING,
        holds=holds,
        frozen=frozen,
        crosses=transfer.crosses,
        floor=await find("base_price", on, area=transfer.seller_city, pollutant=right.pollutant),
        free_tradable=await find("free_rights_tradable", on),
        regime=await find("cross_region_regime", on),
        wait=await find("cross_region_wait_trading_days", on),
        receiver_tests=await find("receiver_tests", on),
        announced_on=transfer.announced_on,
        waited=await _trading_days_since(transfer.announced_on, on),
        need=await _need(transfer.buyer_id, right.pollutant, on),
        assessment=await _assessment(transfer.buyer_city, on.year - 1, right.medium),
        cap=cap,
        city_holds=city_holds,
    )


async def right_of(instrument_id: UUID) -> Right:
    """The right a transfer is about, with the medium and the unit of its pollutant."""
    instrument = await Instrument.get(id=instrument_id)
    assert instrument.pollutant is not None, "only rights are transferred"
    substance = (await substances([instrument.pollutant]))[instrument.pollutant]
    return Right(
        code=instrument.code,
        pollutant=instrument.pollutant,
        medium=substance.medium,
        basin=instrument.basin or "",
        paid=instrument.acquisition == Acquisition.PAID,
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


async def _party(organisation: UUID, work: Work) -> Party:
    found: dict[str, Any] | None = await row(_PARTY, organisation, work.now)
    assert found is not None, "both sides of a transfer are registered"
    return Party(
        name=Text(found["name_en"], found["name"]),
        open=found["open"],
        barred=found["barred"],
        source_category=found["source_category"],
        thermal_power=found["thermal_power"],
    )


async def _position(transfer: Transfer, work: Work) -> tuple[int, bool]:
    """What lies in the account the units are taken from, and whether it is frozen."""
    kind = AccountKind.ESCROW if transfer.state in BLOCKING else AccountKind.HOLDING
    account = await ensure_account(transfer.seller_id, kind)
    for position in await positions([account.id], work.now):
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


async def _need(buyer: UUID, pollutant: str, on: date) -> Need:
    permits = await rows(_PERMITS, buyer, pollutant, on)
    return Need(
        permits=tuple(permit["number"] for permit in permits),
        project=await row(_PROJECT, buyer, pollutant) is not None,
        basins=await basins_of(buyer, on),
    )


_CAP = """
    SELECT c.cap, city_holds($1, $2, $3) AS holds FROM city_cap c
    WHERE c.city = $1 AND c.pollutant = $2 AND c.effective_from <= $3
    ORDER BY c.effective_from DESC LIMIT 1
"""


async def _cap(city: str, pollutant: str, on: date) -> tuple[int | None, int]:
    """What the city may hold of the pollutant in all, where that is recorded, and what it holds."""
    found = await row(_CAP, city, pollutant, on)
    return (found["cap"], found["holds"]) if found else (None, 0)


async def _assessment(city: str, year: int, medium: str) -> Assessment | None:
    found = await assessment_of(city, year, medium)
    if found is None:
        return None
    return Assessment(
        year=year,
        quality_attained=found.quality_attained,
        reduction_task_done=found.reduction_task_done,
        improvement_target_met=found.improvement_target_met,
        source=found.source,
    )


async def _trading_days_since(day: date | None, on: date) -> int:
    return 0 if day is None else trading_days_between(await calendar(), day, on)
