"""Permissions in plain words, tried over real HTTP; ``scenarios.csv`` is the table."""

import pytest

from tests.policies.scenarios.scenarios import (
    CROSSING,
    FOUNDING,
    Answer,
    Scenario,
    ScenarioRunner,
    scenarios,
)
from tests.support.cluster import Database
from tests.support.demo_databases import LoadedDemo
from tests.support.live_server import open_portal

LINES = scenarios()


async def test_scenarios_of_the_founding_day(
    founding_database: Database, founding_demo: LoadedDemo
) -> None:
    await run_scenarios(founding_demo, FOUNDING)


async def test_scenarios_across_cities_in_2026(
    cross_region_database: Database, cross_region_demo: LoadedDemo
) -> None:
    await run_scenarios(cross_region_demo, CROSSING)


def test_each_scenario_has_its_number_its_words_and_its_day() -> None:
    assert [line.number for line in LINES] == [str(number + 1) for number in range(len(LINES))]
    assert len({line.story for line in LINES}) == len(LINES) >= 150
    assert {line.day for line in LINES} == {FOUNDING, CROSSING}


def test_a_scenario_fits_its_answer_and_no_other() -> None:
    line = Scenario(*["1", "", "", "", "", "", "", "", "", "", "no rule", "T-12", "not eligible"])

    assert line.matches(Answer("no rule", {"T-12": "not eligible", "T-13": ""}))
    assert not line.matches(Answer("forbidden", {"T-12": "not eligible"}))
    assert not line.matches(Answer("no rule", {"T-13": "not eligible"}))
    assert not line.matches(Answer("no rule", {"T-12": "elsewhere"}))


async def run_scenarios(story: LoadedDemo, day: str) -> None:
    """All lines of a day; all are previews, so one copy serves them."""
    async with open_portal() as portal:
        stage = ScenarioRunner(portal, story.report.object_ids)
        answers = [(line, await stage.run(line)) for line in LINES if line.day == day]
    surprises = [
        f"{line.number}. {line.story}\n  not {line.outcome} {line.rule} {line.because!r},"
        f" but {answer.outcome} {dict(answer.reasons)}"
        for line, answer in answers
        if not line.matches(answer)
    ]
    if surprises:
        pytest.fail("\n".join(surprises), pytrace=False)
