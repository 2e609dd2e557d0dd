"""The rule and edition behind an audit entry, from the policy engine alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from policies.engine import Edition
from registry.commands.command import OPERATIONS


class NotAllowed(Exception):
    """No rule lets this role do it: the larger world and the rule book have parted."""


@dataclass(frozen=True, slots=True)
class RuleRef:
    """The rule that allowed an audit entry; ``facts`` as a PostgreSQL array."""

    operation: str
    kind: str
    verb: str
    role: str
    edition: int
    rule: str
    facts: str


class RuleLookup:
    """The rulings of one edition, each asked once."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self.lookup = cache(self._evaluate)

    def _evaluate(self, operation: str, role: str, facts: tuple[str, ...]) -> RuleRef:
        """The ruling where exactly these facts are true.

        Raises:
            NotLet: the judge says no.

        """
        kind, verb = OPERATIONS[operation].kind.name, OPERATIONS[operation].verb
        mask = 0
        for name, bit in self._edition.fact_bits(role, kind, verb):
            mask |= bit if name in facts else 0
        decision = self._edition.evaluate(role, kind, verb, mask)
        if decision.allowed is not True:
            raise NotAllowed(f"no rule lets the {role} {operation} when {', '.join(facts)}")
        named = pg_array(self._edition.book.fact_names(decision.mask))
        return RuleRef(operation, kind, verb, role, decision.edition, decision.rule, named)


def pg_array(items: Iterable[object]) -> str:
    """An array of PostgreSQL of plain words or identifiers."""
    return f"{{{','.join(map(str, items))}}}"
