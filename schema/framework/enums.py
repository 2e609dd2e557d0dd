"""Enums of the API: names in SCREAMING_SNAKE_CASE, each value described in both languages."""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, cast

import strawberry
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition

from policies.rulebook import ALLOW, DENY
from policies.vocabulary import VOCABULARY, Text
from registry.concepts import OPERATIONS
from registry.kernel.words import DescribedEnum
from registry.reading.enum_names import enum_name


def expose_enum(
    words: type[Enum], graphql_name: str = "", *, texts: Mapping[str, Text] | None = None
) -> None:
    """Make an enum of the registry one of the API."""
    strawberry.enum(words, name=graphql_name or None, description=words.__doc__)
    for value in definition_of(words).values:
        word = words(value.value)
        text = word.text if isinstance(word, DescribedEnum) else (texts or {})[word.value]
        value.name, value.description = enum_name(value.value), f"{text.en} {text.zh}"


if TYPE_CHECKING:
    ObjectState = str
else:

    class ObjectState(StrEnum):
        """Every state of every kind of object; ``expose_state`` adds those of one kind."""

    strawberry.enum(ObjectState, description="A state of an object of any kind 对象状态.")


def expose_state(words: type[DescribedEnum], graphql_name: str = "") -> None:
    """Likewise for the states of a kind, which become values of ``ObjectState`` too."""
    expose_enum(words, graphql_name)
    known = definition_of(ObjectState).values
    names = {value.name for value in known}
    for value in definition_of(words).values:
        if value.name not in names:
            known.append(EnumValue(value.name, value.value, description=value.description))
    known.sort(key=lambda value: value.name)


def definition_of(words: type) -> StrawberryEnumDefinition:
    """How the API shows an enum."""
    return cast("StrawberryEnumDefinition", vars(words)["__strawberry_definition__"])


def enum_of_words(name: str, description: str, words: Mapping[str, Text]) -> Any:  # noqa: ANN401 - a new enum
    """An enum of the API from words and what they are called."""
    members = {enum_name(word): (word, *text) for word, text in words.items()}
    made = cast("Any", DescribedEnum)(name, members)
    made.__doc__ = description
    expose_enum(made)
    return made


def _capitalised(texts: Mapping[str, Text]) -> dict[str, Text]:
    return {name: Text(f"{en[0].upper()}{en[1:]}", zh) for name, (en, zh) in texts.items()}


def _verbs() -> dict[str, Text]:
    """The name of each verb; a word of several kinds has the Chinese term of each."""
    texts: dict[str, Text] = {}
    remarks: dict[str, Text] = {}
    for kind in VOCABULARY.kinds.values():
        for verb in kind.verbs:
            en, zh = texts.get(verb.name, verb.text)
            both = zh if verb.text.zh in zh.split("、") else f"{zh}、{verb.text.zh}"
            texts[verb.name] = Text(en, both)
            if verb.remark:
                remarks[verb.name] = verb.remark
    for name, remark in remarks.items():
        en, zh = texts[name]
        texts[name] = Text(f"{en} {zh}. {remark.en}", remark.zh)
    return _capitalised(texts)


def _operations() -> dict[str, Text]:
    """The name of each operation: its kind of object and its verb."""
    texts = {}
    for name, operation in OPERATIONS.items():
        kind = VOCABULARY.kinds[operation.kind.name]
        verb = next(verb for verb in kind.verbs if verb.name == operation.verb)
        texts[name] = Text(f"{kind.text.en}: {verb.text.en}", f"{kind.text.zh}：{verb.text.zh}")
    return _capitalised(texts)


if TYPE_CHECKING:
    Verb = str
    OperationName = str
    Role = str
    RuleSubject = str
    ObjectKind = str
    RuleEffect = str
else:
    Verb = enum_of_words("Verb", "A verb of the rule book 操作.", _verbs())
    OperationName = enum_of_words(
        "OperationName",
        "An operation: a mutation, or an act of the registry itself 办理事项.",
        _operations(),
    )
    Role = enum_of_words("Role", "The role of an appointment 角色.", _capitalised(VOCABULARY.roles))
    RuleSubject = enum_of_words(
        "RuleSubject",
        "A role, or a group of roles, that a rule names 规则适用主体.",
        _capitalised(VOCABULARY.roles | VOCABULARY.groups),
    )
    ObjectKind = enum_of_words(
        "ObjectKind",
        "A kind of governed object 对象类别.",
        _capitalised({name: kind.text for name, kind in VOCABULARY.kinds.items()}),
    )
    RuleEffect = enum_of_words(
        "RuleEffect",
        "The effect of a rule; a denial always wins 规则效力.",
        {ALLOW: Text("Allows", "允许"), DENY: Text("Denies", "禁止")},
    )
