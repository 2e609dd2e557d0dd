"""People and appointments as they are proposed, and what is weighed before they count."""

from datetime import datetime
from typing import Annotated, NotRequired, TypedDict, Unpack
from uuid import UUID, uuid4

from policies.vocabulary import VOCABULARY, Text
from registry.access.authorizer import authorizer
from registry.access.principals import RoleName
from registry.commands.operation import CommandContext
from registry.db.session import fetch_all
from registry.kernel.calendar import day_of
from registry.kernel.errors import Condition, Malformed, NotFound, make_requirement
from registry.kernel.identifiers import check_text
from registry.kernel.legal_bases import SEPARATION_OF_DUTIES
from registry.kernel.parameters import Demo, Parameter
from registry.parties.facts import PERSON
from registry.parties.organisations import get_organisation
from registry.parties.records import Appointment, Organisation, Person
from registry.parties.rules import (
    NAME_MAX,
    PERSON_NAME_MAX,
    AppointmentPowers,
    AppointmentState,
    Side,
    can_appoint_internally,
    role_of,
    side_of,
)
from registry.reference.cache import load_reference

_ACTIVE_APPOINTMENTS = """
    SELECT person_id, may_initiate, may_approve FROM appointment
    WHERE organisation_id = $1 AND id <> $3 AND state = 'in_force'
        AND valid_from <= $2 AND (valid_until IS NULL OR valid_until > $2)
"""


class AppointmentTerms(TypedDict):
    """The proposed appointment: person, organisation, powers."""

    person: Annotated[UUID, Parameter("The person to be appointed 获授权人员.", refers="Person")]
    organisation: Annotated[UUID, Parameter("For whom 授权单位.", refers="Organisation")]
    role: Annotated[
        NotRequired[RoleName | None],
        Parameter("The role; by default that of the body's kind 角色."),
    ]
    division: Annotated[
        NotRequired[str | None],
        Parameter("Code; by default the body's own division 辖区代码.", codes="Division"),
    ]
    valid_from: Annotated[
        NotRequired[datetime | None], Parameter("From when; at once by default 起始时间.")
    ]
    valid_until: Annotated[
        NotRequired[datetime | None], Parameter("Until when; without end by default 截止时间.")
    ]
    may_initiate: Annotated[
        NotRequired[bool], Parameter("May open business and sign first 经办权限.", default=False)
    ]
    may_approve: Annotated[
        NotRequired[bool], Parameter("May decide and countersign 审批权限.", default=False)
    ]
    demo: NotRequired[Demo]


async def build_person(
    context: CommandContext,
    *,
    organisation: Annotated[UUID, Parameter("Their organisation 所属单位.", refers="Organisation")],
    subject: Annotated[str, Parameter("Name at sign-in, 3 to 200 characters 登录名.")],
    name: Annotated[str, Parameter("Their name, 1 to 100 characters 姓名.")],
    demo: Demo = False,
) -> Person:
    """The person to be registered."""
    body = await get_organisation(organisation)
    return Person(
        id=uuid4(),
        subject=check_text(subject, "subject", max_length=NAME_MAX, multiline=False),
        name=check_text(name, "name", max_length=PERSON_NAME_MAX, multiline=False),
        organisation_id=body.id,
        side=side_of(body.kind).value,
        appointed_externally=await needs_external_appointer(body.id, context.now),
        demo=demo,
        changed_at=context.now,
    )


async def build_appointment(
    context: CommandContext, **terms: Unpack[AppointmentTerms]
) -> Appointment:
    """The appointment as it would be proposed."""
    body = await get_organisation(terms["organisation"])
    person = await Person.get_or_none(id=terms["person"])
    if person is None or not authorizer.allows(context.viewer, PERSON, "view", person):
        raise NotFound("person")
    return Appointment(
        id=uuid4(),
        person_id=person.id,
        side=side_of(body.kind).value,
        organisation_id=body.id,
        role=_check_role(body, terms.get("role")),
        division=await _check_division(context, body, terms.get("division")),
        may_initiate=terms.get("may_initiate", False),
        may_approve=terms.get("may_approve", False),
        valid_from=_check_start(terms.get("valid_from"), context.now),
        valid_until=terms.get("valid_until"),
        appointed_externally=await needs_external_appointer(body.id, context.now),
        state=AppointmentState.PROPOSED.value,
        submitted_by=context.viewer.person,
        submitting_organisation=context.viewer.organisation,
        signatories=[],
        demo=terms.get("demo", False),
        changed_at=context.now,
    )


