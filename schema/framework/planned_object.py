"""An object that the planner answers: a resolver returns it in place of the object."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """An object of the API, named by what finds it; the executor reads the fields asked for.

    Fields of its type that have no projection are resolved, from ``resolved`` if it is given.
    """

    type_name: str  # The type, by its name in the API.
    # Values that its projections name; ``object_id`` finds the row of a type with rows.
    binds: Mapping[str, object] = field(default_factory=dict)
    # The planned fields by their response keys, where they were read already; all others are then
    # resolved.
    data: Mapping[str, Any] | None = None
    resolved: object = None  # The source of the fields that are resolved.
