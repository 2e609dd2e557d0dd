"""The rule book: numbered sentences read strictly from CSV. One wrong word refuses all of it."""

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from policies.vocabulary import Text, Vocabulary
from policies.word_types import Duty

ANY = "*"
"""Every verb or every kind; only prohibitions may say it."""

MAX_FACTS_PER_TABLE = 11
"""Maximum number of facts of one truth table, which doubles with each fact."""

ALLOW, DENY = "allow", "deny"

_NUMBER = re.compile(r"[A-Z]-\d{2}(/[a-z_]+)?")
"""``T-01``; with a verb where one line of a file is a rule per verb: ``N-30/accept``."""
_DUTIES = {f"@{duty}": duty for duty in Duty}
"""Written for a verb: every verb of this duty."""

_RULE_COLUMNS = 8
_LINK_COLUMNS = 3


class RuleBookError(ValueError):
    """The rule book was refused; ``errors`` lists all that is wrong, each with file and line."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


class NearMiss(NamedTuple):
    """A rule that would have allowed a verb, and the sentences of the facts that prevent it."""

    rule: str
    legal_basis: str
    missing: tuple[Text, ...] = ()
    blocking: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One sentence of the rule book."""

    number: str
    effect: str  # ``allow`` or ``deny``; a prohibition wins over every permission.
    role: str  # A role or a group of roles.
    verb: str  # A verb of the kind; ``*`` for all in a prohibition.
    kind: str  # A kind of object; ``*`` for all in a prohibition.
    when: str  # The facts that must hold or must not hold, normalised; ``always`` for none.
    legal_basis: str  # The reason in English and Chinese, with its law or parameter.
    required: int  # The facts that must be true, one bit each.
    excluded: int  # The facts that must be false, one bit each.

    @property
    def facts(self) -> int:
        return self.required | self.excluded

    def is_effective(self, mask: int) -> bool:
        """Whether the condition is met by the facts in ``mask``."""
        return mask & self.required == self.required and not mask & self.excluded

    def mentions(self, kind: str, verb: str) -> bool:
        """Whether the row is about this verb of this kind."""
        return self.kind in (kind, ANY) and self.verb in (verb, ANY)


@dataclass(frozen=True, slots=True, eq=False)
class RuleBook:
    """An immutable, checked set of rows."""

    vocabulary: Vocabulary
    rules: tuple[PolicyRule, ...]  # Ordered by number; the order has no meaning.
    links: tuple[tuple[str, str], ...]  # Pairs (role or group, group it speaks for).
    bits: Mapping[str, int]  # The bit of each fact of the vocabulary.
    # For each role, the role itself and every group it speaks for.
    groups: Mapping[str, frozenset[str]]
    # SHA-256 over rows and links, hexadecimal; in which files they stood does not matter.
    digest: str
    _index_rules: Mapping[tuple[str, str], tuple[PolicyRule, ...]]

    @classmethod
    def load(cls, directory: Path, vocabulary: Vocabulary) -> "RuleBook":
        """The book in the CSV files of a directory, refused whole where anything is wrong."""
        try:
            files = {p.name: p.read_text("utf-8") for p in sorted(directory.glob("*.csv"))}
        except UnicodeDecodeError as error:
            raise RuleBookError((f"a file of {directory.name} is not UTF-8: {error}",)) from error
        return cls.parse(files, vocabulary)

    @classmethod
    def parse(cls, files: Mapping[str, str], vocabulary: Vocabulary) -> "RuleBook":
        reader = _Reader(vocabulary)
        for name, text in sorted(files.items()):
            reader.read(name, text)
        return reader.build()

    def rules_for_verb(self, kind: str, verb: str) -> tuple[PolicyRule, ...]:
        """Every row that speaks of a verb of a kind, prohibitions first."""
        return self._index_rules[kind, verb]

    def rules_for_role(self, role: str, kind: str, verb: str) -> tuple[PolicyRule, ...]:
        """The rows that can bear on one role doing one thing; none where nothing allows it."""
        rows = [row for row in self.rules_for_verb(kind, verb) if row.role in self.groups[role]]
        return tuple(rows) if any(row.effect == ALLOW for row in rows) else ()

    def fact_names(self, mask: int) -> tuple[str, ...]:
        """The facts of a mask, in the order of the vocabulary."""
        return tuple(name for name, bit in self.bits.items() if mask & bit)


