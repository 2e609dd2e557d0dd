"""What is to be reached, and whether it was: ``goals.csv`` beside this file."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

GOALS = Path(__file__).with_name("goals.csv")


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure with the least that is kept and what is aimed at.

    Attributes:
        gauge: its key.
        title: what it is, in a line.
        higher_is_better: whether a larger figure is the better one.
        floor: what must be kept.
        goal: what is aimed at.

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
        """Goal, floor or neither."""
        if self._reaches(figure, self.goal):
            return "goal"
        return "floor" if self.is_floor_met(figure) else "MISSED"

    def is_floor_met(self, figure: float) -> bool:
        """Whether the floor is."""
        return self._reaches(figure, self.floor)

    def _reaches(self, figure: float, mark: float) -> bool:
        return figure >= mark if self.higher_is_better else figure <= mark


def read_goals() -> list[Goal]:
    """All goals in the order in which they are told."""
    with GOALS.open(encoding="utf-8", newline="") as file:
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
"""By gauge and by whose it is - a sitter, or nobody's in particular."""


def summary(gauges: Gauges, left_out: Iterable[str]) -> tuple[list[str], bool]:
    """The lines that end the output, and whether every floor was kept and nothing left out."""
    lines, missed, unmeasured = [], [], list(left_out)
    for goal in read_goals():
        figures = gauges.get(goal.gauge)
        if not figures:
            unmeasured.append(goal.gauge)
            continue
        figure = goal.worst(figures.values())
        said = ", ".join(f"{whose} {one:.3g}".strip() for whose, one in figures.items())
        marks = f"floor {goal.floor:g}, goal {goal.goal:g}"
        lines.append(f"{goal.verdict(figure):6}  {goal.title}: {said} ({marks})")
        if not goal.is_floor_met(figure):
            missed.append(goal.gauge)
    lines.append(f"below the floor: {', '.join(missed) or 'nothing'}")
    lines.append(f"left out: {', '.join(unmeasured) or 'nothing'}")
    return lines, not missed and not unmeasured
