"""The verbs of parties: registering, appointing, sanctioning, letting programs in."""

from collections.abc import Sequence
from typing import Unpack

from registry.commands.command import Work, operation
from registry.db.session import save
from registry.kernel.errors import Condition
from registry.kernel.identifiers import check_text
from registry.kernel.state_machine import advance
from registry.parties import constraint_errors
from registry.parties.appointments import (
    Terms,
    new_appointment,
    new_person,
    on_one_side,
    period_is_ahead,
    province_stays_able,
)
from registry.parties.bootstrap import Founder, appoint_founders, first_organisation
from registry.parties.closing_checks import open_obligations
from registry.parties.facts import APPOINTMENT, CLIENT, ORGANISATION, PERSON, SANCTION
from registry.parties.organisations import (
    Changes,
    Particulars,
    changed_by_whom_it_may,
    checked,
    new_organisation,
    organisation_is_open,
)
from registry.parties.records import Appointment, Client, Organisation, Person, Sanction
from registry.parties.rules import (
    APPOINTMENT_LIFE,
    CLIENT_LIFE,
    ORGANISATION_LIFE,
    REASON_MAX,
    SANCTION_LIFE,
    AppointmentState,
    AppointmentStep,
    ClientState,
    ClientStep,
    OrganisationState,
    OrganisationStep,
    SanctionState,
    SanctionStep,
)
from registry.parties.sanctions import (
    Measure,
    against_a_party,
    let_in_by_whom_it_may,
    new_client,
    new_sanction,
)

constraint_errors.register()


@operation(ORGANISATION, "bootstrap", propose=first_organisation)
async def bootstrap(
    work: Work, province: Organisation, /, *, founders: Sequence[Founder], **_: object
) -> Organisation:
    """Begin: register the province with its first two officers, who may do everything, in one act.

    Raises:
        Malformed: not two founders, a bad name, or a division that is no province.
        Forbidden: there are organisations already.

    """
    await save(province)
    await appoint_founders(work, province, founders)
    return province


@operation(ORGANISATION, "register", propose=new_organisation)
async def register_organisation(
    _work: Work, organisation: Organisation, **_particulars: Unpack[Particulars]
) -> Organisation:
    """Register a body of any kind, in the city and county its division belongs to today.

    Raises:
        Malformed: a wrong check digit, an unknown division, kind, industry or category, a division
            of the wrong level, a bad text or figure.
        Duplicate: an open body has the name; any body the credit code; there is a province, centre
            or bureau of the division already.

    Rule: GB 32100-2015 (credit code), GB/T 2260 (divisions).

    """
    return organisation


@operation(ORGANISATION, "change", weigh=(changed_by_whom_it_may,))
async def change_organisation(
    _work: Work, organisation: Organisation, **changes: Unpack[Changes]
) -> Organisation:
    """Change the particulars that are given; kind and division never change.

    Raises:
        Malformed: see ``register_organisation``.
        Duplicate: likewise.
        ConditionsUnmet: it changes of itself what its rights depend on.

    """
    organisation.update_from_dict(checked(changes))
    return organisation


async def _free_of_obligations(
    work: Work, organisation: Organisation, **_: object
) -> list[Condition]:
    return await open_obligations(organisation.id, work.now)


@operation(ORGANISATION, "close", weigh=(_free_of_obligations,))
async def close_organisation(_work: Work, organisation: Organisation) -> Organisation:
    """Close a body that neither holds nor owes anything any more.

    Raises:
        ConditionsUnmet: it has appointments, client programs, or what a concept adds to
            ``obligations``; names each.

    """
    state = OrganisationState(organisation.state)
    organisation.state = advance(ORGANISATION_LIFE, state, OrganisationStep.CLOSE).value
    return organisation


