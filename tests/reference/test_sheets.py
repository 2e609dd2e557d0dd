import shutil
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from registry.kernel.identifiers import check_division
from seeds.reference.tables import (
    FOLDER,
    REFERENCE_TABLES,
    ReferenceDataError,
    ReferenceRow,
    read_tables,
)

READ = read_tables()
SHEETS_BY_FILE = {sheet.file: sheet for sheet in REFERENCE_TABLES}
EVERY_LINE = [line for lines in READ.values() for line in lines]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "reference"))


def edit(folder: Path, file: str, change: Callable[[str], str]) -> None:
    path = folder / file
    path.write_text(change(path.read_text("utf-8")), "utf-8")


def rows(file: str) -> list[ReferenceRow]:
    return READ[file]


def test_there_is_a_sheet_for_every_file_and_a_file_for_every_sheet() -> None:
    assert {path.name for path in FOLDER.glob("*.csv")} == set(SHEETS_BY_FILE)


def test_every_row_has_its_source() -> None:
    assert [line.location for line in EVERY_LINE if not line.row["source"]] == []


def test_what_was_not_read_in_a_source_needs_confirmation() -> None:
    unmarked = [
        line.location
        for line in EVERY_LINE
        if line.row["provenance"] != "R" and not line.row["needs_confirmation"]
    ]

    assert unmarked == []


def test_demonstration_figures_are_marked_in_words_too() -> None:
    silent = [
        line.location
        for line in EVERY_LINE
        if line.row["demo"]
        and not {"demonstration", "example"}
        & set(str(line.row.get("legal_basis", "")).replace(",", " ").replace(":", " ").split())
    ]

    assert silent == []


def test_an_unknown_figure_is_null_and_never_a_guess() -> None:
    figures = [line.row for line in rows("parameters.csv")]

    assert {row["name"] for row in figures if row["value"] is None} == {
        "announcement_days",
        "loan_to_value_percent",
        "offset_cap_percent",
        "paid_use_tariff",
        "purchase_ratio_percent",
    }
    assert all(row["needs_confirmation"] for row in figures if row["value"] is None)


def test_every_division_code_has_the_form_of_one() -> None:
    for line in rows("cities.csv") + rows("counties.csv"):
        assert check_division(str(line.row["code"]), "code") == line.row["code"]


def test_fourteen_cities_count_each_for_itself() -> None:
    cities = {line.row["code"] for line in rows("cities.csv") if line.row["level"] == "city"}

    assert len(cities) == 14
    assert {"130181", "130682", "133100"} <= cities


def test_a_county_belongs_to_the_city_of_its_prefix_but_for_xiongan() -> None:
    elsewhere = {
        line.row["code"]: line.row["city"]
        for line in rows("counties.csv")
        if str(line.row["code"])[:4] != str(line.row["city"])[:4]
    }

    assert elsewhere == {"130629": "133100", "130632": "133100", "130638": "133100"}


def test_the_counties_of_the_founding_day_are_there() -> None:
    names = {line.row["code"]: line.row["name_zh"] for line in rows("counties.csv")}

    assert names["130630"] == "涞源县"
    assert names["130825"] == "隆化县"
    assert names["130821"] == "承德县"
    assert names["130984"] == "河间市"
    assert names["131022"] == "固安县"
    assert names["131024"] == "香河县"


def test_every_holiday_of_the_notices_is_seven_festivals_a_year() -> None:
    for year in range(2021, 2028):
        named = {
            name
            for line in rows("holidays.csv")
            if str(line.row["day"]).startswith(f"{year}-") and line.row["kind"] == "holiday"
            for name in str(line.row["name_zh"]).split("、")
        }
        assert named == {
            "元旦",
            "春节",
            "清明节",
            "劳动节",
            "端午节",
            "中秋节",
            "国庆节",
        }, year


def test_notices_move_working_days_and_do_not_remove_more_than_the_law() -> None:
    # 11 statutory days off until 2024, 13 from 2025; one that falls on a weekend is made good.
    for year in range(2021, 2027):
        days = [
            (date.fromisoformat(str(line.row["day"])), line.row["kind"])
            for line in rows("holidays.csv")
            if str(line.row["source"]).startswith(f"国务院办公厅关于{year}年")
        ]
        weekdays_off = sum(day.weekday() < 5 for day, kind in days if kind == "holiday")
        weekends_worked = sum(kind == "make_up" for _, kind in days)
        assert weekdays_off - weekends_worked == (11 if year < 2025 else 13), year


