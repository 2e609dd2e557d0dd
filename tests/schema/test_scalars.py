"""Each scalar has one text form, and what it shows it reads back."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from registry.kernel.identifiers import Sha256
from registry.kernel.quantities import MONEY_MAX, Money, Price, Quantity
from schema.framework.scalars import SCALARS, parse_quantity_scalar


def parse_scalar(scalar: object, value: object) -> object:
    parse = SCALARS[scalar].parse_value
    assert parse is not None
    found: object = parse(value)
    return found


def serialize_scalar(scalar: object, value: object) -> str:
    serialize = SCALARS[scalar].serialize
    assert serialize is not None
    return str(serialize(value))


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        (Quantity, 1.5),
        (Quantity, 1),
        (Quantity, True),
        (Quantity, None),
        (Quantity, ""),
        (Quantity, "1e3"),
        (Quantity, "-1"),
        (Quantity, "+1"),
        (Quantity, " 1"),
        (Quantity, "1,000"),
        (Quantity, ".5"),
        (Quantity, "1."),
        (Quantity, "01"),
        (Quantity, "١"),
        (Quantity, "NaN"),
        (Quantity, "1" * 40),
        (Money, 100),
        (Money, "1.001"),
        (Money, "1" * 15),
        (Price, "-0.01"),
        (date, "20220607"),
        (date, "2022-6-7"),
        (date, "2022-02-30"),
        (date, "2022-W23-2"),
        (date, "0001-01-01"),
        (date, "2022-06-07T00:00:00Z"),
        (datetime, "2022-06-07"),
        (datetime, "2022-06-07T10:00:00"),
        (datetime, "2022-06-07 10:00:00+08:00"),
        (datetime, "2022-06-07T10:00+08:00"),
        (datetime, "2022-06-07T25:00:00Z"),
        (datetime, "9999-12-31T23:59:59-23:59"),
        (datetime, "2022-06-07T24:00:00+08:00"),
        (datetime, "2022-06-07T10:00:00+08:60"),
        (datetime, "2022-06-07T10:00:00-08:99"),
        (datetime, "2022-06-07T10:00:00+24:00"),
        (datetime, 1654567200),
        (Sha256, "A" * 64),
        (Sha256, "a" * 63),
        (Sha256, "g" * 64),
    ],
)
def test_another_form_is_refused_with_a_code(scalar: object, value: object) -> None:
    with pytest.raises(GraphQLError) as refusal:
        parse_scalar(scalar, value)

    assert refusal.value.extensions is not None
    assert refusal.value.extensions["code"] == "MALFORMED"
    assert refusal.value.extensions["messageZh"]
    assert refusal.value.extensions["retryable"] is False


@pytest.mark.parametrize(
    ("scalar", "value", "reason"),
    [
        (datetime, "2022-06-07T10:00:00+08:60", "minutes at 59"),
        (date, "1899-12-31", "1900 to 2200"),
        (Price, "1.001", "price has 3 decimals"),
        (Money, "1.001", "money has 3 decimals"),
        (Quantity, "1e3", "quantity must be a plain decimal"),
    ],
)
def test_a_refused_value_says_what_is_wrong(scalar: object, value: str, reason: str) -> None:
    with pytest.raises(GraphQLError) as refusal:
        parse_scalar(scalar, value)

    assert reason in refusal.value.message


@given(st.integers(0, MONEY_MAX))
def test_money_is_read_as_it_was_shown(fen: int) -> None:
    assert parse_scalar(Money, serialize_scalar(Money, fen)) == fen


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_a_day_is_read_as_it_was_shown(day: date) -> None:
    assert parse_scalar(date, serialize_scalar(date, day)) == day


@given(
    st.datetimes(
        datetime(1901, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
        datetime(2199, 12, 31),  # noqa: DTZ001 - likewise
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))]),
    )
)
def test_an_instant_is_parsed_as_it_was_formatted(moment: datetime) -> None:
    text = serialize_scalar(datetime, moment)

    assert parse_scalar(datetime, text) == moment
    assert text.endswith("+08:00")


def test_one_instant_has_one_text() -> None:
    there = datetime(2022, 6, 7, 2, tzinfo=UTC)

    assert serialize_scalar(datetime, there) == "2022-06-07T10:00:00+08:00"


def test_a_quantity_stays_a_text_until_its_instrument_is_loaded() -> None:
    assert parse_scalar(Quantity, "356.418") == "356.418"


@given(st.text())
def test_no_text_breaks_a_scalar(text: str) -> None:
    for scalar in SCALARS:
        try:
            parse_scalar(scalar, text)
        except GraphQLError as refusal:
            assert refusal.extensions  # noqa: PT017 - either is fine, anything else is a bug


@pytest.mark.parametrize("text", ["0.2", "0.20", "0.200"])
def test_equal_quantities_become_one_text(text: str) -> None:
    assert parse_quantity_scalar(text) == "0.2"
