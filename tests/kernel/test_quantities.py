from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.kernel.errors import Code, Malformed
from registry.kernel.quantities import (
    MONEY_MAX,
    QUANTITY_MAX,
    DateRange,
    format_money,
    format_quantity,
    parse_money,
    parse_quantity,
    total_price_fen,
)

UNITS = st.integers(0, QUANTITY_MAX)
SCALES = st.integers(0, 6)
DAYS = st.dates(date(2016, 1, 1), date(2035, 12, 31))


@given(UNITS, SCALES)
def test_a_quantity_survives_being_written_and_read(units: int, scale: int) -> None:
    assert parse_quantity(format_quantity(units, scale), scale) == units


@given(st.integers(0, MONEY_MAX))
def test_money_survives_being_written_and_read(fen: int) -> None:
    assert parse_money(format_money(fen)) == fen


@given(st.text(max_size=12), SCALES)
def test_what_is_read_at_all_is_the_number_it_looks_like(text: str, scale: int) -> None:
    try:
        units = parse_quantity(text, scale)
    except Malformed:
        return

    assert text.isascii()
    assert Fraction(units, 10**scale) == Fraction(text)


@pytest.mark.parametrize(
    ("text", "units"),
    [("356.418", 356418), ("0", 0), ("0.001", 1), ("1.5", 1500), ("26000", 26_000_000)],
)
def test_decimals_are_base_units(text: str, units: int) -> None:
    assert parse_quantity(text, 3) == units


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "+1",
        "-1",
        "1e3",
        "1,000",
        ".5",
        "5.",
        "007",
        "1.0000",
        "1_000",
        "0x10",
        "NaN",
        "Infinity",
        "１",
        "١",
        "1.2.3",
        "9" * 33,
        "10000000000.001",
    ],
)
def test_every_other_form_is_refused_and_the_field_named(text: str) -> None:
    with pytest.raises(Malformed) as refusal:
        parse_quantity(text, 3, field="soldQuantity")

    assert refusal.value.code == Code.MALFORMED
    assert refusal.value.field == "soldQuantity"
    assert "soldQuantity" in refusal.value.message.en
    assert "soldQuantity" in refusal.value.message.zh


def test_the_limits_themselves_are_allowed_and_one_more_is_not() -> None:
    assert parse_quantity(format_quantity(QUANTITY_MAX, 3), 3) == QUANTITY_MAX
    assert parse_money(format_money(MONEY_MAX)) == MONEY_MAX

    with pytest.raises(Malformed):
        parse_quantity(format_quantity(QUANTITY_MAX + 1, 3), 3)
    with pytest.raises(Malformed):
        parse_money(format_money(MONEY_MAX + 1))


def test_what_an_issuer_has_issued_is_shown_as_negative() -> None:
    assert format_quantity(-1, 3) == "-0.001"
    assert format_quantity(-356418, 3) == "-356.418"
    assert format_quantity(-5, 0) == "-5"


def test_the_cangzhou_reserve_sale_of_2023_recomputes() -> None:
    sold = {"356.418": 7500, "633.808": 9000, "24.047": 6000, "1.202": 12000}

    total = sum(total_price_fen(parse_quantity(t, 3), yuan * 100, 3) for t, yuan in sold.items())

    assert format_money(total) == "8536113.00"


def test_the_launch_reserve_at_base_price_is_604_million() -> None:
    reserve = {26_000: 7500, 44_000: 9000, 1_800: 6000, 200: 12000}

    worth = [total_price_fen(tonnes * 1000, yuan * 100, 3) for tonnes, yuan in reserve.items()]

    assert [format_money(fen) for fen in worth] == [
        "195000000.00",
        "396000000.00",
        "10800000.00",
        "2400000.00",
    ]
    assert format_money(sum(worth)) == "604200000.00"


@given(UNITS, st.integers(0, 10_000_000), SCALES)
def test_an_amount_is_the_nearest_fen_and_half_goes_up(units: int, price: int, scale: int) -> None:
    exact = Fraction(units * price, 10**scale)
    if exact > MONEY_MAX - 1:
        return

    rounded = total_price_fen(units, price, scale)

    assert Fraction(-1, 2) < rounded - exact <= Fraction(1, 2)


def test_an_amount_beyond_the_limit_is_refused_at_the_price() -> None:
    with pytest.raises(Malformed) as refusal:
        total_price_fen(QUANTITY_MAX, MONEY_MAX, 3)

    assert refusal.value.field == "price"


def test_a_period_holds_on_both_its_ends() -> None:
    period = DateRange(date(2021, 1, 1), date(2025, 12, 31))

    assert period.contains(date(2021, 1, 1))
    assert period.contains(date(2025, 12, 31))
    assert not period.contains(date(2020, 12, 31))
    assert not period.contains(date(2026, 1, 1))
    assert DateRange(date(2026, 1, 1)).contains(date(9999, 12, 31))


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(Malformed) as refusal:
        DateRange(date(2022, 1, 2), date(2022, 1, 1))

    assert refusal.value.field == "until"
