"""Acts of a demonstration as rows of CSV files say them: who does what, when, to what.

Pure reading: knows files and operations, no database.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from registry.access.principals import OPERATOR, REGISTRY, Caller
from registry.commands.command import Operation
from registry.kernel.calendar import CHINA
from registry.kernel.errors import Malformed
from registry.kernel.quantities import parse_money
from seeds.csv_reader import SheetRefused, cell, like, lines

MACHINES: Mapping[str, Caller] = {"operator": OPERATOR, "registry": REGISTRY}
"""Who acts without being a person."""


@dataclass(frozen=True, slots=True)
class Named:
    """The object that an earlier act, named by its row, was about."""

    id: str


@dataclass(frozen=True, slots=True)
class Sold:
    """The right that an earlier opening of a holding, named by its row, entered."""

    id: str


Reader = Callable[[str], object]
Columns = Mapping[str, Reader]


@dataclass(frozen=True, slots=True)
class Part:
    """A file whose rows are the items of an argument of the acts of another file.

    Attributes:
        argument: the argument that takes them, in the order of the file.
        columns: what an item says; the column ``of`` before them names the act.
        make: builds an item of what its row says.

    """

    file: str
    argument: str
    columns: Columns
    make: Callable[..., object] = dict


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file with one act a row.

    Attributes:
        operations: what its rows carry out; with several of them a column says which.
        columns: its arguments, after ``id``, ``at`` and ``by``; an empty cell gives none. ``of``
            names the object of an operation on one that exists.

    """

    file: str
    operations: tuple[Operation[Any], ...]
    columns: Columns
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """One command of the demonstration.

    Attributes:
        where: file and line, as a refusal names them.
        id: of the row; other rows name its object by it.
        by: the subject of a person, or one of ``MACHINES``.
        args: of the operation, ``Named`` and ``Sold`` in place of identifiers.

    """

    where: str
    id: str
    at: datetime
    by: str
    operation: Operation[Any]
    args: Mapping[str, object]

    @property
    def caller(self) -> Caller:
        """Who sends the command."""
        return MACHINES.get(self.by) or Caller(subject=self.by)

    @property
    def names(self) -> Iterator[str]:
        """The rows that must have been carried out before."""
        return _names(self.args)


def moment(said: str) -> datetime:
    """A minute in China such as ``2022-06-07 09:30``."""
    if len(said) != len("2022-06-07 09:30"):
        raise ValueError("is not a minute such as 2022-06-07 09:30")
    return datetime.fromisoformat(said).replace(tzinfo=CHINA)


def maybe(read: Reader) -> Reader:
    """What reads a cell that may be empty."""
    return lambda said: read(said) if said else None


def plain_day(said: str) -> date:
    """A day such as ``2022-06-07``."""
    return date.fromisoformat(said)


def yuan(said: str) -> int:
    """The fen of a decimal in yuan."""
    try:
        return parse_money(said)
    except Malformed as refusal:
        raise ValueError("is no sum in yuan") from refusal


def named(said: str) -> Named:
    """The id of a row."""
    return Named(_id(said))


def sold(said: str) -> Sold:
    """The id of a row that opens a holding."""
    return Sold(_id(said))


_id = like(r"[a-z][a-z0-9-]*")


def read_acts(
    folder: Path, sheets: Iterable[Sheet], *, after: Iterable[Act] = ()
) -> tuple[Act, ...]:
    """The acts of the files, those of ``after`` among them, in the order of their time.

    Raises:
        SheetRefused: with file and line: an unknown column, a wrong cell, an id that stands twice,
            an act that names or is sent by what is not there yet.

    """
    acts = [*after, *(act for sheet in sheets for act in _read(sheet, folder))]
    acts.sort(key=lambda act: act.at)  # Acts of one minute stay in the order of the files.
    _check(acts)
    return tuple(acts)


def without(acts: Iterable[Act], dropped: Collection[str]) -> tuple[Act, ...]:
    """The acts but for the rows named, and whatever names or is sent by something that is gone."""
    gone = set(dropped)
    kept = []
    for act in acts:
        if act.id in gone or act.by in gone or not gone.isdisjoint(act.names):
            gone.add(act.id)
        else:
            kept.append(act)
    return tuple(kept)


def _read(sheet: Sheet, folder: Path) -> Iterator[Act]:
    operations = {operation.name: operation for operation in sheet.operations}
    leading: dict[str, Reader] = {"id": _id, "at": moment, "by": _id}
    if len(operations) > 1:
        leading["operation"] = like("|".join(operations))
    parts = {part.argument: _items(part, folder) for part in sheet.parts}
    first = next(iter(operations))
    for where, said in _rows(folder / sheet.file, {**leading, **sheet.columns}):
        id, at, by = said.pop("id"), said.pop("at"), said.pop("by")
        operation = operations[str(said.pop("operation", first))]
        said |= {argument: items.pop(str(id), []) for argument, items in parts.items()}
        args = {"id" if name == "of" else name: v for name, v in said.items() if v is not None}
        assert isinstance(at, datetime), "read as a moment"
        yield Act(where, str(id), at, str(by), operation, args)
    for part in sheet.parts:
        for orphan in parts[part.argument]:
            raise SheetRefused(f"{part.file}: {sheet.file} has no row {orphan}")


def _items(part: Part, folder: Path) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for _, said in _rows(folder / part.file, {"of": _id, **part.columns}):
        of = str(said.pop("of"))
        item = {name: value for name, value in said.items() if value is not None}
        found.setdefault(of, []).append(part.make(**item))
    return found


def _rows(path: Path, columns: Columns) -> Iterator[tuple[str, dict[str, object]]]:
    for where, cells in lines(path, list(columns)):
        yield (
            where,
            {
                column: cell(where, column, read, said)
                for (column, read), said in zip(columns.items(), cells, strict=True)
            },
        )


def _check(acts: Iterable[Act]) -> None:
    known: set[str] = set()
    subjects = set(MACHINES)
    for act in acts:
        if act.id in known:
            raise SheetRefused(f"{act.where}: the id {act.id} stands twice")
        for missing in (*(set(act.names) - known), *({act.by} - subjects)):
            raise SheetRefused(f"{act.where}: {missing} is not there yet")
        known.add(act.id)
        subjects |= _subjects(act)


def _subjects(act: Act) -> set[str]:
    """The names under which people can sign in once the act is done."""
    founders = act.args.get("founders")
    people = [founder.subject for founder in founders] if isinstance(founders, list) else []
    return {str(act.args["subject"]), *people} if "subject" in act.args else set(people)


def _names(value: object) -> Iterator[str]:
    match value:
        case Named(id) | Sold(id):
            yield id
        case Mapping():
            for item in value.values():
                yield from _names(item)
        case list():
            for item in value:
                yield from _names(item)
