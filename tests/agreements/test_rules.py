from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.agreements.facts import AGREEMENT
from registry.agreements.operations import withdraw_agreement
from registry.agreements.rules import (
    MILESTONE_TRANSITIONS,
    TRANSITIONS,
    AgreementState,
    MilestoneState,
    next_signing_step,
    state_on,
)
from registry.kernel.errors import WrongState
from registry.kernel.state_machine import transition
from tests.agreements.builders import create_in_force, create_parties, draft, sign_by_all
from tests.permits.builders import execute_as
from tests.support.builders import build_viewer, create_officer_of, viewer_of
from tests.support.projection_checks import assert_predicates_agree

TODAY = date(2022, 6, 7)


@pytest.mark.parametrize("state", AgreementState)
@pytest.mark.parametrize("step", sorted({step for _, step in TRANSITIONS}))
def test_an_agreement_takes_only_the_steps_of_its_table(state: AgreementState, step: str) -> None:
    if (state, step) in TRANSITIONS:
        assert transition(TRANSITIONS, state, step) is TRANSITIONS[state, step]
    else:
        with pytest.raises(WrongState):
            transition(TRANSITIONS, state, step)


@pytest.mark.parametrize("state", MilestoneState)
def test_a_milestone_is_reached_from_planned_alone(state: MilestoneState) -> None:
    allowed = (state, "reach") in MILESTONE_TRANSITIONS

    assert allowed == (state is MilestoneState.PLANNED)


def test_what_ends_an_agreement_ends_it_for_good() -> None:
    ends = {"completed", "terminated", "withdrawn", "expired"}

    assert ends.isdisjoint(state.value for state, _ in TRANSITIONS)


@given(st.sampled_from(AgreementState), st.integers(-400, 400))
def test_only_what_is_in_force_expires_and_only_after_its_last_day(
    state: AgreementState, days: int
) -> None:
    expired = state_on(state, TODAY + timedelta(days), TODAY) is AgreementState.EXPIRED

    over = state is AgreementState.IN_FORCE and days < 0
    assert expired == (over or state is AgreementState.EXPIRED)
    assert state_on(state, None, TODAY) is state


@given(st.sets(st.uuids(), min_size=2), st.data())
def test_the_last_signature_is_the_one_that_leaves_nobody_out(
    parties: set[object], data: st.DataObject
) -> None:
    signed = data.draw(st.sets(st.sampled_from(sorted(parties, key=str))))

    last = next_signing_step(parties, signed) == "sign_last"  # type: ignore[arg-type]

    assert last == (signed == parties)


async def test_predicate_and_sql_of_every_fact_agree() -> None:
    parties, stranger = await create_parties(), await create_officer_of("bank")
    await draft(parties)
    signed = await sign_by_all(parties)
    await sign_by_all(parties, visibility="parties")
    await create_in_force(parties)
    await create_in_force(parties, valid_until=date(2999, 1, 1))
    await execute_as(parties.steel, withdraw_agreement, id=signed.id, reason="no funds")

    everybody = [viewer_of(officer) for officer in (*parties.both(), stranger)]
    await assert_predicates_agree(AGREEMENT, [*everybody, build_viewer("public")])
