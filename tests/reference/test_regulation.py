"""The reference data say of the regulation only what a source gives."""

import csv
from datetime import date
from pathlib import Path

import pytest

from registry.kernel.calendar import Calendar
from registry.permits.rules import PermitCategory
from tests.support.reference import current_reference

REFERENCE = Path(__file__).parents[2] / "seeds" / "reference"
NOTICE_OF_2024 = (
    "deposit_percent",
    "winner_percent",
    "average_price_trading_days",
    "bidders_min",
    "bid_increment",
    "business_day_ends",
)


def rows(file: str) -> list[dict[str, str]]:
    with (REFERENCE / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_f06_heavy_metals_are_traded_from_the_first_session_on_and_vocs_from_2026() -> None:
    enabled = {row["code"]: (row["status"], row["enabled_from"]) for row in rows("pollutants.csv")}

    for metal in ("HG", "CD", "CR", "AS", "PB"):
        assert enabled[metal] == ("active", "2023-06-26")
    assert enabled["VOCS"] == ("active", "2026-01-01")
    assert enabled["PM"] == ("planned", "")


@pytest.mark.usefixtures("database")
async def test_f06_heavy_metals_have_no_known_base_price() -> None:
    parameters = (await current_reference()).parameters

    assert parameters.find("base_price", date(2024, 1, 1), pollutant="HG") is None


def test_f07_a_rule_of_2024_decides_earlier_days_as_demonstration_only() -> None:
    found = [row for row in rows("parameters.csv") if row["name"] in NOTICE_OF_2024]

    for row in found:
        if row["effective_from"] < "2024-11-09":
            assert (row["demo"], row["provenance"], row["effective_until"]) == (
                "true", "I", "2024-11-08",
            )  # fmt: skip
        else:
            assert (row["effective_from"], row["provenance"]) == ("2024-11-09", "R")
    assert len(found) == 2 * len(NOTICE_OF_2024)


def test_f07_five_years_and_paid_rights_rest_on_the_texts_that_say_so() -> None:
    figures = {row["name"]: row for row in rows("parameters.csv")}

    assert "财税〔2015〕61号第十二条" in figures["validity_years"]["legal_basis"]
    assert figures["free_rights_tradable"]["effective_from"] == "2016-01-01"
    assert figures["free_rights_tradable"]["provenance"] == "R~"
    assert "2022-01-13" in figures["free_rights_tradable"]["legal_basis"]


def test_f17_prices_say_whether_they_include_tax_where_a_source_does() -> None:
    for row in rows("base_prices.csv"):
        assert row["tax_included"] == ("true" if row["effective_from"] >= "2021" else "")


def test_f18_the_prices_of_2012_are_on_record() -> None:
    trial = {
        row["pollutant"]: row["price"]
        for row in rows("base_prices.csv")
        if row["effective_from"] == "2012-09-20"
    }

    assert trial == {"SO2": "3000.00", "NOX": "4000.00", "COD": "4000.00", "NH3N": "8000.00"}


def test_f19_the_counties_of_xiongan_belong_to_it_from_its_first_day_on() -> None:
    begins = {row["code"]: row["effective_from"] for row in rows("counties.csv")}

    assert {begins[code] for code in ("130629", "130632", "130638")} == {"2017-04-01"}


def test_f13_a_permit_is_of_one_of_two_categories() -> None:
    assert set(PermitCategory) == {"key", "simplified"}


def test_f16_the_exchange_may_close_on_a_day_that_is_worked() -> None:
    closed = date(2022, 6, 8)
    calendar = Calendar(frozenset(), frozenset(), frozenset({closed}))

    assert calendar.is_working_day(closed)
    assert not calendar.is_trading_day(closed)
