"""Floors and goals of measured figures, and whether the figures reach them."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure with a floor and a goal.

    Attributes:
        gauge: key of the figure.
        title: the figure in a line of words.
        higher_is_better: whether a larger figure is better.
        floor: figure that must be kept.
        goal: figure that is aimed at.

    """

    gauge: str
    title: str
    higher_is_better: bool
    floor: float
    goal: float

    def worst(self, figures: Iterable[float]) -> float:
        """The figure that decides."""
        return min(figures) if self.higher_is_better else max(figures)

    def verdict(self, figure: float) -> str:
        """``goal`` or ``floor`` for the better mark that is reached, else ``MISSED``."""
        if self._reaches(figure, self.goal):
            return "goal"
        return "floor" if self.is_floor_met(figure) else "MISSED"

    def is_floor_met(self, figure: float) -> bool:
        """Whether the figure keeps the floor."""
        return self._reaches(figure, self.floor)

    def line(self, figures: Mapping[str, float], verdict: str) -> str:
        """The figures as a row of a Markdown table."""
        values = ", ".join(f"{label} {value:.3g}".strip() for label, value in figures.items())
        return f"| {self.title} | {values} | {self.floor:g} | {self.goal:g} | {verdict} |"

    def _reaches(self, figure: float, mark: float) -> bool:
        return figure >= mark if self.higher_is_better else figure <= mark


def read_goals(path: Path) -> list[Goal]:
    """The goals of a CSV file, in the order of the summary."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Goal(
                line["gauge"],
                line["title"],
                line["better"] == "more",
                float(line["floor"]),
                float(line["goal"]),
            )
            for line in csv.DictReader(file)
        ]


Gauges = Mapping[str, Mapping[str, float]]
"""Figures by gauge and label; the label is a persona, a query or empty."""


def summary(
    gauges: Gauges, left_out: Iterable[str], goals: Iterable[Goal]
) -> tuple[list[str], bool]:
    """The last lines of the output: a Markdown table, and whether every floor was kept."""
    lines = ["| figure | measured | floor | goal | verdict |", "| --- | ---: | ---: | ---: | --- |"]
    missed, unmeasured = [], list(left_out)
    for goal in goals:
        figures = gauges.get(goal.gauge)
        if not figures:
            unmeasured.append(goal.gauge)
            continue
        figure = goal.worst(figures.values())
        lines.append(goal.line(figures, goal.verdict(figure)))
        if not goal.is_floor_met(figure):
            missed.append(goal.gauge)
    lines.append(f"below the floor: {', '.join(missed) or 'nothing'}")
    lines.append(f"left out: {', '.join(unmeasured) or 'nothing'}")
    return lines, not missed and not unmeasured
