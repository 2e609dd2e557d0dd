"""The rules of parties that need no database."""

from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.vocabulary import VOCABULARY
from registry.kernel.errors import Malformed, WrongState
from registry.kernel.state_machine import transition
from registry.parties.rules import (
    APPOINTMENT_TRANSITIONS,
    AUTHORITIES,
    OFFICES,
    SCOPES_MAX,
    AppointmentPowers,
    AppointmentState,
    OrganisationKind,
    Side,
    can_appoint_internally,
    check_scopes,
    role_of,
    side_of,
)

PEOPLE = [UUID(int=number) for number in range(1, 4)]
OFFICER_RIGHTS = st.builds(AppointmentPowers, st.sampled_from(PEOPLE), st.booleans(), st.booleans())


def test_every_kind_has_a_role_of_the_rule_book_and_a_side() -> None:
    assert {role_of(kind) for kind in set(OrganisationKind) - OFFICES} == set(VOCABULARY.roles) - {
        "public",
        "operator",
        "registry",
    }
    assert {kind for kind in OrganisationKind if side_of(kind) == Side.OFFICIAL} == AUTHORITIES
    assert side_of("auditor") == Side.OVERSIGHT
    assert {role_of(kind) for kind in OFFICES} == {""}


@given(st.lists(OFFICER_RIGHTS, max_size=5))
def test_an_organisation_is_self_sufficient_with_proposer_and_countersigner(
    acting: list[AppointmentPowers],
) -> None:
    pairs = [
        (a, b)
        for a, b in product(acting, acting)
        if a.may_initiate and b.may_approve and a.person != b.person
    ]

    assert can_appoint_internally(acting) == bool(pairs)


def test_what_the_life_of_an_appointment_does_not_name_is_refused() -> None:
    for state, step in product(AppointmentState, ("countersign", "end")):
        if (state, step) in APPOINTMENT_TRANSITIONS:
            assert transition(APPOINTMENT_TRANSITIONS, state, step) != state
        else:
            with pytest.raises(WrongState):
                transition(APPOINTMENT_TRANSITIONS, state, step)


def test_scopes_are_words_of_the_rule_book_each_once() -> None:
    given = ["Transfer:view", "Account:view", "Transfer:view"]

    assert check_scopes(given, VOCABULARY, "scopes") == ("Account:view", "Transfer:view")
    for wrong in ("Transfer", "Transfer:", ":view", "transfer:view", "*:*"):
        with pytest.raises(Malformed):
            check_scopes([wrong], VOCABULARY, "scopes")
    with pytest.raises(Malformed):
        check_scopes([f"x:{n}" for n in range(SCOPES_MAX + 1)], VOCABULARY, "scopes")
