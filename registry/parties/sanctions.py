"""Sanctions and client programs as they are proposed, and what is weighed before they count."""

from datetime import datetime
from typing import NotRequired, TypedDict, Unpack
from uuid import UUID, uuid4

from policies.vocabulary import VOCABULARY, Text
from registry.access.authorizer import gate
from registry.commands.command import Work
from registry.db.session import row
from registry.kernel.errors import Condition, Malformed, NotFound, required
from registry.kernel.identifiers import check_text
from registry.parties.organisations import known_organisation
from registry.parties.records import Client, Sanction
from registry.parties.rules import (
    CLIENT_NAME_MAX,
    REASON_MAX,
    SOURCE_MAX,
    ClientState,
    SanctionKind,
    SanctionState,
    Side,
    check_scopes,
    check_word,
    side_of,
)

OPERATOR = "operator"

# Whoever acts for the organisation holds it FOR SHARE: he waits for the sanction, or it for him.
_BARRED = "SELECT id, city, county FROM organisation WHERE id = $1 FOR UPDATE"


class Measure(TypedDict):
    """What is imposed on whom, why and how long.

    Attributes:
        kind: a word of ``SanctionKind``.
        reason: 1 to 2000 characters.
        source: the decision it rests on, 1 to 500 characters.
        starts_at: from which moment; None for at once.
        ends_at: up to which moment; None until it is lifted.
        demo: demonstration data.

    """

    organisation: UUID
    kind: str
    reason: str
    source: str
    starts_at: NotRequired[datetime | None]
    ends_at: NotRequired[datetime | None]
    demo: NotRequired[bool]


async def new_sanction(work: Work, **measure: Unpack[Measure]) -> Sanction:
    """The sanction as it would be. Locks the organisation against business that is under way.

    Raises:
        NotFound: no such organisation.
        Malformed: an unknown kind, a bad text, an end that is not in the future.

    """
    barred = await row(_BARRED, measure["organisation"])
    if barred is None:
        raise NotFound("organisation")
    ends_at = measure.get("ends_at")
    if ends_at is not None and ends_at <= work.now:
        raise Malformed("endsAt", "The end lies in the future.", "截止时间须晚于当前时间。")
    return Sanction(
        id=uuid4(),
        organisation_id=barred["id"],
        city=barred["city"],
        county=barred["county"],
        kind=check_word(measure["kind"], SanctionKind, "kind").value,
        reason=check_text(measure["reason"], "reason", most=REASON_MAX),
        source=check_text(measure["source"], "source", most=SOURCE_MAX),
        starts_at=measure.get("starts_at") or work.now,
        ends_at=ends_at,
        state=SanctionState.IN_FORCE.value,
        submitted_by=work.viewer.person,
        submitted_body=work.viewer.organisation,
        demo=measure.get("demo", False),
        changed_at=work.now,
    )


async def against_a_party(_work: Work, sanction: Sanction, **_: object) -> list[Condition]:
    """Sanctions bar whoever trades; an authority does not."""
    body = await known_organisation(sanction.organisation_id)
    return [
        required(
            name="market_party",
            met=side_of(body.kind) == Side.PARTICIPANT,
            unmet=Text(f"{body.name} does not trade.", f"{body.name}不是市场主体。"),
            ground="《河北省排污权市场交易管理暂行办法》",
        )
    ]


async def new_client(  # noqa: PLR0913 - what is said of a program
    work: Work,
    *,
    organisation: UUID,
    name: str,
    scopes: list[str],
    house: bool = False,
    registered_only: bool = False,
    demo: bool = False,
) -> Client:
    """The program as it would be let in.

    Raises:
        NotFound: no such organisation.
        Malformed: a scope that the rule book does not know, or too many.

    """
    body = await known_organisation(organisation)
    return Client(
        id=uuid4(),
        name=check_text(name, "name", most=CLIENT_NAME_MAX, lines=False),
        organisation_id=body.id,
        house=house,
        scopes=list(check_scopes(scopes, VOCABULARY, "scopes")),
        registered_only=registered_only,
        state=ClientState.OPEN.value,
        demo=demo,
        changed_at=work.now,
    )


async def let_in_by_whom_it_may(work: Work, client: Client, **_: object) -> list[Condition]:
    """The operator lets in programs of the house and no others; nobody grants more than he has."""
    role = work.viewer.role
    beyond = [scope for scope in client.scopes if not _ever(role, scope)]
    return [
        Condition(
            name="house_by_operator",
            met=client.house == (role == OPERATOR),
            message=Text(
                "The operator alone registers programs of the house, and only those.",
                "本系统应用仅由系统运维登记,且系统运维只登记本系统应用。",
            ),
            ground="registry rule",
        ),
        Condition(
            name="scopes_of_own",
            met=not beyond,
            message=Text(
                f"Whoever grants a scope must be able to use it himself: {', '.join(beyond)}.",
                f"授权人自身须具备所授范围:{'、'.join(beyond)}。",
            ),
            ground="registry rule",
        ),
    ]


def _ever(role: str, scope: str) -> bool:
    kind, _, verb = scope.partition(":")
    return bool(gate.edition.condition(role, kind, verb))
