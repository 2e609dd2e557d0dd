"""Types of the vocabulary: bilingual text, verb, kind, fact."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Self


class Text(NamedTuple):
    """One sentence or name in two languages."""

    en: str
    zh: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """A text stored as ``English | 中文``; one without a bar serves both languages."""
        en, _, zh = text.partition(" | ")
        return cls(en, zh or en)

    def joined(self) -> str:
        """The text as ``parse`` takes it."""
        return f"{self.en} | {self.zh}"


class Duty(StrEnum):
    """The power that an appointment must give for a verb."""

    INITIATE = "initiate"
    APPROVE = "approve"


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that can be done to a kind of object."""

    name: str
    text: Text  # Its name, in English and in the words of the regulation.
    remark: Text | None = None  # A sentence about it, where its name could be misread.
    # The power it needs; the rules ``@initiate`` and ``@approve`` apply to it.
    duty: Duty | None = None
    # Whether the verb is a duty; an object on which it is allowed is in the work list of its actor.
    creates_task: bool = False
    creates: bool = False  # Whether it makes the object it is decided on.

    @property
    def is_read(self) -> bool:
        """Whether the verb only uncovers something and changes nothing."""
        return self.name == "view" or self.name.startswith("view_")


@dataclass(frozen=True, slots=True)
class KindSpec:
    """A kind of governed object and the verbs it knows."""

    text: Text
    verbs: tuple[Verb, ...]


@dataclass(frozen=True, slots=True)
class FactSpec:
    """The sentences of a fact: when it is true, and when it is not."""

    when_true: Text
    when_false: Text
    viewer_only: bool = False  # The fact depends on who acts and on nothing else.


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything a rule book may say."""

    roles: dict[str, Text] = field(default_factory=dict)
    groups: dict[str, Text] = field(default_factory=dict)
    kinds: dict[str, KindSpec] = field(default_factory=dict)
    facts: dict[str, FactSpec] = field(default_factory=dict)
    # Sets of facts of which at most one is true; no row may need two of a set.
    exclusive: list[frozenset[str]] = field(default_factory=list)
    # Facts about a viewer, each true of every viewer where another fact is true.
    implied_by: dict[str, str] = field(default_factory=dict)

    def verbs_with(self, duty: Duty) -> tuple[str, ...]:
        """The verbs of a duty, of all kinds, in alphabetical order."""
        duties: dict[str, set[Duty | None]] = {}
        for kind in self.kinds.values():
            for verb in kind.verbs:
                duties.setdefault(verb.name, set()).add(verb.duty)
        for name, needed in duties.items():
            if duty in needed and len(needed) > 1:
                raise ValueError(f"the duty of {name} differs between kinds")
        return tuple(sorted(name for name, needed in duties.items() if duty in needed))

    def verb(self, kind: str, name: str) -> Verb | None:
        """The verb of a kind, or None where there is no such word."""
        words = self.kinds.get(kind)
        return next((v for v in words.verbs if v.name == name), None) if words else None
