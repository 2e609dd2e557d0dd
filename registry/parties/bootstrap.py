"""How an empty registry begins: the province and the two officers who appoint all others."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from registry.commands.command import Work
from registry.db.session import save
from registry.kernel.errors import Malformed
from registry.kernel.identifiers import check_text
from registry.parties.organisations import new_organisation
from registry.parties.records import Appointment, Organisation, Person
from registry.parties.rules import (
    NAME_MAX,
    PERSON_NAME_MAX,
    AppointmentState,
    OrganisationKind,
    role_of,
    side_of,
)

FOUNDERS = 2


@dataclass(frozen=True, slots=True)
class Founder:
    """One of the first two officers: his name at sign-in, and his own.

    Attributes:
        demo: an invented person, though the province may be a real one.

    """

    subject: str
    name: str
    demo: bool = False


async def first_organisation(
    work: Work,
    *,
    name: str,
    division: str,
    founders: Sequence[Founder],
    source: str = "",
    demo: bool = False,
) -> Organisation:
    """The province as it would be registered.

    Raises:
        Malformed: not two different founders, or see ``new_organisation``.

    """
    if (
        len(founders) != FOUNDERS
        or len({founder.subject.strip() for founder in founders}) != FOUNDERS
    ):
        raise Malformed(
            "founders",
            "The registry begins with two officers, who sign in under different names.",
            "系统初始化须有两名登录名不同的工作人员。",
        )
    province = await new_organisation(
        work,
        kind=OrganisationKind.PROVINCE.value,
        name=name,
        division=division,
        source=source,
        demo=demo,
    )
    province.beginning = not await Organisation.exists()
    return province


async def appoint_founders(work: Work, province: Organisation, founders: Sequence[Founder]) -> None:
    """Register the two and put them in force; each proposed himself, and both have signed.

    The province must be saved.
    """
    people = [_person(work, province, founder) for founder in founders]
    for person in people:
        await save(person)
    for person in people:
        await save(_appointment(work, province, person, people))


def _person(work: Work, province: Organisation, founder: Founder) -> Person:
    return Person(
        id=uuid4(),
        subject=check_text(founder.subject, "founders", most=NAME_MAX, lines=False),
        name=check_text(founder.name, "founders", most=PERSON_NAME_MAX, lines=False),
        organisation_id=province.id,
        side=side_of(province.kind).value,
        from_outside=True,
        demo=province.demo or founder.demo,
        changed_at=work.now,
    )


def _appointment(
    work: Work, province: Organisation, person: Person, signed: Sequence[Person]
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
        valid_from=work.now,
        from_outside=True,
        state=AppointmentState.IN_FORCE.value,
        submitted_by=person.id,
        submitted_body=province.id,
        acted=[one.id for one in signed],
        demo=person.demo,
        changed_at=work.now,
    )
