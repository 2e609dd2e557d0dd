"""States are tables: ``{(state, step): state}``, one per kind; most steps are the verbs."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from policies.vocabulary import Text
from registry.kernel.errors import WrongState
from registry.kernel.words import DescribedEnum

S = TypeVar("S", bound=DescribedEnum)
T = TypeVar("T", bound=str)


def transition(transitions: Mapping[tuple[S, T], S], state: str, step: T) -> S:
    """The state after ``step``; refuses a step that the state does not have."""
    after = transitions.get((cast("S", state), step))
    if after is None:
        states = type(next(iter(transitions))[0])
        what = f"“{step.text.zh}”" if isinstance(step, DescribedEnum) else "该事项"
        raise WrongState(
            Text(
                f"The step {str(step)!r} is not possible while the state is {str(state)!r}.",
                f"当前状态为“{states(state).text.zh}”，不能办理{what}。",
            ),
            field="state",
        )
    return after


def advance(record: Any, transitions: Mapping[tuple[S, T], S], step: T) -> None:  # noqa: ANN401 - any record with a state
    """Bring a record into the state after ``step``; refuses a step that its state does not have."""
    record.state = transition(transitions, record.state, step).value


def allowed_steps(transitions: Mapping[tuple[S, T], S], state: S) -> tuple[T, ...]:
    """The steps that lead on from ``state``, in the order of the table."""
    return tuple(step for (before, step) in transitions if before == state)
