"""The parameters of operations: each is declared once, where the operation takes it.

An operation takes keyword arguments, or the keys of an unpacked ``TypedDict``. The annotation of
each is ``Annotated[type, Parameter(...)]``; the API makes its inputs from these declarations.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from inspect import Parameter as Argument
from inspect import signature
from typing import Annotated, Any, NotRequired, Unpack, get_args, get_origin, get_type_hints

from registry.kernel.identifiers import REASON_LENGTH_MAX, SOURCE_LENGTH_MAX


@dataclass(frozen=True, slots=True)
class Parameter:
    """The part of a declaration that its type does not say."""

    description: str = ""  # English with the Chinese term.
    refers: str = ""  # The kind of object that an identifier names.
    codes: str = ""  # The type of reference data whose code a text is.
    # The value where the client sends none; of an argument, its own default holds.
    default: object = None
    is_offered: bool = True  # Clients of the API may send it.


Demo = Annotated[bool, Parameter("Demonstration data 是否演示数据.", default=False)]

Reason = Annotated[str, Parameter(f"Why, 1 to {REASON_LENGTH_MAX} characters 原因.")]

Source = Annotated[
    str, Parameter(f"Where it was read, 1 to {SOURCE_LENGTH_MAX} characters 数据来源.")
]


@dataclass(frozen=True, slots=True)
class DeclaredParameter:
    """A parameter as it is declared."""

    type: Any  # Without the declaration around it.
    parameter: Parameter | None  # None where the annotation has none.
    is_required: bool  # Whether it has to be sent.


def parameters_of(*functions: Callable[..., object]) -> dict[str, DeclaredParameter]:
    """The parameters of functions that take the same arguments; the first description holds."""
    declared: dict[str, DeclaredParameter] = {}
    for function in functions:
        hints = get_type_hints(function, include_extras=True)
        for argument in signature(function).parameters.values():
            for name, found in _declared_by(argument, hints.get(argument.name)).items():
                known = declared.get(name)
                if known is None or known.parameter is None:
                    declared[name] = found
    return declared


def keys_of(typed_dict: Any) -> dict[str, DeclaredParameter]:  # noqa: ANN401 - no type says TypedDict
    """The keys of a ``TypedDict``."""
    required = typed_dict.__required_keys__
    return {
        name: _declare(hint, is_required=name in required)
        for name, hint in get_type_hints(typed_dict, include_extras=True).items()
    }


def _declared_by(argument: Argument, hint: object) -> Mapping[str, DeclaredParameter]:
    if argument.kind is Argument.VAR_KEYWORD and get_origin(hint) is Unpack:
        return keys_of(get_args(hint)[0])
    if argument.kind is not Argument.KEYWORD_ONLY:
        return {}
    found = _declare(hint, is_required=argument.default is Argument.empty)
    if found.parameter and not found.is_required:
        found = replace(found, parameter=replace(found.parameter, default=argument.default))
    return {argument.name: found}


def _declare(hint: object, *, is_required: bool) -> DeclaredParameter:
    parameter: Parameter | None = None
    while get_origin(hint) in {Annotated, NotRequired}:
        hint, *said = get_args(hint)
        parameter = parameter or next((each for each in said if isinstance(each, Parameter)), None)
    return DeclaredParameter(hint, parameter, is_required)
