"""Another engine reads the same rows and must come to the same verdicts. Development only."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import pytest

from policies.engine import Decision
from policies.rulebook import ALLOW, ANY, PolicyRule
from policies.vocabulary import VOCABULARY
from tests.policies.shipped import BOOK, EDITION, entries

cedarpy = pytest.importorskip("cedarpy")


def permission(row: PolicyRule) -> str:
    """A row as Cedar text."""
    kinds = VOCABULARY.kinds if row.kind == ANY else (row.kind,)
    verbs = [
        f'Action::"{kind}:{verb.name}"'
        for kind in kinds
        for verb in VOCABULARY.kinds[kind].verbs
        if row.verb in (ANY, verb.name)
    ]
    true = [f"context.{name}" for name in BOOK.fact_names(row.required)]
    false = [f"!context.{name}" for name in BOOK.fact_names(row.excluded)]
    effect = "permit" if row.effect == ALLOW else "forbid"
    condition = " && ".join(true + false) or "true"
    actions = ", ".join(verbs)
    return (
        f'{effect}(principal in Role::"{row.role}", action in [{actions}], resource) '
        f"when {{ {condition} }};"
    )


def entities() -> list[dict[str, Any]]:
    names = (*VOCABULARY.roles, *VOCABULARY.groups)
    return [
        {
            "uid": {"type": "Role", "id": name},
            "attrs": {},
            "parents": [{"type": "Role", "id": g} for member, g in BOOK.links if member == name],
        }
        for name in names
    ]


def request(decision: Decision) -> dict[str, Any]:
    return {
        "principal": f'Role::"{decision.role}"',
        "action": f'Action::"{decision.kind}:{decision.verb}"',
        "resource": f'Kind::"{decision.kind}"',
        "context": {name: bool(decision.mask & bit) for name, bit in BOOK.bits.items()},
    }


def verdicts(decisions: Iterable[Decision], rows: Iterable[PolicyRule]) -> list[bool]:
    policies = "\n".join(permission(row) for row in rows)
    answers = cedarpy.is_authorized_batch([request(d) for d in decisions], policies, entities())
    return [answer.allowed for answer in answers]


def test_a_second_engine_agrees_on_every_entry() -> None:
    everything = entries(EDITION)
    for (kind, verb), group in groupby(everything, key=lambda d: (d.kind, d.verb)):
        decisions = list(group)

        assert verdicts(decisions, BOOK.rules_for_verb(kind, verb)) == [
            d.allowed for d in decisions
        ]
