"""Observations of the running request, kept in a context variable."""

from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Observation:
    """Notes about one request."""

    request_id: str = ""  # Its name in log lines.
    operation: str = ""  # Name of its GraphQL operation; empty before that is known.
    codes: list[str] = field(default_factory=list)  # Of the errors and refusals in its answer.


_current: ContextVar[Observation | None] = ContextVar("observation", default=None)


def start_observation(request_id: str = "") -> Observation:
    """Begin the notes of the request that runs in this context."""
    observation = Observation(request_id)
    _current.set(observation)
    return observation


def current_observation() -> Observation | None:
    """The notes of the request that runs in this context; None outside of requests."""
    return _current.get()


def note_operation(name: str) -> None:
    """Note the name of the operation."""
    observation = _current.get()
    if observation is not None:
        observation.operation = name


def note_code(code: str) -> None:
    """Note the code of an error or refusal in the answer."""
    observation = _current.get()
    if observation is not None:
        observation.codes.append(code)
