"""The verbs of permits: register, change the limits, revoke."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID, uuid4

from registry.commands.operation import CommandContext, operation
from registry.db.session import fetch_all, save
from registry.kernel.calendar import day_of
from registry.kernel.errors import Condition, Malformed
from registry.kernel.identifiers import (
    REASON_LENGTH_MAX,
    SOURCE_LENGTH_MAX,
    check_permit_number,
    check_text,
)
from registry.kernel.parameters import Demo, Parameter, Reason, Source
from registry.kernel.quantities import parse_quantity
from registry.kernel.state_machine import advance
from registry.parties.organisations import check_organisation_open, get_organisation
from registry.parties.rules import check_word
from registry.permits import rules
from registry.permits.facts import PERMIT
from registry.permits.records import Outlet, Permit, PermitLimit
from registry.permits.rules import (
    LimitDraft,
    OutletDraft,
    PermitCategory,
    PermitEnding,
    PermitState,
)
from registry.reference.cache import load_reference


async def _check_number_holder(
    _context: CommandContext, permit: Permit, **_rest: object
) -> list[Condition]:
    found = await get_organisation(permit.organisation_id)
    return [rules.check_number_holder(permit.number, found.credit_code)]


async def _build_permit(  # noqa: PLR0913 - what a permit says
    context: CommandContext,
    *,
    number: Annotated[str, Parameter("Its number, 22 characters 许可证编号.")],
    organisation: Annotated[UUID, Parameter("The holder 持证单位.", refers="Organisation")],
    issued_by: Annotated[
        str, Parameter("Code of the issuing division 核发地代码.", codes="Division")
    ],
    category: Annotated[PermitCategory, Parameter("How closely it is managed 管理类别.")],
    valid_from: Annotated[date, Parameter("First day 有效期起始日.")],
    valid_until: Annotated[date, Parameter("Last day 有效期截止日.")],
    source: Source,
    demo: Demo = False,
    **_children: object,
) -> Permit:
    found = await get_organisation(organisation)
    divisions = (await load_reference(context.reference_version)).divisions
    return Permit(
        id=uuid4(),
        number=check_permit_number(number, "number"),
        organisation_id=organisation,
        city=found.city,
        county=found.county,
        issued_by=divisions.resolve(issued_by, valid_from, field="issuedBy").code,
        category=PermitCategory(category),
        valid_from=valid_from,
        valid_until=valid_until,
        state=PermitState.IN_FORCE,
        source=check_text(source, "source", max_length=SOURCE_LENGTH_MAX),
        demo=demo,
        registered_at=context.now,
        changed_at=context.now,
    )


@operation(
    PERMIT,
    "register",
    build=_build_permit,
    preconditions=(check_organisation_open, _check_number_holder),
)
async def register_permit(
    context: CommandContext,
    permit: Permit,
    /,
    *,
    limits: Annotated[
        Sequence[LimitDraft], Parameter("Its limits, 1 to 50, each pollutant once 许可排放量.")
    ],
    outlets: Annotated[
        Sequence[OutletDraft], Parameter("Where it lets out, at most 200 排放口.")
    ] = (),
    **_said: object,
) -> Permit:
    """Enter a discharge permit with its limits and outlets.

    Raises:
        ConditionsUnmet: the holder is closed, or the number is not of its credit code.
        Duplicate: the number is registered already.

    Rule: 《排污许可管理条例》; HJ 608-2017.

    """
    checked = rules.parse_outlets(outlets)
    quantities = await _parse_quantities(context, limits)
    await _check_rivers({river for _, _, river in checked if river is not None})
    await save(permit)
    await PermitLimit.bulk_create(
        _build_limit(
            permit,
            pollutant,
            quantity,
            effective_from=permit.valid_from,
            source=permit.source,
        )
        for pollutant, quantity in quantities.items()
    )
    await Outlet.bulk_create(
        Outlet(id=uuid4(), permit_id=permit.id, code=code, medium=medium, river_system=river)
        for code, medium, river in checked
    )
    return permit


async def _check_change(
    _context: CommandContext,
    permit: Permit,
    *,
    limits: Sequence[LimitDraft],
    effective_from: date,
    **_: object,
) -> list[Condition]:
    newest = await _latest_limit_days(permit)
    later = [
        rules.check_change_is_latest(code, effective_from, newest.get(code))
        for code in dict.fromkeys(limit["pollutant"] for limit in limits)
    ]
    return [
        rules.check_change_within_term(effective_from, permit.valid_from, permit.valid_until),
        *later,
    ]


@operation(PERMIT, "change", preconditions=(_check_change,))
async def change_permit_limits(
    context: CommandContext,
    permit: Permit,
    /,
    *,
    limits: Annotated[
        Sequence[LimitDraft],
        Parameter("The new limits, 1 to 50; other pollutants keep theirs 新许可排放量."),
    ],
    effective_from: Annotated[date, Parameter("First day of the new limits 生效日.")],
    source: Annotated[
        str, Parameter("The decision that changes them, 1 to 500 characters 变更依据.")
    ],
) -> Permit:
    """Set limits anew from a day on; the former stay known.

    Raises:
        ConditionsUnmet: the day is outside the permit, or not after the newest limit.

    Rule: 《排污许可管理条例》 (change of a permit); registry rule (what was in force stays known).

    """
    advance(permit, rules.PERMIT_TRANSITIONS, "change")
    quantities = await _parse_quantities(context, limits)
    said = check_text(source, "source", max_length=SOURCE_LENGTH_MAX)
    await PermitLimit.filter(
        permit_id=permit.id, pollutant__in=list(quantities), effective_until=None
    ).update(effective_until=rules.day_before(effective_from))
    await PermitLimit.bulk_create(
        _build_limit(permit, pollutant, quantity, effective_from=effective_from, source=said)
        for pollutant, quantity in quantities.items()
    )
    return permit


@operation(PERMIT, "revoke")
async def revoke_permit(
    context: CommandContext,
    permit: Permit,
    *,
    ending: Annotated[PermitEnding, Parameter("The act that ends it 终止方式.")],
    reason: Reason,
) -> Permit:
    """Take a permit out of force from today on; one that runs out ends by itself.

    Rule: 《排污许可管理条例》.

    """
    advance(permit, rules.PERMIT_TRANSITIONS, "revoke")
    permit.revoked_on = day_of(context.now)
    permit.ending = check_word(ending, PermitEnding, "ending").value
    permit.revocation_reason = check_text(reason, "reason", max_length=REASON_LENGTH_MAX)
    return permit


async def _parse_quantities(
    context: CommandContext, limits: Sequence[LimitDraft]
) -> dict[str, int]:
    """Base units by pollutant."""
    rules.check_count(limits, "limits", least=1, most=rules.LIMITS_MAX)
    rules.check_unique((limit["pollutant"] for limit in limits), "limits.pollutant")
    pollutants = (await load_reference(context.reference_version)).pollutants
    scales = {
        limit["pollutant"]: pollutants.require(limit["pollutant"], field="limits.pollutant").scale
        for limit in limits
    }
    return {
        limit["pollutant"]: parse_quantity(
            limit["quantity"], scales[limit["pollutant"]], field="limits.quantity"
        )
        for limit in limits
    }


async def _latest_limit_days(permit: Permit) -> dict[str, date]:
    """The first day of the newest limit on record, by pollutant."""
    found = await fetch_all(
        "SELECT pollutant, max(effective_from) AS newest FROM permit_limit"
        " WHERE permit_id = $1 GROUP BY pollutant",
        permit.id,
    )
    return {limit["pollutant"]: limit["newest"] for limit in found}


async def _check_rivers(codes: set[str]) -> None:
    found = await fetch_all("SELECT code FROM river_system WHERE code = ANY($1)", list(codes))
    for code in sorted(codes - {river["code"] for river in found}):
        raise Malformed(
            "outlets.riverSystem", f"There is no river system {code!r}.", f"不存在水系“{code}”。"
        )


def _build_limit(
    permit: Permit, pollutant: str, quantity: int, *, effective_from: date, source: str
) -> PermitLimit:
    return PermitLimit(
        id=uuid4(),
        permit_id=permit.id,
        pollutant=pollutant,
        quantity=quantity,
        effective_from=effective_from,
        source=source,
    )
