"""Steps of a demonstration, read from CSV files: actor, time, operation, object.

It reads files and knows the operations, but no database.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from registry.access.principals import OPERATOR_PRINCIPAL, SYSTEM_PRINCIPAL, Principal
from registry.commands.operation import Operation
from registry.kernel.calendar import CHINA
from registry.kernel.errors import Malformed
from registry.kernel.quantities import parse_money
from seeds.csv_reader import CsvError, matching, parse_cell, read_rows

SYSTEM_ACTORS: Mapping[str, Principal] = {
    "operator": OPERATOR_PRINCIPAL,
    "registry": SYSTEM_PRINCIPAL,
}
"""Actors that are not people."""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """The object of an earlier step, named by the id of its row."""

    id: str


@dataclass(frozen=True, slots=True)
class RightRef:
    """The right that an earlier step opened as a holding, named by the id of its row."""

    id: str


CellParser = Callable[[str], object]
Columns = Mapping[str, CellParser]


@dataclass(frozen=True, slots=True)
class ChildTable:
    """A file whose rows are the items of one argument of the steps of another file.

    Attributes:
        argument: the argument that takes the items, in the order of the file.
        columns: of an item; the column ``of`` before them names the step.
        factory: builds an item from its cells.

    """

    file: str
    argument: str
    columns: Columns
    factory: Callable[..., object] = dict


@dataclass(frozen=True, slots=True)
class ScenarioTable:
    """A file with one step a row.

    Attributes:
        operations: of its rows; if there are several, a column names the operation.
        columns: the arguments, after ``id``, ``at`` and ``by``; an empty cell gives no argument.
            ``of`` names the object of an operation on an object that exists.

    """

    file: str
    operations: tuple[Operation[Any], ...]
    columns: Columns
    children: tuple[ChildTable, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One command of the demonstration.

    Attributes:
        location: file and line, for error messages.
        id: of the row; other rows refer to its object by this id.
        actor: the subject of a person, or one of ``SYSTEM_ACTORS``.
        args: of the operation, with ``ObjectRef`` and ``RightRef`` in place of identifiers.

    """

    location: str
    id: str
    at: datetime
    actor: str
    operation: Operation[Any]
    args: Mapping[str, object]

    @property
    def caller(self) -> Principal:
        """The principal that sends the command."""
        return SYSTEM_ACTORS.get(self.actor) or Principal(subject=self.actor)

    @property
    def references(self) -> Iterator[str]:
        """The rows whose steps must come before."""
        return _referenced_rows(self.args)


def parse_minute(value: str) -> datetime:
    """A minute in China such as ``2022-06-07 09:30``."""
    if len(value) != len("2022-06-07 09:30"):
        raise ValueError("is not a minute such as 2022-06-07 09:30")
    return datetime.fromisoformat(value).replace(tzinfo=CHINA)


def optional(parse: CellParser) -> CellParser:
    """A parser of cells that may be empty."""
    return lambda cell: parse(cell) if cell else None


def parse_date(value: str) -> date:
    """A day such as ``2022-06-07``."""
    return date.fromisoformat(value)


def parse_yuan(value: str) -> int:
    """The fen of a decimal number in yuan."""
    try:
        return parse_money(value)
    except Malformed as refusal:
        raise ValueError("is not an amount in yuan") from refusal


def object_ref(value: str) -> ObjectRef:
    """The id of a row."""
    return ObjectRef(_parse_id(value))


def right_ref(value: str) -> RightRef:
    """The id of a row that opens a holding."""
    return RightRef(_parse_id(value))


_parse_id = matching(r"[a-z][a-z0-9-]*")


def read_steps(
    folder: Path, tables: Iterable[ScenarioTable], *, after: Iterable[ScenarioStep] = ()
) -> tuple[ScenarioStep, ...]:
    """The steps of the files and of ``after``, in the order of their time.

    Raises:
        CsvError: with file and line: an unknown column, a wrong cell, an id that occurs twice, a
            step whose actor or object does not exist yet.

    """
    steps = [*after, *(step for table in tables for step in _read_table(table, folder))]
    steps.sort(key=lambda step: step.at)  # Steps of one minute keep the order of the files.
    _check_references(steps)
    return tuple(steps)


def without_rows(
    steps: Iterable[ScenarioStep], dropped: Collection[str]
) -> tuple[ScenarioStep, ...]:
    """The steps without the dropped rows, and without all steps that depend on a dropped row."""
    gone = set(dropped)
    kept = []
    for step in steps:
        if step.id in gone or step.actor in gone or not gone.isdisjoint(step.references):
            gone.add(step.id)
        else:
            kept.append(step)
    return tuple(kept)


def _read_table(table: ScenarioTable, folder: Path) -> Iterator[ScenarioStep]:
    operations = {operation.name: operation for operation in table.operations}
    leading: dict[str, CellParser] = {"id": _parse_id, "at": parse_minute, "by": _parse_id}
    if len(operations) > 1:
        leading["operation"] = matching("|".join(operations))
    children = {child.argument: _read_children(child, folder) for child in table.children}
    first = next(iter(operations))
    for location, values in _rows(folder / table.file, {**leading, **table.columns}):
        id, at, by = values.pop("id"), values.pop("at"), values.pop("by")
        operation = operations[str(values.pop("operation", first))]
        values |= {argument: items.pop(str(id), []) for argument, items in children.items()}
        args = {"id" if name == "of" else name: v for name, v in values.items() if v is not None}
        assert isinstance(at, datetime), "parsed as a datetime"
        yield ScenarioStep(location, str(id), at, str(by), operation, args)
    for child in table.children:
        for orphan in children[child.argument]:
            raise CsvError(f"{child.file}: {table.file} has no row {orphan}")


def _read_children(table: ChildTable, folder: Path) -> dict[str, list[object]]:
    items: dict[str, list[object]] = {}
    for _, values in _rows(folder / table.file, {"of": _parse_id, **table.columns}):
        of = str(values.pop("of"))
        item = {name: value for name, value in values.items() if value is not None}
        items.setdefault(of, []).append(table.factory(**item))
    return items


def _rows(path: Path, columns: Columns) -> Iterator[tuple[str, dict[str, object]]]:
    for location, cells in read_rows(path, list(columns)):
        yield (
            location,
            {
                column: parse_cell(location, column, parse, cell)
                for (column, parse), cell in zip(columns.items(), cells, strict=True)
            },
        )


def _check_references(steps: Iterable[ScenarioStep]) -> None:
    ids: set[str] = set()
    subjects = set(SYSTEM_ACTORS)
    for step in steps:
        if step.id in ids:
            raise CsvError(f"{step.location}: the id {step.id} occurs twice")
        for missing in (*(set(step.references) - ids), *({step.actor} - subjects)):
            raise CsvError(f"{step.location}: {missing} does not exist yet")
        ids.add(step.id)
        subjects |= _subjects(step)


def _subjects(step: ScenarioStep) -> set[str]:
    """The subjects that can sign in after the step."""
    first_officers = step.args.get("first_officers")
    people = (
        [officer.subject for officer in first_officers] if isinstance(first_officers, list) else []
    )
    return {str(step.args["subject"]), *people} if "subject" in step.args else set(people)


def _referenced_rows(value: object) -> Iterator[str]:
    match value:
        case ObjectRef(id) | RightRef(id):
            yield id
        case Mapping():
            for item in value.values():
                yield from _referenced_rows(item)
        case list():
            for item in value:
                yield from _referenced_rows(item)
