"""The selection of a query, free of GraphQL: fields by response key, arguments, sub-selections.

Values that decide the text of the statement are kept apart from bound values: ``structural_key``
of the arguments is part of the key a plan is kept under.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Arguments = Mapping[str, Any]
"""The coerced arguments of one field, by their names in the API."""

LITERAL_ARGUMENTS = frozenset({"first", "last"})
"""Arguments whose value is part of the text: with a bound LIMIT it would be planned anew each
time it is executed.
"""


@dataclass(frozen=True, slots=True)
class SelectedField:
    """One key of the answer."""

    response_key: str  # How the answer calls it.
    name: str  # How the type calls it.
    # Which of the operation's argument lists is its own; -1 where it takes none.
    argument_index: int = -1
    # Its arguments as they are while the plan is made; only their shape may be relied on.
    arguments: Arguments = field(default_factory=dict)
    # The fields asked of the object it leads to, by the type of that object.
    selections: Mapping[str, "Selection"] = field(default_factory=dict)


Selection = Sequence[SelectedField]

ResponsePath = tuple[str | int, ...]
"""Keys of the answer, with 0 for the first object of a list."""


class ArgumentError(Exception):
    """The arguments of a field are refused.

    Attributes:
        path: where the answer would have shown the field, below the planned object.
        argument_index: see ``SelectedField``.
        cause: the refusal.

    """

    def __init__(self, path: ResponsePath, argument_index: int, cause: Exception) -> None:
        super().__init__(str(cause))
        self.path, self.argument_index, self.cause = path, argument_index, cause


def structural_key(value: object, name: str = "") -> object:
    """The part of an argument that decides the text: presence, truth, words, page sizes.

    Hashable for every argument.
    """
    if value is None or isinstance(value, bool):
        return value
    # An order decides the statement; a stored word is a value to compare with, as any text.
    if isinstance(value, Enum) and not isinstance(value, str):
        return value
    if isinstance(value, dict):
        return tuple((key, structural_key(inner, key)) for key, inner in value.items())
    if isinstance(value, tuple):
        # An identifier that was read: of its kind, whichever object it names.
        return value[0]
    if isinstance(value, list):
        # A single value is compared by another operator than several.
        return list, len(value) == 1
    return value if name in LITERAL_ARGUMENTS else type(value)
