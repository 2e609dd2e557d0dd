"""The input of a command, made from the parameters that its operation declares."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from inspect import getdoc
from types import UnionType
from typing import Any, Union, get_args, get_origin, is_typeddict
from uuid import UUID

import strawberry
from strawberry.utils.str_converters import to_camel_case

from policies.vocabulary import VOCABULARY
from registry.access.principals import RoleName
from registry.commands.operation import Operation
from registry.kernel.parameters import DeclaredParameter, Parameter, keys_of, parameters_of
from schema.framework.directives import Codes, Refers
from schema.framework.enums import Role
from schema.framework.inputs import NODE_ID_KEY, CommandInput

_API_TYPES: dict[object, Any] = {UUID: strawberry.ID, RoleName: Role}
"""The types of parameters that the API names otherwise; enums and scalars are its own already."""


def command_inputs(
    operations: Iterable[Operation[Any]], shared: Mapping[str, Collection[Operation[Any]]]
) -> dict[str, type[CommandInput]]:
    """The input of each operation, by its name."""
    inputs = {each.name: command_input(each) for each in operations}
    for name, sharing in shared.items():
        first, *others = (_parameters(each) for each in sharing)
        if any(other != first for other in others):
            raise ValueError(f"the operations of {name} declare different parameters")
        mutations = ", ".join(to_camel_case(each.name) for each in sharing)
        made = _input_type(name, f"The input of {mutations} 办理输入.", first)
        inputs |= {each.name: made for each in sharing}
    return inputs


def command_input(operation: Operation[Any]) -> type[CommandInput]:
    """The input of one operation, named after it."""
    name = f"{operation.name.title().replace('_', '')}Input"
    said = f"The input of {to_camel_case(operation.name)} 办理输入."
    made: type[CommandInput] = _input_type(name, said, _parameters(operation))
    return made


def describe_operation(operation: Operation[Any]) -> str:
    """The first paragraph of its docstring, with the Chinese terms of its kind and verb."""
    summary = (getdoc(operation.execute) or "").partition("\n\n")[0].replace("\n", " ")
    kind = VOCABULARY.kinds[operation.kind.name]
    verb = VOCABULARY.verb(operation.kind.name, operation.verb)
    said = verb.text.zh if verb else ""
    if verb and verb.remark:
        said = f"{said}（{verb.remark.zh}）"
    return f"{summary.rstrip('.')} {kind.text.zh}：{said}."


def _parameters(operation: Operation[Any]) -> dict[str, DeclaredParameter]:
    """The parameters of the operation; the object that it changes comes first."""
    kind = operation.kind.name
    text = VOCABULARY.kinds[kind].text
    named = Parameter(f"The {text.en} {text.zh}.", refers=kind)
    own = {} if operation.build else {"id": DeclaredParameter(UUID, named, is_required=True)}
    functions = [each for each in (operation.build, operation.execute) if each]
    return own | parameters_of(*functions)


@cache
def _nested_input(draft: Any) -> Any:  # noqa: ANN401 - from a TypedDict, which no type says
    name = draft.__name__.removesuffix("Draft")
    return _input_type(f"{name}Input", str(draft.__doc__), keys_of(draft), base=())


def _input_type(
    name: str,
    description: str,
    declared: Mapping[str, DeclaredParameter],
    *,
    base: tuple[type, ...] = (CommandInput,),
) -> Any:  # noqa: ANN401 - a type made here
    annotations: dict[str, Any] = {}
    body: dict[str, Any] = {"__annotations__": annotations, "__doc__": description}
    for key, found in declared.items():
        if found.parameter is None:
            raise ValueError(f"{name}: the parameter {key} has no description")
        if found.parameter.is_offered:
            annotations[key], body[key] = _input_field(found, found.parameter)
    return strawberry.input(type(name, base, body), description=description)


def _input_field(declared: DeclaredParameter, parameter: Parameter) -> tuple[Any, Any]:
    """The annotation and the field of a parameter."""
    annotation, options = _api_type(declared.type), dict[str, Any]()
    if isinstance(parameter.default, Sequence) and not isinstance(parameter.default, str):
        options = {"default_factory": list}
    elif parameter.default is not None:
        options = {"default": parameter.default}
    elif not declared.is_required:
        annotation, options = Union[annotation, None], {"default": strawberry.UNSET}  # noqa: UP007
    directives: list[object] = [Refers(kind=parameter.refers)] if parameter.refers else []
    directives += [Codes(of=parameter.codes)] if parameter.codes else []
    return annotation, strawberry.field(
        description=parameter.description,
        metadata={NODE_ID_KEY: parameter.refers} if parameter.refers else {},
        directives=directives,
        **options,
    )


def _api_type(declared: Any) -> Any:  # noqa: ANN401 - any annotation
    members = [_api_type(each) for each in get_args(declared)]
    if get_origin(declared) in {Union, UnionType}:
        return Union[tuple(members)]  # noqa: UP007 - the members are values here
    if get_origin(declared) is Sequence:
        return list[members[0]]  # type: ignore[valid-type]  # Likewise.
    return _nested_input(declared) if is_typeddict(declared) else _API_TYPES.get(declared, declared)
