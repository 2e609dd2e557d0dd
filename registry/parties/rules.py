"""Kinds and sides of organisations, and the lives of records. Pure: no database, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from policies.vocabulary import Vocabulary
from registry.kernel.errors import Malformed

WordT = TypeVar("WordT", bound=StrEnum)

NAME_MAX = 200
"""Most characters of the name of an organisation or of a subject."""

INDUSTRY_MAX = 4
"""Characters of the code of an industry."""

PERSON_NAME_MAX = 100
"""Most characters of a person's name."""

CLIENT_NAME_MAX = 63
"""Most characters of the name of a client."""

SCOPES_MAX = 200
"""Most scopes of a client."""
MAX_PERSISTED_QUERIES = 500
"""Most registered documents of a client that are not retired."""
MAX_PERSISTED_QUERY_BYTES = 32_768
"""Most bytes of a registered document."""


class OrganisationKind(StrEnum):
    """Kind of an organisation; it decides the role of its people, if there is one."""

    PROVINCE = "province"
    CENTRE = "centre"
    CITY = "city"
    COUNTY = "county"
    GOVERNMENT = "government"
    ENTERPRISE = "enterprise"
    BANK = "bank"
    VERIFIER = "verifier"
    AUDITOR = "auditor"
    PORTAL = "portal"
    APPROVAL_BUREAU = "approval_bureau"
    PRICE_AUTHORITY = "price_authority"
    TAX_BUREAU = "tax_bureau"


class Side(StrEnum):
    """Side of the market; no organisation is on two sides."""

    OFFICIAL = "official"
    PARTICIPANT = "participant"
    OVERSIGHT = "oversight"


class SourceCategory(StrEnum):
    """Kind of an emission source."""

    INDUSTRIAL = "industrial"
    AGRICULTURAL = "agricultural"
    CENTRAL_TREATMENT = "central_treatment"
    OTHER = "other"


class SanctionKind(StrEnum):
    """The measures that bar a buyer from the market."""

    LISTED_SUPERVISION = "listed_supervision"
    ORDERED_TO_CORRECT = "ordered_to_correct"
    PENALTY_PERIOD = "penalty_period"


class OrganisationState(StrEnum):
    """Whether a body takes part."""

    OPEN = "open"
    CLOSED = "closed"


class OrganisationStep(StrEnum):
    """Steps of an organisation."""

    CLOSE = "close"


class AppointmentState(StrEnum):
    """State of an appointment; its dates are compared with the clock apart."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    ENDED = "ended"


class AppointmentStep(StrEnum):
    """Steps of an appointment."""

    COUNTERSIGN = "countersign"
    END = "end"


class SanctionState(StrEnum):
    """Whether a sanction still counts; its dates are judged apart, from the clock."""

    IN_FORCE = "in_force"
    LIFTED = "lifted"


class SanctionStep(StrEnum):
    """Steps of a sanction."""

    LIFT = "lift"


class ClientState(StrEnum):
    """State of a client."""

    OPEN = "open"
    REVOKED = "revoked"


class ClientStep(StrEnum):
    """Steps of a client."""

    REVOKE = "revoke"


ORGANISATION_TRANSITIONS: Mapping[tuple[OrganisationState, OrganisationStep], OrganisationState] = {
    (OrganisationState.OPEN, OrganisationStep.CLOSE): OrganisationState.CLOSED,
}
APPOINTMENT_TRANSITIONS: Mapping[tuple[AppointmentState, AppointmentStep], AppointmentState] = {
    (AppointmentState.PROPOSED, AppointmentStep.COUNTERSIGN): AppointmentState.IN_FORCE,
    (AppointmentState.PROPOSED, AppointmentStep.END): AppointmentState.ENDED,
    (AppointmentState.IN_FORCE, AppointmentStep.END): AppointmentState.ENDED,
}
SANCTION_TRANSITIONS: Mapping[tuple[SanctionState, SanctionStep], SanctionState] = {
    (SanctionState.IN_FORCE, SanctionStep.LIFT): SanctionState.LIFTED,
}
CLIENT_TRANSITIONS: Mapping[tuple[ClientState, ClientStep], ClientState] = {
    (ClientState.OPEN, ClientStep.REVOKE): ClientState.REVOKED,
}

OFFICES = frozenset({"approval_bureau", "price_authority", "tax_bureau"})
"""Kinds of office without a role in the rule book: no person acts for them here."""

AUTHORITIES = frozenset({"province", "centre", "city", "county"}) | OFFICES
"""The kinds of body that only the province registers."""

_LEVELS: Mapping[OrganisationKind, str] = {
    OrganisationKind.PROVINCE: "province",
    OrganisationKind.CENTRE: "province",
    OrganisationKind.CITY: "city",
    OrganisationKind.COUNTY: "county",
}


def side_of(kind: str) -> Side:
    """The side on which organisations of a kind, and all their people, stand."""
    if kind in AUTHORITIES:
        return Side.OFFICIAL
    return Side.OVERSIGHT if kind == OrganisationKind.AUDITOR else Side.PARTICIPANT


def role_of(kind: str) -> str:
    """The one role in which people may act for organisations of a kind; empty where none may."""
    return "" if kind in OFFICES else OrganisationKind(kind).value


def level_of(kind: str) -> str | None:
    """The level of division a kind of organisation is registered in; None where any will do."""
    return _LEVELS.get(OrganisationKind(kind))


@dataclass(frozen=True, slots=True)
class AppointmentPowers:
    """Powers of a person from one appointment in force."""

    person: UUID
    may_initiate: bool
    may_approve: bool


def can_appoint_internally(appointments: Iterable[AppointmentPowers]) -> bool:
    """Whether one can propose and another countersign, without an officer from outside."""
    acting = list(appointments)
    initiators = {a.person for a in acting if a.may_initiate}
    approvers = {a.person for a in acting if a.may_approve}
    return bool(initiators) and bool(approvers) and len(initiators | approvers) > 1


def check_word(text: str, words: type[WordT], field: str) -> WordT:
    """The member of a closed list that ``text`` names.

    Raises:
        Malformed: the list has no such word.

    """
    try:
        return words(text)
    except ValueError:
        listed = ", ".join(words)
        raise Malformed(
            field, f"{field} is one of: {listed}.", f"{field}取值须为:{listed}。"
        ) from None


def check_scopes(scopes: Iterable[str], vocabulary: Vocabulary, field: str) -> tuple[str, ...]:
    """The scopes in order, each once: ``Kind:verb`` words of the rule book.

    Raises:
        Malformed: a word the rule book does not know, or more than ``SCOPES_MAX``.

    """
    wanted = tuple(sorted(set(scopes)))
    if len(wanted) > SCOPES_MAX:
        raise Malformed(
            field, f"A client has at most {SCOPES_MAX} scopes.", f"授权范围最多{SCOPES_MAX}项。"
        )
    for scope in wanted:
        kind, _, verb = scope.partition(":")
        if vocabulary.verb(kind, verb) is None:
            raise Malformed(field, f"There is no scope {scope!r}.", f"不存在授权范围“{scope}”。")
    return wanted
