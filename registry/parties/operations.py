"""The verbs of parties: registering, appointing, sanctioning, letting programs in."""

from collections.abc import Sequence
from typing import Unpack

from registry.commands.operation import CommandContext, operation
from registry.db.session import save
from registry.kernel.errors import Condition
from registry.kernel.identifiers import REASON_LENGTH_MAX, check_text
from registry.kernel.parameters import Reason
from registry.kernel.state_machine import advance
from registry.parties.appointments import (
    AppointmentTerms,
    build_appointment,
    build_person,
    check_period_not_over,
    check_province_keeps_officers,
    check_single_side,
)
from registry.parties.bootstrap import (
    FirstOfficer,
    appoint_first_officers,
    build_first_organisation,
)
from registry.parties.closing_checks import evaluate_closing_checks
from registry.parties.facts import APPOINTMENT, CLIENT, ORGANISATION, PERSON, SANCTION
from registry.parties.organisations import (
    OrganisationChanges,
    OrganisationDetails,
    build_organisation,
    check_changer,
    check_organisation_open,
    normalise_details,
)
from registry.parties.records import Appointment, Client, Organisation, Person, Sanction
from registry.parties.rules import (
    APPOINTMENT_TRANSITIONS,
    CLIENT_TRANSITIONS,
    ORGANISATION_TRANSITIONS,
    SANCTION_TRANSITIONS,
)
from registry.parties.sanctions import (
    SanctionTerms,
    build_client,
    build_sanction,
    check_client_registrar,
    check_market_party,
    check_officers_keep_client,
)


@operation(ORGANISATION, "bootstrap", build=build_first_organisation)
async def bootstrap(
    context: CommandContext,
    province: Organisation,
    /,
    *,
    first_officers: Sequence[FirstOfficer],
    **_: object,
) -> Organisation:
    """Begin: register the province with its first two officers, who may do everything."""
    await save(province)
    await appoint_first_officers(context, province, first_officers)
    return province


@operation(ORGANISATION, "register", build=build_organisation)
async def register_organisation(
    _context: CommandContext,
    organisation: Organisation,
    **_particulars: Unpack[OrganisationDetails],
) -> Organisation:
    """Register a body in the city and county of its division.

    Raises:
        Duplicate: an open body has the name; any body the credit code; there is a province, centre
            or bureau of the division already.

    Rule: GB 32100-2015 (credit code), GB/T 2260 (divisions).

    """
    return organisation


@operation(ORGANISATION, "change", preconditions=(check_changer,), exclusive=True, null_clears=True)
async def change_organisation(
    _context: CommandContext, organisation: Organisation, **changes: Unpack[OrganisationChanges]
) -> Organisation:
    """Change what is given and empty what is null."""
    organisation.update_from_dict(normalise_details(changes))
    return organisation


async def _run_closing_checks(
    context: CommandContext, organisation: Organisation, **_: object
) -> list[Condition]:
    return await evaluate_closing_checks(organisation.id, context.now)


@operation(ORGANISATION, "close", preconditions=(_run_closing_checks,), exclusive=True)
async def close_organisation(_context: CommandContext, organisation: Organisation) -> Organisation:
    """Close an organisation that neither holds nor owes anything.

    Raises:
        ConditionsUnmet: a closing check of a concept fails; names each.

    """
    advance(organisation, ORGANISATION_TRANSITIONS, "close")
    return organisation


@operation(PERSON, "register", build=build_person, preconditions=(check_organisation_open,))
async def register_person(_context: CommandContext, person: Person, /, **_: object) -> Person:
    """Register a person under their subject at sign-in.

    Raises:
        Duplicate: the subject is registered already.
        ConditionsUnmet: the organisation is closed.

    """
    return person


@operation(
    APPOINTMENT,
    "appoint",
    build=build_appointment,
    preconditions=(check_organisation_open, check_single_side),
)
async def appoint(
    _context: CommandContext, appointment: Appointment, **_terms: Unpack[AppointmentTerms]
) -> Appointment:
    """Propose an appointment, which a second officer countersigns.

    Raises:
        Duplicate: the same appointment is proposed or in force already.
        ConditionsUnmet: the organisation is closed, or the person is on the other side.

    """
    return appointment


@operation(
    APPOINTMENT,
    "countersign",
    preconditions=(check_organisation_open, check_single_side, check_period_not_over),
)
async def countersign_appointment(context: CommandContext, appointment: Appointment) -> Appointment:
    """Put a proposed appointment in force when it begins.

    Raises:
        ConditionsUnmet: see ``appoint``; or its period has passed.

    """
    advance(appointment, APPOINTMENT_TRANSITIONS, "countersign")
    appointment.valid_from = max(appointment.valid_from, context.now)
    return appointment


@operation(APPOINTMENT, "end", preconditions=(check_province_keeps_officers,), exclusive=True)
async def end_appointment(context: CommandContext, appointment: Appointment) -> Appointment:
    """End an appointment at once, or drop its proposal.

    Raises:
        ConditionsUnmet: the province would be left without two people who can appoint others.

    """
    advance(appointment, APPOINTMENT_TRANSITIONS, "end")
    appointment.ended_at = context.now
    return appointment


@operation(
    SANCTION,
    "impose",
    build=build_sanction,
    preconditions=(check_organisation_open, check_market_party),
    exclusive=True,
)
async def impose_sanction(
    _context: CommandContext, sanction: Sanction, **_measure: Unpack[SanctionTerms]
) -> Sanction:
    """Bar an organisation from new business.

    It waits for commands of the organisation that are under way; those that come later find it.

    Raises:
        ConditionsUnmet: the organisation is closed, or does not trade.

    """
    return sanction


@operation(SANCTION, "lift")
async def lift_sanction(context: CommandContext, sanction: Sanction, *, reason: Reason) -> Sanction:
    """End a sanction before its time, with a reason."""
    advance(sanction, SANCTION_TRANSITIONS, "lift")
    sanction.lifted_at = context.now
    sanction.lifted_reason = check_text(reason, "reason", max_length=REASON_LENGTH_MAX)
    return sanction


@operation(
    CLIENT,
    "register",
    build=build_client,
    preconditions=(check_organisation_open, check_client_registrar),
)
async def register_client(_context: CommandContext, client: Client, /, **_: object) -> Client:
    """Register a client, with the scopes it may use for its users.

    Raises:
        Duplicate: the name is taken.
        ConditionsUnmet: the organisation is closed; a scope that is of use to no role; a
            first-party client that the operator does not register.

    """
    return client


@operation(CLIENT, "revoke", preconditions=(check_officers_keep_client,))
async def revoke_client(_context: CommandContext, client: Client) -> Client:
    """Close a client; every later request of it is refused.

    Raises:
        ConditionsUnmet: it is the last client through which officers act without restriction.

    """
    advance(client, CLIENT_TRANSITIONS, "revoke")
    return client
