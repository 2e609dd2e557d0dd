"""Every row and every condition matters: each change of the rule book changes a decision."""

from collections.abc import Iterator
from functools import cache

import pytest

from policies.engine import Decision, Edition, enforcer_for_verb
from policies.rulebook import ALLOW, ANY, DENY, PolicyRule, RuleBook, RuleBookError
from policies.vocabulary import VOCABULARY
from tests.policies.shipped import BOOK, EDITION, FILES, entries

BELT_AND_BRACES: set[str] = set()
"""Rows or conditions that another row makes superfluous, kept on purpose."""


def lines(rows: list[list[str]]) -> dict[str, str]:
    return {
        "roles.csv": FILES["roles.csv"],
        "rows.csv": "\n".join(",".join(f'"{cell}"' for cell in ["p", *row]) for row in rows),
    }


def cells(row: PolicyRule) -> list[str]:
    return [row.number, row.effect, row.role, row.verb, row.kind, row.when, row.legal_basis]


def changes(row: PolicyRule) -> Iterator[tuple[str, list[str] | None]]:
    """Mutations of a row: drop it, invert it, or remove one condition."""
    yield f"drop {row.number}", None
    number, effect, role, verb, kind, when, ground = cells(row)
    if ANY not in (verb, kind):
        turned = DENY if effect == ALLOW else ALLOW
        yield f"turn {number}", [number, turned, role, verb, kind, when, ground]
    literals = [] if when == "always" else when.split(" & ")
    for literal in literals:
        rest = " & ".join(other for other in literals if other != literal) or "always"
        yield f"{number} without {literal}", [number, effect, role, verb, kind, rest, ground]


@cache
def decisions_of(kind: str, verb: str) -> tuple[Decision, ...]:
    """The entries of one verb of one kind, the yeses first: they are the first to move."""
    return tuple(sorted(entries(EDITION, kind=kind, verb=verb), key=lambda d: not d.allowed))


def is_noticed(mutant: RuleBook, row: PolicyRule) -> bool:
    for kind, words in VOCABULARY.kinds.items():
        for verb in words.verbs:
            if not row.mentions(kind, verb.name):
                continue
            judge = enforcer_for_verb(mutant, kind, verb.name)
            for decision in decisions_of(kind, verb.name):
                if row.role in BOOK.groups[decision.role]:
                    answer, _ = judge.enforce_ex(decision.role, verb.name, kind, decision.mask)
                    if answer is not decision.allowed:
                        return True
    return False


def survivors() -> Iterator[str]:
    for place, row in enumerate(BOOK.rules):
        for what, instead in changes(row):
            rows = [cells(other) for other in BOOK.rules]
            rows[place : place + 1] = [instead] if instead else []
            try:
                mutant = RuleBook.parse(lines(rows), VOCABULARY)
            except RuleBookError:
                continue
            if not is_noticed(mutant, row):
                yield what


def test_every_mutant_of_the_rule_book_is_noticed() -> None:
    assert set(survivors()) == BELT_AND_BRACES


@pytest.mark.long
@pytest.mark.parametrize("link", BOOK.links)
def test_every_membership_in_a_group_matters(link: tuple[str, str]) -> None:
    kept = [",".join(("g", *other)) for other in BOOK.links if other != link]
    rows = lines([cells(row) for row in BOOK.rules])
    poorer = RuleBook.parse({**rows, "roles.csv": "\n".join(kept)}, VOCABULARY)

    edition = Edition(poorer, 2)
    assert any(
        edition.evaluate(was.role, was.kind, was.verb, was.mask).allowed != was.allowed
        for was in entries(EDITION)
    )
