"""Loads the facts that the conditions of a transfer need, in one statement, and evaluates them."""

import json
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any
from uuid import UUID

from policies.vocabulary import Text
from registry.commands.operation import CommandContext
from registry.db.named_params import compile_named
from registry.db.session import fetch_one
from registry.kernel.calendar import day_of
from registry.kernel.errors import Condition
from registry.ledger.rules import AccountKind, Acquisition
from registry.reference.cache import ReferenceData, load_reference
from registry.transfers.conditions import evaluate_conditions
from registry.transfers.eligibility_input import (
    CROSS_CITY_NEEDS,
    AssessmentSnapshot,
    BuyerDemand,
    CityTotal,
    ConditionCheck,
    Need,
    PartySnapshot,
    RightSnapshot,
    SellerPosition,
    TransferSnapshot,
)
from registry.transfers.records import Transfer
from registry.transfers.rules import LOCKS_RIGHTS

Precondition = Callable[..., Awaitable[list[Condition]]]


def load_and_evaluate(checks: tuple[ConditionCheck, ...]) -> Precondition:
    """The conditions of one operation, as the frame of every write asks for them."""

    async def evaluate(context: CommandContext, transfer: Transfer, **_: object) -> list[Condition]:
        return await evaluate_transfer(context, transfer, checks)

    return evaluate


async def evaluate_transfer(
    context: CommandContext, transfer: Transfer, checks: tuple[ConditionCheck, ...]
) -> list[Condition]:
    """All conditions that concern the transfer, by the facts of the registry's day."""
    needs = frozenset[Need]().union(*(check.needs for check in checks))
    if not transfer.is_cross_city:
        needs -= CROSS_CITY_NEEDS
    return evaluate_conditions(await _load_snapshot(context, transfer, needs), checks)


_RIGHT_SQL = """
    SELECT i.code, i.pollutant, i.basin, i.acquisition, i.valid_from, i.valid_until, i.unit, i.scale
        {facts}
    FROM instrument i WHERE i.id = :instrument
"""

# Each answers one value of JSON, or NULL where there is nothing.
_FACTS_SQL = {
    Need.PARTIES: """
        SELECT json_object_agg(o.id, json_build_object(
            'name', o.name, 'name_en', coalesce(o.name_en, o.name), 'is_open', o.state = 'open',
            'source_category', coalesce(o.source_category, ''), 'thermal_power', o.thermal_power,
            'is_sanctioned', EXISTS (
                SELECT FROM sanction s WHERE s.organisation_id = o.id AND s.state = 'in_force'
                    AND s.starts_at <= :now AND (s.ends_at IS NULL OR s.ends_at > :now)
            ), 'is_frozen', EXISTS (
                SELECT FROM freeze_order f
                WHERE f.organisation_id = o.id AND f.target = 'organisation'
                    AND f.lifted_at IS NULL
                    AND f.starts_at <= :now AND (f.ends_at IS NULL OR f.ends_at > :now)
            )
        )) FROM organisation o WHERE o.id IN (:seller, :buyer)""",
    Need.POSITION: """
        SELECT json_build_object('quantity', b.quantity, 'is_frozen', EXISTS (
            SELECT FROM freeze_order f
            WHERE f.organisation_id = a.organisation_id AND f.lifted_at IS NULL
                AND f.starts_at <= :now AND (f.ends_at IS NULL OR f.ends_at > :now)
                AND (f.account_id IS NULL OR f.account_id = a.id)
                AND (f.instrument_id IS NULL OR f.instrument_id = i.id)
        ))
        FROM account a JOIN balance b ON b.account_id = a.id AND b.instrument_id = i.id
        WHERE a.organisation_id = :seller AND a.kind = :account_kind AND b.quantity > 0""",
    Need.DEMAND: """
        SELECT json_build_object(
            'permits', ARRAY(
                SELECT DISTINCT p.number FROM permit p
                JOIN permit_limit l ON l.permit_id = p.id AND l.pollutant = i.pollutant
                    AND l.effective_from <= :on AND coalesce(l.effective_until >= :on, true)
                WHERE p.organisation_id = :buyer AND p.valid_from <= :on AND p.valid_until >= :on
                    AND coalesce(p.revoked_on > :on, true)
                ORDER BY p.number LIMIT 10),
            'has_project', EXISTS (
                SELECT FROM construction_project c
                JOIN project_demand d ON d.project_id = c.id AND d.pollutant = i.pollutant
                    AND d.superseded_at IS NULL
                WHERE c.organisation_id = :buyer))""",
    Need.BASINS: """
        SELECT json_agg(DISTINCT r.basin) FROM permit p
        JOIN outlet o ON o.permit_id = p.id JOIN river_system r ON r.code = o.river_system
        WHERE p.organisation_id = :buyer AND p.valid_from <= :on AND p.valid_until >= :on
            AND coalesce(p.revoked_on > :on, true)""",
    Need.ASSESSMENT: """
        SELECT json_build_object('year', e.year, 'quality_attained', e.quality_attained,
            'reduction_task_done', e.reduction_task_done,
            'improvement_target_met', e.improvement_target_met, 'source', e.source)
        FROM environment_assessment e
        JOIN pollutant q ON q.code = i.pollutant AND q.medium = e.medium
        WHERE e.city = :buyer_city AND e.year = :last_year""",
    Need.CITY_CAP: """
        SELECT json_build_object('cap', c.cap, 'held', city_holds(:buyer_city, i.pollutant, :on))
        FROM city_cap c
        WHERE c.city = :buyer_city AND c.pollutant = i.pollutant AND c.effective_from <= :on
        ORDER BY c.effective_from DESC LIMIT 1""",
}


