"""An object that the planner answers: a resolver returns it in place of the object."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """An object of the API, named by what finds it; the executor reads the fields asked for.

    Fields of its type that have no projection are resolved, from ``resolved`` if it is given.

    Attributes:
        type_name: the type, by its name in the API.
        binds: values that its projections name; ``object_id`` finds the row of a type with rows.
        data: the planned fields by their response keys, where they were read already; all others
            are then resolved.
        resolved: the source of the fields that are resolved.

    """

    type_name: str
    binds: Mapping[str, object] = field(default_factory=dict)
    data: Mapping[str, Any] | None = None
    resolved: object = None
