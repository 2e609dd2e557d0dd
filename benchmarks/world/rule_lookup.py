"""The rule of the edition that allows a simulated step, as the policy engine decides it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from policies.engine import Edition
from registry.concepts import OPERATIONS


class NotAllowed(Exception):
    """No rule allows a simulated step: the simulation does not fit the rule book."""


@dataclass(frozen=True, slots=True)
class RuleRef:
    """The rule as an audit entry names it; ``facts`` is an array of PostgreSQL."""

    operation: str
    kind: str
    verb: str
    role: str
    edition: int
    number: str
    facts: str


class RuleLookup:
    """The decisions of one edition, each evaluated once."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self.lookup = cache(self._evaluate)

    def _evaluate(self, operation: str, role: str, facts: tuple[str, ...]) -> RuleRef:
        """The rule that decides if exactly these facts are true.

        Raises:
            NotAllowed: the policy engine refuses.

        """
        kind, verb = OPERATIONS[operation].kind.name, OPERATIONS[operation].verb
        mask = 0
        for name, bit in self._edition.fact_bits(role, kind, verb):
            mask |= bit if name in facts else 0
        decision = self._edition.evaluate(role, kind, verb, mask)
        if decision.allowed is not True:
            raise NotAllowed(f"no rule lets the {role} {operation} if {', '.join(facts)}")
        named = pg_array(self._edition.book.fact_names(decision.mask))
        return RuleRef(operation, kind, verb, role, decision.edition, decision.rule, named)


def pg_array(items: Iterable[object]) -> str:
    """An array of PostgreSQL of plain words or identifiers."""
    return f"{{{','.join(map(str, items))}}}"
