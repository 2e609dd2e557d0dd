"""What rules may ask of a transfer: who stands where towards it, and where it stands now."""

from registry.access.kinds import Fact, Kind, either, state_fact
from registry.access.principals import Viewer
from registry.parties.facts import ALREADY_ACTED, SAME_BODY_AS_SUBMITTER, SUBMITTER
from registry.transfers.records import Certificate, Transfer
from registry.transfers.rules import BEFORE_CONTRACT, FINAL, LAPSING, NEVER, State


def _listed(states: frozenset[State]) -> str:
    return ", ".join(f"'{state.value}'" for state in sorted(states))


OVERDUE = f"{{t}}.state IN ({_listed(LAPSING)}) AND {{t}}.deadline_at < :now"
"""It has passed its deadline, swept or not; the SQL face."""


def _overdue(viewer: Viewer, transfer: Transfer) -> bool:
    return transfer.state in LAPSING and transfer.deadline_at < viewer.now


def _within_limit(*states: State) -> Fact:
    """The case is in one of these states and has not passed its deadline."""
    wanted = frozenset(states)
    return Fact(
        check=lambda viewer, transfer: transfer.state in wanted and not _overdue(viewer, transfer),
        where=f"{{t}}.state IN ({_listed(wanted)}) AND NOT ({OVERDUE})",
        intrinsic=True,
    )


def _inside(side: str) -> Fact:
    """The side lies in the viewer's city or county. Nobody's division is the empty one."""
    city, county = f"{side}_city", f"{side}_county"
    return either(
        lambda viewer, transfer: (
            viewer.division != ""
            and viewer.division in (getattr(transfer, city), getattr(transfer, county))
        ),
        f":division <> '' AND {{t}}.{city} = :division",
        f":division <> '' AND {{t}}.{county} = :division",
    )


def _city_own(side: str) -> Fact:
    """The viewer acts for the whole city of the side, not for one of its counties."""
    city = f"{side}_city"
    return Fact(
        check=lambda viewer, transfer: (
            viewer.division != "" and viewer.division == getattr(transfer, city)
        ),
        where=f":division <> '' AND {{t}}.{city} = :division",
    )


def _own_opinion_given(viewer: Viewer, transfer: Transfer) -> bool:
    return (viewer.division == transfer.seller_city and transfer.seller_opinion != "") or (
        viewer.division == transfer.buyer_city and transfer.buyer_opinion != ""
    )


def _awaiting_own_side(viewer: Viewer, transfer: Transfer) -> bool:
    sides = {"seller": transfer.seller_id, "buyer": transfer.buyer_id}
    return viewer.organisation == sides.get(transfer.awaiting) and not _overdue(viewer, transfer)


FACTS = {
    "own_sale": Fact(
        check=lambda viewer, transfer: viewer.organisation == transfer.seller_id,
        where="{t}.seller_id = :organisation",
    ),
    "own_purchase": Fact(
        check=lambda viewer, transfer: viewer.organisation == transfer.buyer_id,
        where="{t}.buyer_id = :organisation",
    ),
    "seller_inside": _inside("seller"),
    "buyer_inside": _inside("buyer"),
    "seller_city_own": _city_own("seller"),
    "buyer_city_own": _city_own("buyer"),
    "same_city": Fact(
        check=lambda _, transfer: not transfer.crosses,
        where="{t}.seller_city = {t}.buyer_city",
        intrinsic=True,
    ),
    "cross_city": Fact(
        check=lambda _, transfer: transfer.crosses,
        where="{t}.seller_city <> {t}.buyer_city",
        intrinsic=True,
    ),
    "both_opinions_given": Fact(
        check=lambda _, transfer: transfer.seller_opinion != "" and transfer.buyer_opinion != "",
        where="{t}.seller_opinion <> '' AND {t}.buyer_opinion <> ''",
        intrinsic=True,
    ),
    "own_opinion_given": Fact(
        check=_own_opinion_given,
        where="({t}.seller_city = :division AND {t}.seller_opinion <> '')"
        " OR ({t}.buyer_city = :division AND {t}.buyer_opinion <> '')",
    ),
    "awaiting_own_side": Fact(
        check=_awaiting_own_side,
        where="(({t}.awaiting = 'seller' AND {t}.seller_id = :organisation)"
        f" OR ({{t}}.awaiting = 'buyer' AND {{t}}.buyer_id = :organisation)) AND NOT ({OVERDUE})",
    ),
    "submitter": SUBMITTER,
    "same_body_as_submitter": SAME_BODY_AS_SUBMITTER,
    "already_acted": ALREADY_ACTED,
    "acted_elsewhere": Fact(
        check=lambda viewer, transfer: any(
            person == viewer.person and body != viewer.organisation
            for person, body in zip(transfer.acted, transfer.acted_for, strict=False)
        ),
        where="EXISTS (SELECT FROM unnest({t}.acted, {t}.acted_for) AS earlier (person, body)"
        " WHERE earlier.person = :person AND earlier.body <> :organisation)",
    ),
    "was_offered": Fact(
        check=lambda _, transfer: transfer.offered_at < NEVER,
        where="{t}.offered_at < '9999-12-31+00'",
        intrinsic=True,
    ),
    "overdue": Fact(check=_overdue, where=OVERDUE, intrinsic=True),
    "stage_draft": state_fact(State.DRAFT),
    "stage_awaiting_signature": _within_limit(State.AWAITING_SIGNATURE),
    "stage_offered": _within_limit(State.OFFERED),
    "stage_accepted": state_fact(State.ACCEPTED),
    "stage_eligible": state_fact(State.ELIGIBLE),
    "stage_approved": _within_limit(State.APPROVED),
    "stage_contracted": state_fact(State.CONTRACTED),
    "stage_paid": state_fact(State.PAID),
    "stage_before_contract": _within_limit(*BEFORE_CONTRACT),
    "stage_final": Fact(
        check=lambda viewer, transfer: transfer.state in FINAL or _overdue(viewer, transfer),
        where=f"{{t}}.state IN ({_listed(FINAL)}) OR ({OVERDUE})",
        intrinsic=True,
    ),
}
"""A stage is the stage as of now: what has passed its deadline has expired."""

TRANSFER = Kind(
    name="Transfer",
    record=Transfer,
    facts=FACTS,
    organisations=lambda transfer: (transfer.seller_id, transfer.buyer_id),
    masks={"view_price": ("price_fen", "sum_fen", "bank_reference")},
)

CERTIFICATE = Kind(name="Certificate", record=Certificate, facts={}, watches="issued_at")