@operation(PERSON, "register", propose=new_person, weigh=(organisation_is_open,))
async def register_person(_work: Work, person: Person, /, **_: object) -> Person:
    """Register a person of an organisation under the name that sign-in gives him.

    Raises:
        NotFound: no such organisation.
        Malformed: a subject of less than 3 or more than 200 characters, or a bad name.
        Duplicate: the subject is registered already.
        ConditionsUnmet: the organisation is closed.

    """
    return person


@operation(
    APPOINTMENT, "appoint", propose=new_appointment, weigh=(organisation_is_open, on_one_side)
)
async def appoint(_work: Work, appointment: Appointment, **_terms: Unpack[Terms]) -> Appointment:
    """Propose that a person acts for an organisation; a second officer must countersign it.

    Raises:
        NotFound: no such organisation, or no such person for this viewer.
        Malformed: a role of another kind of organisation, a division outside the organisation's, a
            bad period, or no right at all.
        Duplicate: the same appointment is proposed or in force already.
        ConditionsUnmet: the organisation is closed, or the person stands on the other side.

    """
    return appointment


@operation(APPOINTMENT, "countersign", weigh=(organisation_is_open, on_one_side, period_is_ahead))
async def countersign_appointment(work: Work, appointment: Appointment) -> Appointment:
    """Put a proposed appointment in force, from now or from its later beginning.

    Raises:
        Forbidden: whoever proposed it or signed before does not sign again.
        ConditionsUnmet: see ``appoint``; or its period has passed.

    """
    state = AppointmentState(appointment.state)
    appointment.state = advance(APPOINTMENT_LIFE, state, AppointmentStep.COUNTERSIGN).value
    appointment.valid_from = max(appointment.valid_from, work.now)
    return appointment


@operation(APPOINTMENT, "end", weigh=(province_stays_able,))
async def end_appointment(work: Work, appointment: Appointment) -> Appointment:
    """End an appointment or drop its proposal; at once, and whatever its dates say.

    Raises:
        ConditionsUnmet: the province would be left without two people who can appoint others.

    """
    state = AppointmentState(appointment.state)
    appointment.state = advance(APPOINTMENT_LIFE, state, AppointmentStep.END).value
    appointment.ended_at = work.now
    return appointment


@operation(SANCTION, "impose", propose=new_sanction, weigh=(organisation_is_open, against_a_party))
async def impose_sanction(_work: Work, sanction: Sanction, **_measure: Unpack[Measure]) -> Sanction:
    """Bar an organisation from new business.

    It waits for commands of the organisation that are under way; those that come later find it.

    Raises:
        NotFound: no such organisation.
        Malformed: an unknown kind, a bad text or period.
        ConditionsUnmet: the organisation is closed, or does not trade.

    """
    return sanction


@operation(SANCTION, "lift")
async def lift_sanction(work: Work, sanction: Sanction, *, reason: str) -> Sanction:
    """End a sanction before its time, with the reason in 1 to 2000 characters.

    Raises:
        Malformed: a bad reason.

    """
    sanction.state = advance(SANCTION_LIFE, SanctionState(sanction.state), SanctionStep.LIFT).value
    sanction.lifted_at = work.now
    sanction.lifted_reason = check_text(reason, "reason", most=REASON_MAX)
    return sanction


@operation(
    CLIENT, "register", propose=new_client, weigh=(organisation_is_open, let_in_by_whom_it_may)
)
async def register_client(_work: Work, client: Client, /, **_: object) -> Client:
    """Let a program in, with the scopes it may use for whoever signs in to it.

    Raises:
        NotFound: no such organisation.
        Malformed: a scope that the rule book does not know, or a bad name.
        Duplicate: the name is taken.
        ConditionsUnmet: the organisation is closed; a scope that who grants it can never use; a
            program of the house that the operator does not register.

    """
    return client


@operation(CLIENT, "revoke")
async def revoke_client(_work: Work, client: Client) -> Client:
    """Shut a program out; whatever it still sends is refused."""
    client.state = advance(CLIENT_LIFE, ClientState(client.state), ClientStep.REVOKE).value
    return client
