"""The life of a transfer and what moves in it, without a database."""

from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.kernel.errors import WrongState
from registry.kernel.state_machine import allowed_steps, transition
from registry.ledger.rules import MONEY_INSTRUMENT, OUTSIDE_ACCOUNT, net_changes
from registry.transfers.rules import (
    DEADLINES,
    EXPIRES,
    FINAL,
    LOCKS_RIGHTS,
    NEVER,
    TRANSITIONS,
    SettlementTerms,
    State,
    Step,
    exchange_postings,
    state_at,
    step_postings,
)
from tests.transfers.builders import FOUNDING_DAY

HELD, ESCROW, BOUGHT, BUYING, RIGHT = (UUID(int=n) for n in range(1, 6))
SETTLEMENT = SettlementTerms(
    HELD, ESCROW, BOUGHT, BUYING, RIGHT, quantity=12_000, sum_fen=9_000_000
)

WITHDRAWABLE = ["draft", "awaiting_signature", "offered", "accepted", "eligible", "approved"]


@st.composite
def walks(draw: st.DrawFn) -> list[tuple[State, Step]]:
    """A way through the life, from a draft for as long as it leads on."""
    state, way = State.DRAFT, []
    while steps := [
        s for s in allowed_steps(TRANSITIONS, state) if (state, s) != (State.ELIGIBLE, Step.OPINE)
    ]:
        step = draw(st.sampled_from(steps))
        way.append((state, step))
        state = TRANSITIONS[state, step]
        if len(way) > 20:  # Signing back and forth may go on; a long walk ends with a withdrawal.
            break
    return way


@pytest.mark.parametrize(("state", "step"), list(product(State, Step)))
def test_every_step_is_in_the_table_or_refused(state: State, step: Step) -> None:
    if (state, step) in TRANSITIONS:
        assert transition(TRANSITIONS, state, step) is TRANSITIONS[state, step]
    else:
        with pytest.raises(WrongState):
            transition(TRANSITIONS, state, step)


def test_the_road_leads_from_draft_to_settled() -> None:
    road = ["offer", "accept", "qualify", "approve", "contract", "pay", "settle"]
    state = State.DRAFT

    for step in road:
        state = transition(TRANSITIONS, state, Step(step))

    assert state is State.SETTLED


def test_the_five_ends_are_final() -> None:
    assert {"settled", "withdrawn", "rejected", "expired", "defaulted"} == FINAL


@pytest.mark.parametrize("state", list(State))
def test_either_side_withdraws_until_the_contract(state: State) -> None:
    assert (Step.WITHDRAW in allowed_steps(TRANSITIONS, state)) == (state in WITHDRAWABLE)


def test_what_lapses_has_a_deadline() -> None:
    assert set(DEADLINES) >= EXPIRES == {"awaiting_signature", "offered", "approved"}


@pytest.mark.parametrize("state", list(State))
def test_a_state_is_what_it_is_now(state: State) -> None:
    just, over = FOUNDING_DAY, FOUNDING_DAY + timedelta(microseconds=1)

    assert state_at(state, FOUNDING_DAY, just) is state
    assert state_at(state, FOUNDING_DAY, over) is (State.EXPIRED if state in EXPIRES else state)
    assert state_at(state, NEVER, over) is state


@given(walks())
def test_what_was_blocked_is_settled_or_comes_home(way: list[tuple[State, Step]]) -> None:
    moved = [
        p
        for state, step in way
        for of_terms in step_postings(state, step).values()
        for p in of_terms(SETTLEMENT)
    ]
    end = TRANSITIONS[way[-1]]

    net = net_changes(moved)

    assert (net.get((ESCROW, RIGHT), 0) == SETTLEMENT.quantity) == (end in LOCKS_RIGHTS)
    assert net.get((BUYING, MONEY_INSTRUMENT), 0) == (
        SETTLEMENT.sum_fen if end is State.PAID else 0
    )
    if end is State.SETTLED:
        assert net == {
            (HELD, RIGHT): -SETTLEMENT.quantity,
            (BOUGHT, RIGHT): SETTLEMENT.quantity,
            (HELD, MONEY_INSTRUMENT): SETTLEMENT.sum_fen,
            (OUTSIDE_ACCOUNT, MONEY_INSTRUMENT): -SETTLEMENT.sum_fen,
        }
    elif end in FINAL:
        assert all(instrument == MONEY_INSTRUMENT for _, instrument in net)


@given(walks())
def test_no_account_gives_what_it_was_not_given(way: list[tuple[State, Step]]) -> None:
    held = {(HELD, RIGHT): SETTLEMENT.quantity}

    for state, step in way:
        for of_terms in step_postings(state, step).values():
            for posting in of_terms(SETTLEMENT):
                source = (posting.source, posting.instrument)
                held[source] = held.get(source, 0) - posting.quantity
                target = (posting.target, posting.instrument)
                held[target] = held.get(target, 0) + posting.quantity
                assert posting.source == OUTSIDE_ACCOUNT or held[source] >= 0


def test_rights_and_money_change_hands_together() -> None:
    rights, money = exchange_postings(SETTLEMENT)

    assert (rights.source, rights.target, rights.instrument) == (ESCROW, BOUGHT, RIGHT)
    assert (money.source, money.target, money.instrument) == (BUYING, HELD, MONEY_INSTRUMENT)
