"""The gate explains, refuses before looking up, and knows whose turn it is."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from policies.engine import Edition
from registry.access.authorizer import Gate
from registry.access.principals import Viewer
from registry.commands.command import Grant
from registry.transfers.facts import TRANSFER
from registry.transfers.records import Transfer
from registry.transfers.rules import NEVER
from tests.policies.shipped import BOOK
from tests.support.builders import LANGFANG, TANGSHAN, somebody

NOW = datetime(2026, 3, 2, tzinfo=UTC)
GATE = Gate()
GATE.use(Edition(BOOK, 1))


def a_case(
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
        submitted_body=uuid4(),
        acted=[],
        acted_for=[],
    )


@pytest.mark.parametrize(
    ("case", "turn"),
    [
        (a_case("accepted"), (("centre", "qualify"),)),
        (a_case("eligible"), (("city", "approve"),)),
        (a_case("eligible", buyer_city=TANGSHAN), (("city", "opine"),)),
        (
            a_case("eligible", buyer_city=TANGSHAN, opinions=("favourable", "")),
            (("city", "opine"),),
        ),
        (
            a_case("eligible", buyer_city=TANGSHAN, opinions=("favourable", "unfavourable")),
            (("province", "approve"),),
        ),
        (a_case("approved"), (("centre", "contract"),)),
        (a_case("settled"), ()),
    ],
)
def test_the_gate_knows_whose_turn_it_is(case: Transfer, turn: tuple[tuple[str, str], ...]) -> None:
    assert GATE.next_approvers(TRANSFER, case, now=NOW) == turn


def test_a_role_without_any_rule_is_told_whose_business_it_is() -> None:
    refusal = GATE.hopeless(somebody("bank"), TRANSFER, "approve")

    assert refusal is not None
    assert [miss.rule for miss in refusal.misses] == ["T-12", "T-16"]
    assert "city ecology bureau" in refusal.misses[0].missing[0].en


def test_what_may_be_allowed_on_some_object_is_not_hopeless() -> None:
    officer = somebody("city", division=LANGFANG, may_approve=True)

    assert GATE.hopeless(officer, TRANSFER, "approve") is None


def test_a_prohibition_of_the_viewer_makes_every_object_hopeless() -> None:
    officer = somebody("city", division=LANGFANG, may_approve=True, lapsed=True)

    refusal = GATE.hopeless(officer, TRANSFER, "approve")

    assert refusal is not None
    assert refusal.rule == "N-02"


def test_the_nearest_rule_names_what_is_missing() -> None:
    elsewhere = somebody("city", division=TANGSHAN, may_approve=True)

    refusal = GATE.forbidden(elsewhere, TRANSFER, "approve", a_case("eligible"))

    assert refusal.misses[0].rule == "T-12"
    assert [text.en for text in refusal.misses[0].missing] == [
        "you do not act for the city of the seller"
    ]


def test_a_grant_is_made_by_the_frame_alone() -> None:
    viewer = Viewer(role="city", now=NOW, division=LANGFANG, may_approve=True)
    decision = GATE.decide(viewer, TRANSFER, "approve", a_case("eligible"))

    assert decision.allowed
    with pytest.raises(PermissionError):
        Grant(object(), decision, uuid4())