class _Reader:
    """Reads lines into rows and collects every error on the way."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.bits = {name: 1 << place for place, name in enumerate(vocabulary.facts)}
        self.rules: list[PolicyRule] = []
        self.links: list[tuple[str, str]] = []
        self.errors: list[str] = []
        self.numbers: dict[str, str] = {}

    def read(self, name: str, text: str) -> None:
        # Line by line: a quote left open would otherwise swallow the rows after it.
        for count, line in enumerate(text.split("\n"), 1):
            at = f"{name}:{count}"
            if not line.strip() or line.startswith("#"):
                continue
            try:
                (cells,) = csv.reader([line.rstrip("\r")], skipinitialspace=True, strict=True)
            except (csv.Error, ValueError) as error:
                self.errors.append(f"{at} is not CSV: {error}")
                continue
            self._parse_line(at, [cell.strip() for cell in cells])

    def _parse_line(self, at: str, cells: list[str]) -> None:
        columns = {"p": _RULE_COLUMNS, "g": _LINK_COLUMNS}.get(cells[0])
        if columns is None:
            self.errors.append(f"{at} unknown row type {cells[0]!r}")
        elif len(cells) != columns:
            self.errors.append(f"{at} has {len(cells)} columns, not {columns}")
        elif not all(cell.isprintable() for cell in cells):
            self.errors.append(f"{at} carries an unprintable character")
        elif cells[0] == "g":
            self._add_link(at, cells[1], cells[2])
        elif cells[4] in _DUTIES:
            self._add_rules_of_duty(at, cells[1:])
        else:
            self._add_rule(at, cells[1:])

    def _add_rules_of_duty(self, at: str, cells: list[str]) -> None:
        """Add one rule for each verb of the duty; ``N-30`` of ``accept`` is ``N-30/accept``."""
        number, effect, role, duty, *rest = cells
        for verb in self.vocabulary.verbs_with(_DUTIES[duty]):
            self._add_rule(at, [f"{number}/{verb}", effect, role, verb, *rest])

    def _add_link(self, at: str, member: str, group: str) -> None:
        if member not in self.vocabulary.roles and member not in self.vocabulary.groups:
            self.errors.append(f"{at} unknown role {member!r}")
        elif group not in self.vocabulary.groups:
            self.errors.append(f"{at} unknown group {group!r}")
        elif (member, group) in self.links:
            self.errors.append(f"{at} says twice that {member} is in {group}")
        else:
            self.links.append((member, group))

    def _add_rule(self, at: str, cells: list[str]) -> None:
        number, effect, role, verb, kind, when, legal_basis = cells
        need, ban, problems = self._parse_condition(when)
        problems += list(self._rule_errors(number, effect, role, legal_basis))
        problems += list(self._target_errors(effect, verb, kind))
        self.errors += [f"{at} {problem}" for problem in problems]
        self.numbers.setdefault(number, at)
        if not problems:
            when = " & ".join(literal.strip() for literal in when.split("&"))
            self.rules.append(
                PolicyRule(number, effect, role, verb, kind, when, legal_basis, need, ban)
            )

    def _rule_errors(self, number: str, effect: str, role: str, legal_basis: str) -> Iterator[str]:
        if not _NUMBER.fullmatch(number):
            yield f"number {number!r} is not of the form T-01"
        if number in self.numbers:
            yield f"number {number} is taken already at {self.numbers[number]}"
        if effect not in (ALLOW, DENY):
            yield f"effect {effect!r} is neither allow nor deny"
        if role not in self.vocabulary.roles and role not in self.vocabulary.groups:
            yield f"unknown role {role!r}"
        if not legal_basis:
            yield "gives no legal basis"

    def _target_errors(self, effect: str, verb: str, kind: str) -> Iterator[str]:
        kinds = self.vocabulary.kinds
        if ANY in (verb, kind) and effect != DENY:
            yield "only a prohibition may say *"
        if kind != ANY and kind not in kinds:
            yield f"unknown kind {kind!r}"
        elif verb != ANY and not any(
            verb == known.name
            for name, words in kinds.items()
            if kind in (name, ANY)
            for known in words.verbs
        ):
            yield f"{kind} knows no verb {verb!r}"

    def _parse_condition(self, when: str) -> tuple[int, int, list[str]]:
        """The facts that must be true, those that must be false, and what is wrong with it."""
        if when == "always":
            return 0, 0, []
        masks = {True: 0, False: 0}
        problems = []
        for literal in (part.strip() for part in when.split("&")):
            name = literal.removeprefix("not ").strip()
            bit = self.bits.get(name)
            if bit is None:
                problems.append(f"unknown fact {literal!r}")
            elif (masks[True] | masks[False]) & bit:
                problems.append(f"says {name} twice or contradicts itself")
            else:
                masks[name == literal] |= bit
        problems += [
            "needs facts that exclude each other: " + ", ".join(sorted(both))
            for group in self.vocabulary.exclusive
            if len(both := {n for n in group if self.bits[n] & masks[True]}) > 1
        ]
        return masks[True], masks[False], problems

    def build(self) -> RuleBook:
        """Everything read so far, checked as a whole."""
        spoken_for = {
            name: self._collect_groups(name, ())
            for name in (*self.vocabulary.roles, *self.vocabulary.groups)
        }
        if not any(row.effect == ALLOW for row in self.rules):
            self.errors.append("no row allows anything")
        rows = tuple(sorted(self.rules, key=lambda row: row.number))
        links = tuple(sorted(self.links))
        book = RuleBook(
            self.vocabulary,
            rows,
            links,
            MappingProxyType(self.bits),
            MappingProxyType({role: spoken_for[role] for role in self.vocabulary.roles}),
            _sha256_of(rows, links),
            MappingProxyType(_index_rules(self.vocabulary, rows)),
        )
        self.errors += _oversized_table_errors(book)
        if self.errors:
            raise RuleBookError(tuple(dict.fromkeys(self.errors)))
        return book

    def _collect_groups(self, name: str, path: tuple[str, ...]) -> frozenset[str]:
        if name in path:
            self.errors.append(f"roles speak for each other in a circle at {name}")
            return frozenset()
        found = {name}
        for member, group in self.links:
            if member == name:
                found |= self._collect_groups(group, (*path, name))
        return frozenset(found)


def _index_rules(
    vocabulary: Vocabulary, rows: tuple[PolicyRule, ...]
) -> dict[tuple[str, str], tuple[PolicyRule, ...]]:
    ordered = sorted(rows, key=lambda row: row.effect == ALLOW)
    return {
        (kind, verb.name): tuple(row for row in ordered if row.mentions(kind, verb.name))
        for kind, words in vocabulary.kinds.items()
        for verb in words.verbs
    }


def _oversized_table_errors(book: RuleBook) -> Iterator[str]:
    for kind, words in book.vocabulary.kinds.items():
        for verb in words.verbs:
            for role in book.vocabulary.roles:
                mask = 0
                for row in book.rules_for_role(role, kind, verb.name):
                    mask |= row.facts
                if mask.bit_count() > MAX_FACTS_PER_TABLE:
                    yield (
                        f"{role} {verb.name} {kind} depends on {mask.bit_count()} facts, "
                        f"more than {MAX_FACTS_PER_TABLE}"
                    )


def _sha256_of(rows: tuple[PolicyRule, ...], links: tuple[tuple[str, str], ...]) -> str:
    said = [[r.number, r.effect, r.role, r.verb, r.kind, r.when, r.legal_basis] for r in rows]
    text = json.dumps({"links": links, "rows": said}, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
