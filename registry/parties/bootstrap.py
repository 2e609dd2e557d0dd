"""How an empty registry begins: the province and the two officers who appoint all others."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from registry.commands.operation import CommandContext
from registry.db.session import save
from registry.kernel.errors import Malformed
from registry.kernel.identifiers import check_text
from registry.kernel.texts import comparison_form
from registry.parties.organisations import build_organisation
from registry.parties.records import Appointment, Organisation, Person
from registry.parties.rules import (
    NAME_MAX,
    PERSON_NAME_MAX,
    AppointmentState,
    OrganisationKind,
    role_of,
    side_of,
)

FIRST_OFFICERS = 2


@dataclass(frozen=True, slots=True)
class FirstOfficer:
    """One of the first two officers: subject at sign-in, and name."""

    subject: str
    name: str
    demo: bool = False  # An invented person, though the province may be a real one.


async def build_first_organisation(
    context: CommandContext,
    *,
    name: str,
    division: str,
    first_officers: Sequence[FirstOfficer],
    source: str = "",
    demo: bool = False,
) -> Organisation:
    """The province as it would be registered."""
    if (
        len(first_officers) != FIRST_OFFICERS
        or len({comparison_form(officer.subject) for officer in first_officers}) != FIRST_OFFICERS
    ):
        raise Malformed(
            "firstOfficers",
            "The registry begins with two officers, who sign in under different names.",
            "系统初始化须有两名登录名不同的工作人员。",
        )
    return await build_organisation(
        context,
        kind=OrganisationKind.PROVINCE,
        name=name,
        division=division,
        source=source,
        demo=demo,
    )


async def appoint_first_officers(
    context: CommandContext, province: Organisation, first_officers: Sequence[FirstOfficer]
) -> None:
    """Register the two and put them in force; each proposed their own, and both have signed.

    The province must be saved.
    """
    people = [_build_person(context, province, officer) for officer in first_officers]
    for person in people:
        await save(person)
    for person in people:
        await save(_build_appointment(context, province, person, people))


def _build_person(context: CommandContext, province: Organisation, officer: FirstOfficer) -> Person:
    return Person(
        id=uuid4(),
        subject=check_text(officer.subject, "firstOfficers", max_length=NAME_MAX, multiline=False),
        name=check_text(officer.name, "firstOfficers", max_length=PERSON_NAME_MAX, multiline=False),
        organisation_id=province.id,
        side=side_of(province.kind).value,
        appointed_externally=True,
        demo=province.demo or officer.demo,
        changed_at=context.now,
    )


def _build_appointment(
    context: CommandContext, province: Organisation, person: Person, signatories: Sequence[Person]
) -> Appointment:
    return Appointment(
        id=uuid4(),
        person_id=person.id,
        side=person.side,
        organisation_id=province.id,
        role=role_of(province.kind),
        division=province.division,
        may_initiate=True,
        may_approve=True,
        valid_from=context.now,
        appointed_externally=True,
        state=AppointmentState.IN_FORCE.value,
        submitted_by=person.id,
        submitting_organisation=province.id,
        signatories=[one.id for one in signatories],
        demo=person.demo,
        changed_at=context.now,
    )