def _check_role(organisation: Organisation, requested: str | None) -> str:
    role = role_of(organisation.kind)
    if not role:
        raise Malformed(
            "organisation",
            f"The rule book has no role for people of the kind {organisation.kind}.",
            "规则书未为该类单位设定角色，不能授予岗位授权。",
        )
    if requested not in {None, role}:
        raise Malformed(
            "role",
            f"An organisation of kind {organisation.kind} acts as {role}, not as {requested}.",
            f"该单位人员只能以“{VOCABULARY.roles[role].zh}”身份岗位授权。",
        )
    return role


async def _check_division(
    context: CommandContext, organisation: Organisation, requested: str | None
) -> str:
    if requested is None or requested == organisation.division:
        return organisation.division
    divisions = (await load_reference(context.reference_version)).divisions
    home, there = (
        divisions.resolve(code, day_of(context.now)) for code in (organisation.division, requested)
    )
    # An appointment for the province covers all its divisions.
    if home.level == "province" or there.city != home.code:
        raise Malformed(
            "division",
            f"{there.name.en} lies outside the division of the organisation.",
            f"{there.name.zh}不在该单位辖区内。",
        )
    return there.code


def _check_start(requested: datetime | None, now: datetime) -> datetime:
    if requested is not None and requested < now:
        raise Malformed(
            "validFrom",
            "An appointment does not begin in the past.",
            "授权起始时间不得早于当前时间。",
        )
    return requested or now


async def needs_external_appointer(
    organisation: UUID, now: datetime, *, excluding: UUID | None = None
) -> bool:
    """Whether the organisation lacks the two people it takes to appoint one of its own.

    ``excluding`` leaves an appointment out of account.
    """
    acting = await fetch_all(_ACTIVE_APPOINTMENTS, organisation, now, excluding or organisation)
    return not can_appoint_internally(
        AppointmentPowers(a["person_id"], a["may_initiate"], a["may_approve"]) for a in acting
    )


async def check_single_side(
    _context: CommandContext, appointment: Appointment, **_: object
) -> list[Condition]:
    """A natural person is on one side of the market."""
    person = await Person.get(id=appointment.person_id)
    return [
        Condition(
            name="one_side",
            met=person.side == appointment.side,
            message=Text(
                f"The person is on the {person.side} side,"
                f" the organisation on the {appointment.side} side.",
                f"该人员属于{_SIDES_ZH[person.side]}，该单位属于{_SIDES_ZH[appointment.side]}。",
            ),
            legal_basis=SEPARATION_OF_DUTIES,
        )
    ]


_SIDES_ZH: dict[str, str] = {
    Side.OFFICIAL: "管理方",
    Side.PARTICIPANT: "市场方",
    Side.OVERSIGHT: "监督方",
}


async def check_period_not_over(
    context: CommandContext, appointment: Appointment, **_: object
) -> list[Condition]:
    """The appointment has not run out before it is countersigned."""
    until = appointment.valid_until
    return [
        Condition(
            name="period_ahead",
            met=until is None or until > context.now,
            message=Text(
                f"The appointment was to last until {until}.",
                f"该项授权有效期至{until}，现已届满。",
            ),
        )
    ]


async def check_province_keeps_officers(
    context: CommandContext, appointment: Appointment, **_: object
) -> list[Condition]:
    """The province keeps two people who can appoint others: no other body could appoint them."""
    counts = appointment.role == "province" and appointment.state == AppointmentState.IN_FORCE
    unable = counts and await needs_external_appointer(
        appointment.organisation_id, context.now, excluding=appointment.id
    )
    return [
        make_requirement(
            name="province_stays_able",
            met=not unable,
            unmet=Text(
                "The province would be left without two people who can appoint others.",
                "终止授权后省生态环境厅将缺少能够相互复核授权的两名人员。",
            ),
        )
    ]
