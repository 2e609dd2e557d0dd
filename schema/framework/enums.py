"""Enums of the API: names in SCREAMING_SNAKE_CASE, each value described in both languages."""

from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, cast

import strawberry
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition

from policies.rulebook import ALLOW, DENY
from policies.vocabulary import VOCABULARY, Text
from registry.reading.enum_names import enum_name

E = TypeVar("E", bound=type[Enum])


def describe_enum(words: E, description: str, /, *, graphql_name: str = "", **values: str) -> E:
    """Make an enum of the registry one of the API.

    Args:
        words: the enum; its values are the words that are stored.
        description: English with the Chinese term.
        graphql_name: the name in the API where it differs from that of the class.
        values: the description of each value, by its stored word.

    Raises:
        ValueError: the descriptions are not exactly those of the values.

    """
    strawberry.enum(words, name=graphql_name or None, description=description)
    definition = definition_of(words)
    if {value.value for value in definition.values} != values.keys():
        raise ValueError(f"{words.__name__}: describe exactly its values")
    for value in definition.values:
        value.name = enum_name(value.value)
        value.description = values[value.value]
    return words


if TYPE_CHECKING:
    ObjectState = str
else:

    class ObjectState(StrEnum):
        """Every state of every kind of object; ``describe_state`` adds those of one kind."""

    strawberry.enum(ObjectState, description="A state of an object of any kind 对象状态.")


def describe_state(words: E, description: str, /, *, graphql_name: str = "", **values: str) -> E:
    """Likewise for the states of a kind, which become values of ``ObjectState`` too."""
    describe_enum(words, description, graphql_name=graphql_name, **values)
    known = definition_of(ObjectState).values
    for value in definition_of(words).values:
        same = next((other for other in known if other.name == value.name), None)
        if same is None:
            known.append(EnumValue(value.name, value.value, description=value.description))
    known.sort(key=lambda value: value.name)
    return words


def definition_of(words: type) -> StrawberryEnumDefinition:
    """How the API shows an enum."""
    return cast("StrawberryEnumDefinition", vars(words)["__strawberry_definition__"])


def enum_of_words(name: str, description: str, words: Mapping[str, str]) -> Any:  # noqa: ANN401 - a new enum
    """An enum of the API from words and their descriptions."""
    made = StrEnum(name, {enum_name(word): word for word in words})  # type: ignore[misc]  # Its members are data.
    return describe_enum(made, description, **words)


def _describe(text: Text) -> str:
    return f"{text.en[0].upper()}{text.en[1:]} {text.zh}"


def _joined(texts: Iterable[Text]) -> str:
    """One description of a word that several kinds use, each with its own Chinese term."""
    found = list(dict.fromkeys(texts))
    return _describe(Text(found[0].en, "、".join(dict.fromkeys(text.zh for text in found))))


def _verbs() -> dict[str, str]:
    texts: dict[str, list[Text]] = {}
    remarks: dict[str, str] = {}
    for kind in VOCABULARY.kinds.values():
        for verb in kind.verbs:
            texts.setdefault(verb.name, []).append(verb.text)
            if verb.remark:
                remarks[verb.name] = f". {verb.remark.en} {verb.remark.zh}"
    return {name: _joined(found) + remarks.get(name, "") for name, found in texts.items()}


if TYPE_CHECKING:
    Verb = str
    Role = str
    RuleSubject = str
    ObjectKind = str
    RuleEffect = str
else:
    Verb = enum_of_words("Verb", "A verb of the rule book 操作.", _verbs())
    Role = enum_of_words(
        "Role",
        "The role of an appointment 角色.",
        {name: _describe(text) for name, text in VOCABULARY.roles.items()},
    )
    RuleSubject = enum_of_words(
        "RuleSubject",
        "A role, or a group of roles, that a rule names 规则适用主体.",
        {name: _describe(text) for name, text in (VOCABULARY.roles | VOCABULARY.groups).items()},
    )
    ObjectKind = enum_of_words(
        "ObjectKind",
        "A kind of governed object 对象类别.",
        {name: _describe(kind.text) for name, kind in VOCABULARY.kinds.items()},
    )
    RuleEffect = enum_of_words(
        "RuleEffect",
        "The effect of a rule; a denial always wins 规则效力.",
        {ALLOW: "Allows 允许", DENY: "Denies 禁止"},
    )
