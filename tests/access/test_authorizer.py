"""The gate explains, refuses before looking up, and knows whose turn it is."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from policies.engine import Edition
from registry.access.authorizer import Authorizer
from registry.access.principals import Viewer
from registry.commands.operation import Authorization
from registry.concepts import CONCEPTS
from registry.transfers.facts import TRANSFER
from registry.transfers.records import Transfer
from registry.transfers.rules import NEVER
from schema.framework.next_actors import MAX_NEXT_ACTORS
from tests.policies.shipped import BOOK
from tests.support.builders import LANGFANG, TANGSHAN, build_viewer

NOW = datetime(2026, 3, 2, tzinfo=UTC)
AUTHORIZER = Authorizer()
AUTHORIZER.activate(Edition(BOOK, 1))


def make_transfer(
    state: str, *, buyer_city: str = LANGFANG, opinions: tuple[str, str] = ("", "")
) -> Transfer:
    return Transfer(
        id=uuid4(),
        seller_id=uuid4(),
        seller_city=LANGFANG,
        seller_county="",
        buyer_id=uuid4(),
        buyer_city=buyer_city,
        buyer_county="",
        state=state,
        deadline_at=NEVER,
        offered_at=NOW,
        awaiting="",
        seller_opinion=opinions[0],
        buyer_opinion=opinions[1],
        submitted_by=uuid4(),
        submitting_organisation=uuid4(),
        signatories=[],
        signed_for=[],
    )


@pytest.mark.parametrize(
    ("case", "turn"),
    [
        (make_transfer("accepted"), (("centre", "qualify"),)),
        (make_transfer("eligible"), (("city", "approve"),)),
        (make_transfer("eligible", buyer_city=TANGSHAN), (("city", "opine"),)),
        (
            make_transfer("eligible", buyer_city=TANGSHAN, opinions=("favourable", "")),
            (("city", "opine"),),
        ),
        (
            make_transfer("eligible", buyer_city=TANGSHAN, opinions=("favourable", "unfavourable")),
            (("province", "approve"),),
        ),
        (make_transfer("approved"), (("centre", "contract"),)),
        (make_transfer("settled"), ()),
    ],
)
def test_the_authorizer_names_the_next_actors(
    case: Transfer, turn: tuple[tuple[str, str], ...]
) -> None:
    assert AUTHORIZER.next_actors(TRANSFER, case, now=NOW) == turn


def test_an_object_waits_for_no_more_roles_than_the_api_counts() -> None:
    for kind in (kind for concept in CONCEPTS for kind in concept.kinds):
        assert len(AUTHORIZER.next_actor_filters(kind, now=NOW)) <= MAX_NEXT_ACTORS


def verbs_of(viewer: Viewer) -> list[str]:
    return [possible.verb for possible in AUTHORIZER.permissions(viewer, "Transfer")]


def test_the_permissions_of_an_appointment_are_those_of_its_powers() -> None:
    initiator = build_viewer("city", division=LANGFANG, may_initiate=True)
    approver = build_viewer("city", division=LANGFANG, may_approve=True)

    assert "approve" in verbs_of(approver)
    assert "approve" not in verbs_of(initiator)
    conditions = [each.condition for each in AUTHORIZER.permissions(approver, "Transfer")]
    assert not any("may_approve" in condition for condition in conditions)


def test_the_permissions_of_an_appointment_are_bound_by_the_scopes_of_its_client() -> None:
    scopes = frozenset({"Transfer:view"})
    officer = build_viewer("city", division=LANGFANG, may_approve=True, scopes=scopes)
    portal = build_viewer("city", division=LANGFANG, may_approve=True, scopes=frozenset())

    assert verbs_of(officer) == ["view"]
    assert verbs_of(portal) == []
    assert [each.verb for each in AUTHORIZER.permissions(portal, "Certificate")] == ["view"]


def test_a_measure_that_may_end_stays_in_the_condition_of_a_permission() -> None:
    frozen = build_viewer("enterprise", may_initiate=True, is_frozen=True)

    (draft,) = (each for each in AUTHORIZER.permissions(frozen, "Transfer") if each.verb == "draft")
    assert "not frozen" in draft.condition


def test_a_role_without_any_rule_gets_the_roles_that_may() -> None:
    refusal = AUTHORIZER.never_allowed(build_viewer("bank"), TRANSFER, "approve")

    assert refusal is not None
    assert [miss.rule for miss in refusal.near_misses] == ["T-12", "T-16"]
    assert "city ecology bureau" in refusal.near_misses[0].missing[0].en


def test_what_may_be_allowed_on_some_object_is_not_hopeless() -> None:
    officer = build_viewer("city", division=LANGFANG, may_approve=True)

    assert AUTHORIZER.never_allowed(officer, TRANSFER, "approve") is None


def test_a_prohibition_of_the_viewer_makes_every_object_hopeless() -> None:
    officer = build_viewer("city", division=LANGFANG, may_approve=True, appointment_expired=True)

    refusal = AUTHORIZER.never_allowed(officer, TRANSFER, "approve")

    assert refusal is not None
    assert refusal.rule == "N-02"


def test_the_nearest_rule_names_what_is_missing() -> None:
    elsewhere = build_viewer("city", division=TANGSHAN, may_approve=True)

    refusal = AUTHORIZER.forbidden(elsewhere, TRANSFER, "approve", make_transfer("eligible"))

    assert refusal.near_misses[0].rule == "T-12"
    assert [text.en for text in refusal.near_misses[0].missing] == [
        "you do not act for the city of the seller"
    ]


def test_a_grant_is_made_by_the_frame_alone() -> None:
    viewer = Viewer(role="city", now=NOW, division=LANGFANG, may_approve=True)
    decision = AUTHORIZER.authorize(viewer, TRANSFER, "approve", make_transfer("eligible"))

    assert decision.allowed
    with pytest.raises(PermissionError):
        Authorization(object(), decision, uuid4())
