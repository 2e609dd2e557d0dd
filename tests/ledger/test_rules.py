"""The pure rules of the ledger."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.kernel.errors import Malformed
from registry.kernel.quantities import MONEY_MAX
from registry.ledger.rules import (
    MONEY_INSTRUMENT,
    Acquisition,
    Posting,
    Right,
    check_basin,
    last_day,
    net_changes,
    reverse_postings,
)

PLACES = [UUID(int=number) for number in range(1, 6)]
ITEMS = [UUID(int=number) for number in range(11, 14)]
POSTINGS = st.lists(
    st.builds(
        lambda ends, item, quantity: Posting(ends[0], ends[1], item, quantity),
        st.permutations(PLACES),
        st.sampled_from(ITEMS),
        st.integers(1, MONEY_MAX),
    ),
    max_size=20,
).map(tuple)


@given(POSTINGS)
def test_postings_neither_make_nor_lose_anything(postings: tuple[Posting, ...]) -> None:
    net = net_changes(postings)

    for item in ITEMS:
        assert sum(quantity for (_, moved), quantity in net.items() if moved == item) == 0


@given(POSTINGS)
def test_what_is_reversed_nets_to_nothing(postings: tuple[Posting, ...]) -> None:
    assert net_changes((*postings, *reverse_postings(postings, {}))) == {}


def test_what_comes_back_from_a_closed_case_comes_home() -> None:
    escrow, holding, buyer = PLACES[:3]
    sale = (Posting(escrow, buyer, ITEMS[0], 30),)

    back = reverse_postings(sale, {(escrow, ITEMS[0]): holding})

    assert back == (Posting(buyer, holding, ITEMS[0], 30),)


def test_what_had_come_home_already_stays_there() -> None:
    escrow, holding, buyer = PLACES[:3]
    sale = (Posting(escrow, buyer, ITEMS[0], 30), Posting(escrow, holding, ITEMS[0], 5))

    back = reverse_postings(sale, {(escrow, ITEMS[0]): holding})

    assert back == (Posting(buyer, holding, ITEMS[0], 30),)


@pytest.mark.parametrize("quantity", [0, -1, MONEY_MAX + 1])
def test_a_posting_moves_something_and_not_more_than_any_figure(quantity: int) -> None:
    for instrument, field in ((ITEMS[0], "quantity"), (MONEY_INSTRUMENT, "money")):
        with pytest.raises(Malformed) as refusal:
            Posting(PLACES[0], PLACES[1], instrument, quantity)

        assert refusal.value.field == field


def test_a_posting_leaves_its_account() -> None:
    with pytest.raises(Malformed):
        Posting(PLACES[0], PLACES[0], ITEMS[0], 1)


def test_the_code_shows_what_the_right_carries() -> None:
    until, since = date(2027, 6, 7), date(2022, 6, 7)

    assert Right("SO2", "130200", Acquisition.PAID, valid_until=until).code == (
        "SO2-130200-PAID-20270607"
    )
    assert Right("COD", "130900", Acquisition.FREE, "hai", since, until, demo=True).code == (
        "COD-130900-HAI-FREE-20220607-20270607-DEMO"
    )
    assert Right("SO2", "130000", Acquisition.PAID).code == "SO2-130000-PAID-OPEN"


RIGHTS = st.builds(
    Right,
    st.sampled_from(["SO2", "COD"]),
    st.just("130200"),
    st.sampled_from(Acquisition),
    st.sampled_from([None, "hai", "liao"]),
    st.sampled_from([None, date(2022, 6, 7)]),
    st.sampled_from([None, date(2027, 6, 7), date(2022, 6, 7)]),
    st.booleans(),
)


@given(RIGHTS, RIGHTS)
def test_two_rights_share_a_code_only_when_they_are_one(one: Right, other: Right) -> None:
    assert (one.code == other.code) == (one == other)


def test_only_what_goes_into_water_has_a_basin() -> None:
    check_basin("water", "hai")
    check_basin("mixed", "hai")
    check_basin("air", None)

    with pytest.raises(Malformed):
        check_basin("air", "hai")


def test_f07_a_right_of_five_years_ends_on_the_day_before_the_one_it_began() -> None:
    assert last_day(date(2022, 6, 7), 5) == date(2027, 6, 6)
    assert last_day(date(2022, 1, 1), 5) == date(2026, 12, 31)
    assert last_day(date(2024, 2, 29), 5) == date(2029, 2, 28)
