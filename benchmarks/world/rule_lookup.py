"""Which rule of which edition stands behind an act: the judge says it, nobody else."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from policies.engine import Edition
from registry.commands.command import OPERATIONS


class NotLet(Exception):
    """No rule lets this role do it: the larger world and the rule book have parted."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an act says of the rule that allowed it; ``facts`` as an array of PostgreSQL."""

    operation: str
    kind: str
    verb: str
    role: str
    edition: int
    rule: str
    facts: str


class Rulings:
    """The rulings of one edition, each asked once."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self.of = cache(self._ask)

    def _ask(self, operation: str, role: str, facts: tuple[str, ...]) -> Ruling:
        """The ruling where exactly these facts are true.

        Raises:
            NotLet: the judge says no.

        """
        kind, verb = OPERATIONS[operation].kind.name, OPERATIONS[operation].verb
        mask = 0
        for name, bit in self._edition.bits(role, kind, verb):
            mask |= bit if name in facts else 0
        decision = self._edition.ask(role, kind, verb, mask)
        if decision.allowed is not True:
            raise NotLet(f"no rule lets the {role} {operation} when {', '.join(facts)}")
        named = array(self._edition.book.names(decision.mask))
        return Ruling(operation, kind, verb, role, decision.edition, decision.rule, named)


def array(items: Iterable[object]) -> str:
    """An array of PostgreSQL of plain words or identifiers."""
    return f"{{{','.join(map(str, items))}}}"
