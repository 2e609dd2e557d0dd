"""States are tables: ``{(state, step): state}``, one per concept; one function advances."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from policies.vocabulary import Text
from registry.kernel.errors import WrongState

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T", bound=StrEnum)


def transition(transitions: Mapping[tuple[S, T], S], state: S, step: T) -> S:
    """The state after ``step``.

    Raises:
        WrongState: the life has no such step from ``state``.

    """
    try:
        return transitions[state, step]
    except KeyError:
        raise WrongState(
            Text(
                f"The step {step.value!r} is not possible while the state is {state.value!r}.",
                f"当前状态“{state.value}”下不能执行“{step.value}”。",
            ),
            field="state",
        ) from None


def allowed_steps(transitions: Mapping[tuple[S, T], S], state: S) -> tuple[T, ...]:
    """The steps that lead on from ``state``, in the order of the table."""
    return tuple(step for (before, step) in transitions if before == state)
