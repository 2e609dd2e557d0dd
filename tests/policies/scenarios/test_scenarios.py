"""Who may do what, in plain words, tried over real HTTP; ``scenarios.csv`` is the table."""

import pytest

from tests.policies.scenarios.scenarios import (
    CROSSING,
    FOUNDING,
    Answer,
    Scenario,
    Stage,
    scenarios,
)
from tests.support.cluster import Database
from tests.support.demo_databases import Told
from tests.support.live_server import a_portal

LINES = scenarios()


async def test_scenarios_of_the_founding_day(founded: Database, founding: Told) -> None:
    await play(founding, FOUNDING)


async def test_scenarios_across_cities_in_2026(crossed: Database, crossing: Told) -> None:
    await play(crossing, CROSSING)


def test_each_scenario_has_its_number_its_words_and_its_day() -> None:
    assert [line.number for line in LINES] == [str(number + 1) for number in range(len(LINES))]
    assert len({line.story for line in LINES}) == len(LINES) >= 150
    assert {line.day for line in LINES} == {FOUNDING, CROSSING}


def test_a_scenario_fits_its_answer_and_no_other() -> None:
    line = Scenario(*["1", "", "", "", "", "", "", "", "", "", "no rule", "T-12", "not eligible"])

    assert line.fits(Answer("no rule", {"T-12": "not eligible", "T-13": ""}))
    assert not line.fits(Answer("forbidden", {"T-12": "not eligible"}))
    assert not line.fits(Answer("no rule", {"T-13": "not eligible"}))
    assert not line.fits(Answer("no rule", {"T-12": "elsewhere"}))


async def play(story: Told, day: str) -> None:
    """All lines of a day; all are previews, so one copy serves them."""
    async with a_portal() as portal:
        stage = Stage(portal, story.loaded.objects)
        answers = [(line, await stage.play(line)) for line in LINES if line.day == day]
    surprises = [
        f"{line.number}. {line.story}\n  not {line.outcome} {line.rule} {line.because!r},"
        f" but {answer.outcome} {dict(answer.reasons)}"
        for line, answer in answers
        if not line.fits(answer)
    ]
    if surprises:
        pytest.fail("\n".join(surprises), pytrace=False)