def test_base_prices_follow_each_other_without_a_gap_from_2016_on() -> None:
    for pollutant in ("SO2", "NOX", "COD", "NH3N"):
        periods = sorted(
            (str(line.row["effective_from"]), line.row["effective_until"])
            for line in rows("base_prices.csv")
            if line.row["pollutant"] == pollutant and str(line.row["effective_from"]) >= "2016"
        )
        for (_, until), (since, _) in pairwise(periods):
            assert date.fromisoformat(str(until)) + timedelta(1) == date.fromisoformat(since)
        assert periods[-1][1] is None


BREAKAGES: dict[str, tuple[str, Callable[[str], str], str]] = {
    "an unknown column": (
        "cities.csv",
        lambda text: text.replace("name_en", "name_fr", 1),
        r"cities\.csv:1: the columns",
    ),
    "a missing cell": (
        "river_systems.csv",
        lambda text: text.replace("liao,辽河,", "liao,", 1),
        r"river_systems\.csv:2: 8 cells instead of 9",
    ),
    "a blank line": (
        "industries.csv",
        lambda text: text + "\n",
        r"industries\.csv:23: 0 cells",
    ),
    "a code of another form": (
        "counties.csv",
        lambda text: text.replace("130102,", "13010,", 1),
        r"counties\.csv:2: column code: '13010'",
    ),
    "a city nobody gives": (
        "counties.csv",
        lambda text: text.replace("county,130100,", "county,139900,", 1),
        r"counties\.csv:2: column city: there is no division 139900",
    ),
    "a pollutant nobody gives": (
        "base_prices.csv",
        lambda text: text.replace("SO2,", "SO9,", 1),
        r"base_prices\.csv:2: column pollutant: there is no pollutant SO9",
    ),
    "a day that is none": (
        "holidays.csv",
        lambda text: text.replace("2021-01-02", "2021-02-30", 1),
        r"holidays\.csv:3: column day: '2021-02-30'",
    ),
    "a truth that is none": (
        "pollutants.csv",
        lambda text: text.replace("false,false\n", "no,false\n", 1),
        r"pollutants\.csv:2: column demo: 'no'",
    ),
    "a price with three decimals": (
        "base_prices.csv",
        lambda text: text.replace("5000.00", "5000.000", 1),
        r"base_prices\.csv:8: column price",
    ),
    "no source": (
        "cities.csv",
        lambda text: text.replace("GB/T 2260 as published in a public code list", "", 1),
        r"cities\.csv:2: column source: '' is empty",
    ),
    "a row that stands there twice": (
        "industries.csv",
        lambda text: text + text.splitlines()[-1] + "\n",
        r"industries\.csv:23: the same row is in industries\.csv:22",
    ),
    "two base prices for one day": (
        "base_prices.csv",
        lambda text: text.replace("SO2,2016-01-01,2017-12-31", "SO2,2016-01-01,2018-01-01", 1),
        r"base_prices\.csv:12: begins before base_prices\.csv:8 has ended",
    ),
    "an open end before another row": (
        "base_prices.csv",
        lambda text: text.replace("SO2,2016-01-01,2017-12-31", "SO2,2016-01-01,", 1),
        r"base_prices\.csv:12: begins before base_prices\.csv:8 has ended",
    ),
}


@pytest.mark.parametrize(("file", "change", "message"), BREAKAGES.values(), ids=BREAKAGES.keys())
def test_a_wrong_file_is_refused_with_its_line(
    folder: Path, file: str, change: Callable[[str], str], message: str
) -> None:
    edit(folder, file, change)

    with pytest.raises(ReferenceDataError, match=message):
        read_tables(folder)


def test_a_file_that_is_missing_or_not_utf8_is_named(folder: Path) -> None:
    (folder / "holidays.csv").write_bytes("元旦".encode("gb18030"))
    with pytest.raises(ReferenceDataError, match=r"holidays\.csv: 'utf-8'"):
        read_tables(folder)

    (folder / "holidays.csv").unlink()
    with pytest.raises(ReferenceDataError, match=r"holidays\.csv: .*No such file"):
        read_tables(folder)
