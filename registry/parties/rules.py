"""Kinds and sides of organisations, and the lives of records. Pure: no database, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeVar
from uuid import UUID

from policies.vocabulary import Vocabulary
from registry.kernel.errors import Malformed
from registry.kernel.parameters import Parameter
from registry.kernel.words import DescribedEnum

WordT = TypeVar("WordT", bound=StrEnum)

PersistedQueriesOnly = Annotated[
    bool, Parameter("Whether it may send its persisted queries only 是否仅用预登记请求.")
]

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


class OrganisationKind(DescribedEnum):
    """The kind of an organisation, and with it the role of its people 单位类别."""

    PROVINCE = "province", "Provincial ecology department", "省生态环境厅"
    CENTRE = "centre", "Trading service centre", "省污染物排放权交易服务中心"
    CITY = "city", "City ecology bureau", "市生态环境局"
    COUNTY = "county", "County ecology branch", "县（市、区）生态环境分局"
    GOVERNMENT = "government", "Local government", "地方人民政府"
    ENTERPRISE = "enterprise", "Enterprise", "企业"
    BANK = "bank", "Bank", "银行"
    VERIFIER = "verifier", "Verifier", "核查机构"
    AUDITOR = "auditor", "Auditor", "审计机构"
    PORTAL = "portal", "Partner portal", "合作平台"
    APPROVAL_BUREAU = "approval_bureau", "Administrative approval bureau", "行政审批局"
    PRICE_AUTHORITY = "price_authority", "Price authority", "价格主管部门"
    TAX_BUREAU = "tax_bureau", "Tax bureau", "税务局"


class Side(StrEnum):
    """Side of the market; no organisation is on two sides."""

    OFFICIAL = "official"
    PARTICIPANT = "participant"
    OVERSIGHT = "oversight"


class SourceCategory(DescribedEnum):
    """The category of an emission source 污染源类别."""

    INDUSTRIAL = "industrial", "Industrial source", "工业源"
    AGRICULTURAL = "agricultural", "Agricultural source", "农业源"
    CENTRAL_TREATMENT = "central_treatment", "Centralised treatment facility", "集中式污染治理设施"
    OTHER = "other", "Other source", "其他"


class SanctionKind(DescribedEnum):
    """The kind of a sanction 限制交易情形类别."""

    LISTED_SUPERVISION = "listed_supervision", "Listed supervision", "挂牌督办"
    ORDERED_TO_CORRECT = "ordered_to_correct", "Ordered to correct", "责令改正"
    PENALTY_PERIOD = "penalty_period", "Penalty period", "行政处罚期间"


class OrganisationState(DescribedEnum):
    """The state of an organisation 单位状态."""

    OPEN = "open", "Takes part", "正常"
    CLOSED = "closed", "Closed", "已注销"


class AppointmentState(DescribedEnum):
    """The state of an appointment; past its end it has ended 岗位授权状态."""

    PROPOSED = "proposed", "Awaits the countersignature", "待复核"
    IN_FORCE = "in_force", "In force", "有效"
    ENDED = "ended", "Ended", "已终止"


class SanctionState(DescribedEnum):
    """The state of a sanction as of now; expiry is never stored 限制交易状态."""

    IN_FORCE = "in_force", "In force", "有效"
    LIFTED = "lifted", "Lifted", "已解除"
    EXPIRED = "expired", "Past its end", "已到期"


class ClientState(DescribedEnum):
    """The state of a client 接入应用状态."""

    OPEN = "open", "May send requests", "正常"
    REVOKED = "revoked", "Revoked", "已撤销"


ORGANISATION_TRANSITIONS = {(OrganisationState.OPEN, "close"): OrganisationState.CLOSED}
APPOINTMENT_TRANSITIONS = {
    (AppointmentState.PROPOSED, "countersign"): AppointmentState.IN_FORCE,
    (AppointmentState.PROPOSED, "end"): AppointmentState.ENDED,
    (AppointmentState.IN_FORCE, "end"): AppointmentState.ENDED,
}
SANCTION_TRANSITIONS = {(SanctionState.IN_FORCE, "lift"): SanctionState.LIFTED}
CLIENT_TRANSITIONS = {(ClientState.OPEN, "revoke"): ClientState.REVOKED}

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
    """The member of a closed list that ``text`` names."""
    try:
        return words(text)
    except ValueError:
        listed = ", ".join(words)
        raise Malformed(
            field, f"{field} is one of: {listed}.", f"{field}取值须为：{listed}。"
        ) from None


def check_scopes(scopes: Iterable[str], vocabulary: Vocabulary, field: str) -> tuple[str, ...]:
    """The scopes in order, each once: ``Kind:verb`` words of the rule book."""
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
