"""Sanctions and client programs as they are proposed, and what is weighed before they count."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NotRequired, TypedDict, Unpack
from uuid import UUID, uuid4

from policies.vocabulary import VOCABULARY, Text
from registry.access.authorizer import authorizer
from registry.commands.operation import CommandContext
from registry.db.session import fetch_all, fetch_one
from registry.kernel.errors import Condition, Malformed, NotFound, make_requirement
from registry.kernel.identifiers import REASON_LENGTH_MAX, SOURCE_LENGTH_MAX, check_text
from registry.kernel.legal_bases import TRADING_MEASURES
from registry.kernel.parameters import Demo, Parameter, Reason
from registry.parties.organisations import get_organisation
from registry.parties.records import Client, Sanction
from registry.parties.rules import (
    CLIENT_NAME_MAX,
    ClientState,
    OrganisationKind,
    PersistedQueriesOnly,
    SanctionKind,
    SanctionState,
    Side,
    check_scopes,
    check_word,
    role_of,
    side_of,
)

OPERATOR_ROLE = "operator"

_PLACE_OF_ORGANISATION = "SELECT id, city, county FROM organisation WHERE id = $1"

# The lock makes two officers who each close a different client wait for one another.
_LOCK_UNRESTRICTED_CLIENTS = """
    SELECT id FROM client
    WHERE first_party AND state = 'open' AND NOT persisted_queries_only ORDER BY id FOR SHARE
"""


class SanctionTerms(TypedDict):
    """The terms of a sanction: organisation, kind, reason, duration."""

    organisation: Annotated[UUID, Parameter("Whom it bars 被限制单位.", refers="Organisation")]
    kind: Annotated[SanctionKind, Parameter("Which measure 限制交易情形类别.")]
    reason: Reason
    source: Annotated[str, Parameter("The decision it rests on, 1 to 500 characters 决定文书.")]
    starts_at: Annotated[
        NotRequired[datetime | None], Parameter("From when; at once by default 起始时间.")
    ]
    ends_at: Annotated[
        NotRequired[datetime | None], Parameter("Until when; until lifted by default 截止时间.")
    ]
    demo: NotRequired[Demo]


async def build_sanction(context: CommandContext, **measure: Unpack[SanctionTerms]) -> Sanction:
    """The sanction as it would be."""
    barred = await fetch_one(_PLACE_OF_ORGANISATION, measure["organisation"])
    if barred is None:
        raise NotFound("organisation")
    ends_at = measure.get("ends_at")
    if ends_at is not None and ends_at <= context.now:
        raise Malformed("endsAt", "The end lies in the future.", "截止时间须晚于当前时间。")
    return Sanction(
        id=uuid4(),
        organisation_id=barred["id"],
        city=barred["city"],
        county=barred["county"],
        kind=check_word(measure["kind"], SanctionKind, "kind").value,
        reason=check_text(measure["reason"], "reason", max_length=REASON_LENGTH_MAX),
        source=check_text(measure["source"], "source", max_length=SOURCE_LENGTH_MAX),
        starts_at=measure.get("starts_at") or context.now,
        ends_at=ends_at,
        state=SanctionState.IN_FORCE.value,
        submitted_by=context.viewer.person,
        submitting_organisation=context.viewer.organisation,
        demo=measure.get("demo", False),
        changed_at=context.now,
    )


async def check_market_party(
    _context: CommandContext, sanction: Sanction, **_: object
) -> list[Condition]:
    """Sanctions bar traders; an authority does not trade."""
    body = await get_organisation(sanction.organisation_id)
    return [
        make_requirement(
            name="market_party",
            met=side_of(body.kind) == Side.PARTICIPANT,
            unmet=Text(f"{body.name} does not trade.", f"{body.name}不是市场主体。"),
            legal_basis=TRADING_MEASURES,
        )
    ]


async def build_client(  # noqa: PLR0913 - what is said of a program
    context: CommandContext,
    *,
    organisation: Annotated[UUID, Parameter("Whose it is 所属单位.", refers="Organisation")],
    name: Annotated[str, Parameter("Small letters, digits, hyphens 应用名称.")],
    scopes: Annotated[Sequence[str], Parameter("Kind:verb words of the rule book 授权范围.")],
    first_party: Annotated[bool, Parameter(is_offered=False)] = False,
    persisted_queries_only: PersistedQueriesOnly = False,
    demo: Demo = False,
) -> Client:
    """The client to be registered."""
    body = await get_organisation(organisation)
    return Client(
        id=uuid4(),
        name=check_text(name, "name", max_length=CLIENT_NAME_MAX, multiline=False),
        organisation_id=body.id,
        first_party=first_party,
        scopes=list(check_scopes(scopes, VOCABULARY, "scopes")),
        persisted_queries_only=persisted_queries_only,
        state=ClientState.OPEN.value,
        demo=demo,
        changed_at=context.now,
    )


async def check_client_registrar(
    context: CommandContext, client: Client, **_: object
) -> list[Condition]:
    """The operator registers first-party clients, and only those; a role uses each scope.

    The registrar needs no scope of the client: a scope gives no right, it bounds the client's acts
    for a person who has the right.
    """
    of_no_use = [scope for scope in client.scopes if not _is_of_use(scope)]
    return [
        Condition(
            name="first_party_by_operator",
            met=client.first_party == (context.viewer.role == OPERATOR_ROLE),
            message=Text(
                "The operator registers first-party clients, and only those.",
                "本系统应用仅由系统运维登记，且系统运维只登记本系统应用。",
            ),
        ),
        Condition(
            name="scopes_of_use",
            met=not of_no_use,
            message=Text(
                f"No officer or client may ever do this: {', '.join(of_no_use)}.",
                f"任何人员或应用均无此项权限：{'、'.join(of_no_use)}。",
            )
            if of_no_use
            else Text("Each scope is of use.", "各项授权范围均可使用。"),
        ),
    ]


async def check_officers_keep_client(
    _context: CommandContext, client: Client, *, persisted_queries_only: bool = True
) -> list[Condition]:
    """Officers keep a first-party client that sends any document: only with one can they undo it.

    Asked of a client that is revoked, or restricted to its persisted queries or released.
    """
    unrestricted = {found["id"] for found in await fetch_all(_LOCK_UNRESTRICTED_CLIENTS)}
    return [
        make_requirement(
            name="officers_keep_client",
            met=not persisted_queries_only or unrestricted != {client.id},
            unmet=Text(
                "It is the last client through which officers act without restriction; the operator"
                " registers another first (`biandan register-client`).",
                "该应用是工作人员不受限制使用的最后一个应用，须先由系统运维登记另一应用。",
            ),
        )
    ]


def _is_of_use(scope: str) -> bool:
    kind, _, verb = scope.partition(":")
    roles = {role_of(organisation_kind) for organisation_kind in OrganisationKind} - {""}
    return any(authorizer.edition.condition(role, kind, verb) for role in sorted(roles))
