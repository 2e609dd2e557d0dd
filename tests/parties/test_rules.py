"""The rules of parties that need no database."""

from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.vocabulary import ROLES, VOCABULARY
from registry.kernel.errors import Malformed, WrongState
from registry.kernel.state_machine import advance
from registry.parties.rules import (
    APPOINTMENT_LIFE,
    AUTHORITIES,
    OFFICES,
    SCOPES_MAX,
    Acting,
    AppointmentState,
    AppointmentStep,
    OrganisationKind,
    Side,
    check_scopes,
    role_of,
    side_of,
    stands_alone,
)

PEOPLE = [UUID(int=number) for number in range(1, 4)]
ACTING = st.builds(Acting, st.sampled_from(PEOPLE), st.booleans(), st.booleans())


def test_every_kind_has_a_role_of_the_rule_book_and_a_side() -> None:
    assert {role_of(kind) for kind in set(OrganisationKind) - OFFICES} == set(ROLES) - {
        "public",
        "operator",
        "registry",
    }
    assert {kind for kind in OrganisationKind if side_of(kind) == Side.OFFICIAL} == AUTHORITIES
    assert side_of("auditor") == Side.OVERSIGHT
    assert {role_of(kind) for kind in OFFICES} == {""}


@given(st.lists(ACTING, max_size=5))
def test_a_body_stands_alone_where_one_proposes_and_another_countersigns(
    acting: list[Acting],
) -> None:
    pairs = [
        (a, b)
        for a, b in product(acting, acting)
        if a.may_initiate and b.may_approve and a.person != b.person
    ]

    assert stands_alone(acting) == bool(pairs)


def test_what_the_life_of_an_appointment_does_not_name_is_refused() -> None:
    for state, step in product(AppointmentState, AppointmentStep):
        if (state, step) in APPOINTMENT_LIFE:
            assert advance(APPOINTMENT_LIFE, state, step) != state
        else:
            with pytest.raises(WrongState):
                advance(APPOINTMENT_LIFE, state, step)


def test_scopes_are_words_of_the_rule_book_each_once() -> None:
    given = ["Transfer:view", "Account:view", "Transfer:view"]

    assert check_scopes(given, VOCABULARY, "scopes") == ("Account:view", "Transfer:view")
    for wrong in ("Transfer", "Transfer:", ":view", "transfer:view", "*:*"):
        with pytest.raises(Malformed):
            check_scopes([wrong], VOCABULARY, "scopes")
    with pytest.raises(Malformed):
        check_scopes([f"x:{n}" for n in range(SCOPES_MAX + 1)], VOCABULARY, "scopes")
