"""Acts of a demonstration as rows of CSV files say them: who does what, when, to what.

Pure reading: knows files and operations, no database.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from registry.access.principals import OPERATOR_PRINCIPAL, SYSTEM_PRINCIPAL, Principal
from registry.commands.command import Operation
from registry.kernel.calendar import CHINA
from registry.kernel.errors import Malformed
from registry.kernel.quantities import parse_money
from seeds.csv_reader import CsvError, matching, parse_cell, read_rows

SYSTEM_ACTORS: Mapping[str, Principal] = {
    "operator": OPERATOR_PRINCIPAL,
    "registry": SYSTEM_PRINCIPAL,
}
"""Senders that are no person."""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """The object that an earlier act, named by its row, was about."""

    id: str


@dataclass(frozen=True, slots=True)
class RightRef:
    """The right that an earlier opening of a holding, named by its row, entered."""

    id: str


CellParser = Callable[[str], object]
Columns = Mapping[str, CellParser]


@dataclass(frozen=True, slots=True)
class ChildTable:
    """A file whose rows are the items of an argument of the acts of another file.

    Attributes:
        argument: the argument that takes them, in the order of the file.
        columns: what an item says; the column ``of`` before them names the act.
        factory: builds an item of what its row says.

    """

    file: str
    argument: str
    columns: Columns
    factory: Callable[..., object] = dict


@dataclass(frozen=True, slots=True)
class ScenarioTable:
    """A file with one act a row.

    Attributes:
        operations: what its rows carry out; with several of them a column says which.
        columns: its arguments, after ``id``, ``at`` and ``actor``; an empty cell gives none. ``of``
            names the object of an operation on one that exists.

    """

    file: str
    operations: tuple[Operation[Any], ...]
    columns: Columns
    children: tuple[ChildTable, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One command of the demonstration.

    Attributes:
        location: file and line, as a refusal names them.
        id: of the row; other rows name its object by it.
        actor: the subject of a person, or one of ``SYSTEM_ACTORS``.
        args: of the operation, ``ObjectRef`` and ``RightRef`` in place of identifiers.

    """

    location: str
    id: str
    at: datetime
    actor: str
    operation: Operation[Any]
    args: Mapping[str, object]

    @property
    def caller(self) -> Principal:
        """The sender of the command."""
        return SYSTEM_ACTORS.get(self.actor) or Principal(subject=self.actor)

    @property
    def references(self) -> Iterator[str]:
        """The rows that must have been carried out before."""
        return _referenced_rows(self.args)


def parse_minute(value: str) -> datetime:
    """A minute in China such as ``2022-06-07 09:30``."""
    if len(value) != len("2022-06-07 09:30"):
        raise ValueError("is not a minute such as 2022-06-07 09:30")
    return datetime.fromisoformat(value).replace(tzinfo=CHINA)


def optional(parse: CellParser) -> CellParser:
    """A parser of a cell that may be empty."""
    return lambda said: parse(said) if said else None


def parse_date(value: str) -> date:
    """A day such as ``2022-06-07``."""
    return date.fromisoformat(value)


def parse_yuan(value: str) -> int:
    """The fen of a decimal in yuan."""
    try:
        return parse_money(value)
    except Malformed as refusal:
        raise ValueError("is no sum in yuan") from refusal


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
    """The acts of the files, those of ``after`` among them, in the order of their time.

    Raises:
        SheetRefused: with file and line: an unknown column, a wrong cell, a duplicate id,
            an act that names or is sent by what is not there yet.

    """
    acts = [*after, *(act for sheet in tables for act in _read_table(sheet, folder))]
    acts.sort(key=lambda act: act.at)  # Acts of one minute stay in the order of the files.
    _check_references(acts)
    return tuple(acts)


def without_rows(
    steps: Iterable[ScenarioStep], dropped: Collection[str]
) -> tuple[ScenarioStep, ...]:
    """The steps without the rows named and without those that refer to them."""
    gone = set(dropped)
    kept = []
    for act in steps:
        if act.id in gone or act.actor in gone or not gone.isdisjoint(act.references):
            gone.add(act.id)
        else:
            kept.append(act)
    return tuple(kept)


def _read_table(table: ScenarioTable, folder: Path) -> Iterator[ScenarioStep]:
    operations = {operation.name: operation for operation in table.operations}
    leading: dict[str, CellParser] = {"id": _parse_id, "at": parse_minute, "by": _parse_id}
    if len(operations) > 1:
        leading["operation"] = matching("|".join(operations))
    parts = {part.argument: _read_children(part, folder) for part in table.children}
    first = next(iter(operations))
    for where, said in _rows(folder / table.file, {**leading, **table.columns}):
        id, at, by = said.pop("id"), said.pop("at"), said.pop("by")
        operation = operations[str(said.pop("operation", first))]
        said |= {argument: items.pop(str(id), []) for argument, items in parts.items()}
        args = {"id" if name == "of" else name: v for name, v in said.items() if v is not None}
        assert isinstance(at, datetime), "read as a moment"
        yield ScenarioStep(where, str(id), at, str(by), operation, args)
    for part in table.children:
        for orphan in parts[part.argument]:
            raise CsvError(f"{part.file}: {table.file} has no row {orphan}")


def _read_children(table: ChildTable, folder: Path) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for _, said in _rows(folder / table.file, {"of": _parse_id, **table.columns}):
        of = str(said.pop("of"))
        item = {name: value for name, value in said.items() if value is not None}
        found.setdefault(of, []).append(table.factory(**item))
    return found


def _rows(path: Path, columns: Columns) -> Iterator[tuple[str, dict[str, object]]]:
    for where, cells in read_rows(path, list(columns)):
        yield (
            where,
            {
                column: parse_cell(where, column, read, said)
                for (column, read), said in zip(columns.items(), cells, strict=True)
            },
        )


def _check_references(steps: Iterable[ScenarioStep]) -> None:
    known: set[str] = set()
    subjects = set(SYSTEM_ACTORS)
    for act in steps:
        if act.id in known:
            raise CsvError(f"{act.location}: the id {act.id} stands twice")
        for missing in (*(set(act.references) - known), *({act.actor} - subjects)):
            raise CsvError(f"{act.location}: {missing} is not there yet")
        known.add(act.id)
        subjects |= _subjects(act)


def _subjects(step: ScenarioStep) -> set[str]:
    """The names under which people can sign in once the act is done."""
    founders = step.args.get("founders")
    people = [founder.subject for founder in founders] if isinstance(founders, list) else []
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
