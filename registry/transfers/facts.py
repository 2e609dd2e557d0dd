"""Facts about transfers: the viewer's relation to the case, and its state."""

from registry.access.kinds import Fact, Kind, any_of, state_predicate
from registry.access.principals import Viewer
from registry.parties.facts import ALREADY_SIGNED, SAME_ORGANISATION_AS_SUBMITTER, SUBMITTER
from registry.transfers.records import Certificate, Transfer
from registry.transfers.rules import BEFORE_CONTRACT, EXPIRES, FINAL, NEVER, State


def _sql_list(states: frozenset[State]) -> str:
    return ", ".join(f"'{state.value}'" for state in sorted(states))


OVERDUE_SQL = f"{{t}}.state IN ({_sql_list(EXPIRES)}) AND {{t}}.deadline_at < :now"
"""It has passed its deadline, swept or not; as an SQL condition."""


def _is_overdue(viewer: Viewer, transfer: Transfer) -> bool:
    return transfer.state in EXPIRES and transfer.deadline_at < viewer.now


def _in_states_within_deadline(*states: State) -> Fact:
    """The case is in one of these states and has not passed its deadline."""
    wanted = frozenset(states)
    return Fact(
        check=lambda viewer, transfer: (
            transfer.state in wanted and not _is_overdue(viewer, transfer)
        ),
        where=f"{{t}}.state IN ({_sql_list(wanted)}) AND NOT ({OVERDUE_SQL})",
        viewer_independent=True,
    )


def _inside_fact(side: str) -> Fact:
    """The side lies in the viewer's city or county; an empty division matches none."""
    city, county = f"{side}_city", f"{side}_county"
    return any_of(
        lambda viewer, transfer: (
            viewer.division != ""
            and viewer.division in (getattr(transfer, city), getattr(transfer, county))
        ),
        f":division <> '' AND {{t}}.{city} = :division",
        f":division <> '' AND {{t}}.{county} = :division",
    )


def _city_own_fact(side: str) -> Fact:
    """The viewer acts for the whole city of the side, not for one of its counties."""
    city = f"{side}_city"
    return Fact(
        check=lambda viewer, transfer: (
            viewer.division != "" and viewer.division == getattr(transfer, city)
        ),
        where=f":division <> '' AND {{t}}.{city} = :division",
    )


def _is_own_opinion_given(viewer: Viewer, transfer: Transfer) -> bool:
    return (viewer.division == transfer.seller_city and transfer.seller_opinion != "") or (
        viewer.division == transfer.buyer_city and transfer.buyer_opinion != ""
    )


def _is_awaiting_own_side(viewer: Viewer, transfer: Transfer) -> bool:
    sides = {"seller": transfer.seller_id, "buyer": transfer.buyer_id}
    return viewer.organisation == sides.get(transfer.awaiting) and not _is_overdue(viewer, transfer)


FACTS = {
    "own_sale": Fact(
        check=lambda viewer, transfer: viewer.organisation == transfer.seller_id,
        where="{t}.seller_id = :organisation",
    ),
    "own_purchase": Fact(
        check=lambda viewer, transfer: viewer.organisation == transfer.buyer_id,
        where="{t}.buyer_id = :organisation",
    ),
    "seller_inside": _inside_fact("seller"),
    "buyer_inside": _inside_fact("buyer"),
    "seller_city_own": _city_own_fact("seller"),
    "buyer_city_own": _city_own_fact("buyer"),
    "same_city": Fact(
        check=lambda _, transfer: not transfer.is_cross_city,
        where="{t}.seller_city = {t}.buyer_city",
        viewer_independent=True,
    ),
    "cross_city": Fact(
        check=lambda _, transfer: transfer.is_cross_city,
        where="{t}.seller_city <> {t}.buyer_city",
        viewer_independent=True,
    ),
    "both_opinions_given": Fact(
        check=lambda _, transfer: transfer.seller_opinion != "" and transfer.buyer_opinion != "",
        where="{t}.seller_opinion <> '' AND {t}.buyer_opinion <> ''",
        viewer_independent=True,
    ),
    "own_opinion_given": Fact(
        check=_is_own_opinion_given,
        where="({t}.seller_city = :division AND {t}.seller_opinion <> '')"
        " OR ({t}.buyer_city = :division AND {t}.buyer_opinion <> '')",
    ),
    "awaiting_own_side": Fact(
        check=_is_awaiting_own_side,
        where="(({t}.awaiting = 'seller' AND {t}.seller_id = :organisation)"
        " OR ({t}.awaiting = 'buyer' AND {t}.buyer_id = :organisation))"
        f" AND NOT ({OVERDUE_SQL})",
    ),
    "submitter": SUBMITTER,
    "same_body_as_submitter": SAME_ORGANISATION_AS_SUBMITTER,
    "already_acted": ALREADY_SIGNED,
    "acted_elsewhere": Fact(
        check=lambda viewer, transfer: any(
            person == viewer.person and body != viewer.organisation
            for person, body in zip(transfer.signatories, transfer.signed_for, strict=False)
        ),
        where="EXISTS (SELECT FROM unnest({t}.signatories, {t}.signed_for)"
        " AS earlier (person, body)"
        " WHERE earlier.person = :person AND earlier.body <> :organisation)",
    ),
    "was_offered": Fact(
        check=lambda _, transfer: transfer.offered_at < NEVER,
        where="{t}.offered_at < '9999-12-31+00'",
        viewer_independent=True,
    ),
    "overdue": Fact(check=_is_overdue, where=OVERDUE_SQL, viewer_independent=True),
    "stage_draft": state_predicate(State.DRAFT),
    "stage_awaiting_signature": _in_states_within_deadline(State.AWAITING_SIGNATURE),
    "stage_offered": _in_states_within_deadline(State.OFFERED),
    "stage_accepted": state_predicate(State.ACCEPTED),
    "stage_eligible": state_predicate(State.ELIGIBLE),
    "stage_approved": _in_states_within_deadline(State.APPROVED),
    "stage_contracted": state_predicate(State.CONTRACTED),
    "stage_paid": state_predicate(State.PAID),
    "stage_before_contract": _in_states_within_deadline(*BEFORE_CONTRACT),
    "stage_final": Fact(
        check=lambda viewer, transfer: transfer.state in FINAL or _is_overdue(viewer, transfer),
        where=f"{{t}}.state IN ({_sql_list(FINAL)}) OR ({OVERDUE_SQL})",
        viewer_independent=True,
    ),
}
"""A stage is the stage as of now: what has passed its deadline has expired."""

TRANSFER = Kind(
    name="Transfer",
    record=Transfer,
    facts=FACTS,
    organisation_columns=("seller_id", "buyer_id"),
    masks={"view_price": ("price_fen", "sum_fen", "bank_reference")},
)

CERTIFICATE = Kind(
    name="Certificate", record=Certificate, facts={}, waiting_since_column="issued_at"
)
