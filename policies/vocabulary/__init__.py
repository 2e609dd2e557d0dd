"""The closed lists of words that a rule may use: roles, kinds of object, verbs, facts.

A word that is not here cannot be written in the rule book; the loader refuses the whole book. Each
concept has a CSV file of its words. The ``facts.py`` of a concept says what a fact means for a
record. A line begins with what it declares:

* ``role``, ``group``, ``kind``: name, English, Chinese;
* ``verb`` of the kind above it: the same, then its duty, ``creates`` and ``task``, and a remark in
  both languages, each where there is one; every kind also has the verb ``view``;
* ``fact`` or ``viewer fact``: name, its sentences when it is true, and when it is not;
* ``exclusive``: facts of which at most one is true;
* ``implied``: a fact about a viewer, true of every viewer where the other fact is true.
"""

import csv
from pathlib import Path

from policies.word_types import Duty, FactSpec, KindSpec, Text, Verb, Vocabulary

__all__ = ["VOCABULARY", "KindSpec", "Text", "Verb", "Vocabulary"]

FILES = ("shared", "reference", "parties", "ledger", "permits", "transfers", "agreements")
VIEW = Verb("view", Text("see", "查看"))


def load_vocabulary(folder: Path) -> Vocabulary:
    """The words in the files of a folder."""
    words = Vocabulary()
    for name in FILES:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            for row in csv.reader(line for line in lines if not line.startswith("#")):
                _add(words, row)
    stages = {name for name in words.facts if name.startswith("stage_")}
    words.exclusive.insert(0, frozenset(stages - {"stage_before_contract"}))
    return words


def _add(words: Vocabulary, row: list[str]) -> None:
    match row:
        case ["role" | "group" as what, name, en, zh]:
            (words.roles if what == "role" else words.groups)[name] = Text(en, zh)
        case ["kind", name, en, zh]:
            words.kinds[name] = KindSpec(Text(en, zh), (VIEW,))
        case ["verb", name, en, zh, *more]:
            kind, spec = list(words.kinds.items())[-1]
            verb = _parse_verb(name, Text(en, zh), *more)
            words.kinds[kind] = KindSpec(spec.text, (*spec.verbs, verb))
        case ["fact" | "viewer fact" as what, name, *sentences]:
            true_en, true_zh, false_en, false_zh = sentences
            words.facts[name] = FactSpec(
                Text(true_en, true_zh), Text(false_en, false_zh), viewer_only=what != "fact"
            )
        case ["exclusive", *facts]:
            words.exclusive.append(frozenset(facts))
        case ["implied", name, other]:
            words.implied_by[name] = other
        case _:
            raise ValueError(f"no word: {row}")


def _parse_verb(name: str, text: Text, marks: str = "", *remark: str) -> Verb:
    marked = set(marks.split())
    duty = next((duty for duty in Duty if duty in marked), None)
    if unknown := marked - {*Duty, "creates", "task"}:
        raise ValueError(f"verb {name}: {unknown}")
    return Verb(
        name,
        text,
        remark=Text(*remark) if remark else None,
        duty=duty,
        creates_task="task" in marked,
        creates="creates" in marked,
    )


VOCABULARY = load_vocabulary(Path(__file__).parent)