@cache
def _snapshot_sql(needs: frozenset[Need]) -> tuple[str, tuple[str, ...]]:
    facts = "".join(f", ({_FACTS_SQL[need]}) AS {need}" for need in sorted(needs))
    return compile_named(_RIGHT_SQL.format(facts=facts))


async def _load_snapshot(
    context: CommandContext, transfer: Transfer, needs: frozenset[Need]
) -> TransferSnapshot:
    on, is_locked = day_of(context.now), transfer.state in LOCKS_RIGHTS
    values = {
        "instrument": transfer.instrument_id,
        "seller": transfer.seller_id,
        "buyer": transfer.buyer_id,
        "buyer_city": transfer.buyer_city,
        "account_kind": AccountKind.ESCROW if is_locked else AccountKind.HOLDING,
        "now": context.now,
        "on": on,
        "last_year": on.year - 1,
    }
    sql, names = _snapshot_sql(needs)
    row = await fetch_one(sql, *(values[name] for name in names))
    assert row is not None, "a transfer is about an instrument"
    reference = await load_reference(context.reference_version)
    return TransferSnapshot(
        as_of=on,
        right=_to_right(row, reference),
        seller_city=transfer.seller_city,
        quantity=transfer.quantity,
        price_fen=transfer.price_fen,
        rights_locked=is_locked,
        is_cross_city=transfer.is_cross_city,
        announced_on=transfer.announced_on,
        parameters=reference.parameters,
        calendar=reference.calendar,
        facts={need: _to_fact(need, row[need], transfer) for need in needs},
    )


def _to_right(row: dict[str, Any], reference: ReferenceData) -> RightSnapshot:
    pollutant = reference.pollutants.require(row["pollutant"])
    return RightSnapshot(
        code=row["code"],
        pollutant=pollutant.code,
        pollutant_name=pollutant.name,
        medium=pollutant.medium,
        basin=row["basin"] or "",
        is_paid=row["acquisition"] == Acquisition.PAID,
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        unit=row["unit"],
        scale=row["scale"],
    )


def _to_fact(need: Need, text: str | None, transfer: Transfer) -> object:
    value: Any = None if text is None else json.loads(text)
    match need:
        case Need.PARTIES:
            return tuple(_to_party(value, side) for side in (transfer.seller_id, transfer.buyer_id))
        case Need.POSITION:
            return SellerPosition(**value) if value else SellerPosition(0, is_frozen=False)
        case Need.DEMAND:
            return BuyerDemand(tuple(value["permits"]), value["has_project"])
        case Need.BASINS:
            return frozenset(value or ())
        case Need.ASSESSMENT:
            return AssessmentSnapshot(**value) if value else None
        case Need.CITY_CAP:
            return CityTotal(**value) if value else None


def _to_party(parties: dict[str, Any], organisation: UUID) -> PartySnapshot:
    party = parties[str(organisation)]
    return PartySnapshot(
        name=Text(party["name_en"], party["name"]),
        is_open=party["is_open"],
        is_sanctioned=party["is_sanctioned"],
        is_frozen=party["is_frozen"],
        source_category=party["source_category"],
        thermal_power=party["thermal_power"],
    )
