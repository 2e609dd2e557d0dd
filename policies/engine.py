"""The policy engine: the only importer of Casbin, and the only place that makes a decision.

Each finite question (role, verb, kind, set of true facts) is put to Casbin once per edition. The
answers form the truth tables that decisions, row filters and explanations are read from. Knows no
records and no viewers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

from casbin import Enforcer
from casbin.model import Model

from policies.dnf import Conjunction, format_dnf, minimise_dnf, subsets
from policies.rulebook import ALLOW, NearMiss, PolicyRule, RuleBook
from policies.vocabulary import Text

MODEL = (Path(__file__).parent / "model.conf").read_text("utf-8")

MAX_NEAR_MISSES = 3
"""Maximum number of near misses in an explanation."""


GivenFacts = Mapping[str, bool]
"""Facts that are known, each with whether it is true."""

NOTHING_GIVEN: GivenFacts = MappingProxyType({})


class CasbinEnforcer(Protocol):
    """The part of an enforcer that a decision needs."""

    def enforce_ex(self, *request: object) -> tuple[bool, list[str]]:
        """Answer (role, verb, kind, mask) with the deciding row."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one question, and the row that gave it."""

    allowed: bool
    rule: str  # The number of the deciding row; empty when no row speaks for the request.
    role: str
    verb: str
    kind: str
    mask: int  # The facts that were true, one bit each.
    edition: int  # The version of the edition that decided.

    def __bool__(self) -> bool:
        return self.allowed


class Explanation(NamedTuple):
    """Why a decision came out as it did."""

    decision: Decision
    rule: str  # The row that allowed or forbade; empty where no row applies.
    legal_basis: str
    reasons: tuple[Text, ...]  # The sentences of the facts that made the row apply.
    near_misses: tuple[NearMiss, ...]  # Where no row applies, the rows nearest to allowing.


class Permission(NamedTuple):
    """A verb that a role can perform on some object in some situation."""

    verb: str
    condition: str  # The facts required, in the words of the rule book.
    text: Text


class _DecisionTable:
    """The decisions of one role, verb and kind, filled as questions come.

    A decision depends only on the facts that some applicable row mentions; the other bits of a
    mask are cleared, so the table stays small.
    """

    __slots__ = ("decisions", "facts", "kind", "relevant_mask", "role", "rules", "verb")

    def __init__(self, book: RuleBook, role: str, kind: str, verb: str) -> None:
        self.role, self.kind, self.verb = role, kind, verb
        self.rules = book.rules_for_role(role, kind, verb)
        self.relevant_mask = 0
        for row in self.rules:
            self.relevant_mask |= row.facts
        words = book.vocabulary.facts
        self.facts = tuple(
            sorted(
                ((name, book.bits[name]) for name in book.fact_names(self.relevant_mask)),
                key=lambda fact: not words[fact[0]].viewer_only,
            )
        )
        self.decisions: dict[int, Decision] = {}


class Edition:
    """One immutable edition of the rule book. Replaced as a whole, never changed.

    A question outside the vocabulary raises KeyError: it is a programming mistake.
    """

    def __init__(self, book: RuleBook, version: int) -> None:
        _check_single_casbin()
        self.book = book
        self.version = version
        self._residual_conditions: dict[
            tuple[str, str, str, int, tuple[str, ...]], tuple[Conjunction, ...]
        ] = {}
        self._tables: dict[tuple[str, str, str], _DecisionTable] = {}
        self._enforcers: dict[tuple[str, str], CasbinEnforcer] = {}
        for kind, words in book.vocabulary.kinds.items():
            for verb in words.verbs:
                self._enforcers[kind, verb.name] = enforcer_for_verb(book, kind, verb.name)
                for role in book.vocabulary.roles:
                    self._tables[role, kind, verb.name] = _DecisionTable(
                        book, role, kind, verb.name
                    )

    def fact_bits(self, role: str, kind: str, verb: str) -> tuple[tuple[str, int], ...]:
        """The facts a decision depends on, with their bits; viewer facts come first."""
        return self._tables[role, kind, verb].facts

    def evaluate(self, role: str, kind: str, verb: str, mask: int) -> Decision:
        """The decision where exactly the facts in ``mask`` are true; other bits are ignored."""
        cell = self._tables[role, kind, verb]
        mask &= cell.relevant_mask
        decision = cell.decisions.get(mask)
        if decision is None:
            # Two threads may compute the same entry; both get the same answer, so no lock.
            decision = cell.decisions[mask] = self._decide(cell, mask)
        return decision

    def residual_condition(  # noqa: PLR0917 - one question: a cell and its fixed facts
        self, role: str, kind: str, verb: str, fixed_mask: int, free: tuple[str, ...]
    ) -> tuple[Conjunction, ...]:
        """The condition on the free facts under which the decision is allow, the others fixed.

        Partial evaluation: row filters fix the facts of the viewer and keep those of the row free.

        Args:
            fixed_mask: the true ones among the facts that are not free, as in ``fact_bits``.
            free: names of facts; irrelevant ones are in no condition.

        Returns:
            Pairs (care, value) in which bit i is ``free[i]``: allowed where the true facts satisfy
            ``true & care == value`` for any pair. No pair means never; care 0 means always.

        """
        cell = self._tables[role, kind, verb]
        fixed = fixed_mask & cell.relevant_mask
        key = (role, kind, verb, fixed, free)
        known = self._residual_conditions.get(key)
        if known is None:
            known = self._residual_conditions[key] = self._minimise_residual(cell, fixed, free)
        return known

    def explain(self, decision: Decision, limit: int = MAX_NEAR_MISSES) -> Explanation:
        """The reasons in sentences, with at most ``limit`` near misses, nearest first.

        They describe the object: show them only to viewers who may see it.
        """
        cell = self._tables[decision.role, decision.kind, decision.verb]
        for row in cell.rules:
            if row.number == decision.rule:
                said = self._fact_sentences(row.required, yes=True) + self._fact_sentences(
                    row.excluded, yes=False
                )
                return Explanation(decision, row.number, row.legal_basis, said, ())
        near = [
            (row.required & ~decision.mask, row.excluded & decision.mask, row)
            for row in cell.rules
            if row.effect == ALLOW
        ]
        near.sort(key=lambda miss: ((miss[0] | miss[1]).bit_count(), miss[2].number))
        misses = tuple(
            NearMiss(
                row.number,
                row.legal_basis,
                self._fact_sentences(missing, yes=False),
                self._fact_sentences(blocking, yes=True),
            )
            for missing, blocking, row in near[:limit]
        )
        return Explanation(decision, "", "", (), misses)

    def permissions(
        self, role: str, kind: str, given: Callable[[str], GivenFacts] = lambda _verb: NOTHING_GIVEN
    ) -> tuple[Permission, ...]:
        """The verbs a role can ever perform on a kind, each with its condition.

        Args:
            given: facts that are known, by verb; no condition names them.

        """
        found = []
        for verb in self.book.vocabulary.kinds[kind].verbs:
            terms = self.condition(role, kind, verb.name, given(verb.name))
            if terms:
                said = format_dnf(terms, self.book.bits)
                found.append(Permission(verb.name, said, self._condition_text(terms)))
        return tuple(found)

    def condition(
        self, role: str, kind: str, verb: str, given: GivenFacts = NOTHING_GIVEN
    ) -> tuple[Conjunction, ...]:
        """The condition for allow over all relevant facts, in the bits of the book."""
        facts = self.fact_bits(role, kind, verb)
        free = tuple(name for name, _ in facts if name not in given)
        fixed = sum(bit for name, bit in facts if given.get(name))
        places = tuple(self.book.bits[name] for name in free)
        return tuple(
            (_spread_bits(care, places), _spread_bits(value, places))
            for care, value in self.residual_condition(role, kind, verb, fixed, free)
        )

    def build_tables(self) -> int:
        """Put every question to Casbin, so that no later decision waits for it."""
        for (role, kind, verb), cell in self._tables.items():
            for mask in subsets(bit for _, bit in cell.facts):
                self.evaluate(role, kind, verb, mask)
        return sum(len(cell.decisions) for cell in self._tables.values())

    def _decide(self, cell: _DecisionTable, mask: int) -> Decision:
        """Ask Casbin; an exception is a deny, as is an allow without an allow row."""
        try:
            answer, row = self._enforcers[cell.kind, cell.verb].enforce_ex(
                cell.role, cell.verb, cell.kind, mask
            )
            rule = row[0] if row else ""
            permitted = any(r.number == rule and r.effect == ALLOW for r in cell.rules)
            allowed = answer is True and permitted
        except Exception:  # noqa: BLE001 - fail closed
            allowed, rule, permitted = False, "", False
        if permitted and not allowed:
            rule = ""
        return Decision(allowed, rule, cell.role, cell.verb, cell.kind, mask, self.version)

    def _minimise_residual(
        self, cell: _DecisionTable, fixed: int, free: tuple[str, ...]
    ) -> tuple[Conjunction, ...]:
        bits = tuple(self.book.bits[name] for name in free)
        fixed &= ~sum(bits)
        # Only relevant free facts are enumerated: 2 ** n questions, n below 12 by a test.
        loose = [1 << place for place, bit in enumerate(bits) if bit & cell.relevant_mask]
        yes = [
            mask
            for mask in subsets(loose)
            if self.evaluate(cell.role, cell.kind, cell.verb, fixed | _spread_bits(mask, bits))
        ]
        return minimise_dnf(yes, loose)

    def _fact_sentences(self, mask: int, *, yes: bool) -> tuple[Text, ...]:
        words = self.book.vocabulary.facts
        return tuple(
            words[name].when_true if yes else words[name].when_false
            for name in self.book.fact_names(mask)
        )

    def _condition_text(self, terms: tuple[Conjunction, ...]) -> Text:
        said = [
            self._fact_sentences(value, yes=True) + self._fact_sentences(care & ~value, yes=False)
            for care, value in terms
        ]
        if not all(said):
            return Text("always", "始终")
        return Text(
            "; or ".join(" and ".join(text.en for text in words) for words in said),
            "；或".join("，且".join(text.zh for text in words) for words in said),
        )


def enforcer_for_verb(book: RuleBook, kind: str, verb: str) -> CasbinEnforcer:
    """An enforcer with only the rows of one verb and kind: Casbin scans all rows it is given."""
    return build_enforcer(book, book.rules_for_verb(kind, verb))


def build_enforcer(book: RuleBook, rows: Iterable[PolicyRule]) -> CasbinEnforcer:
    """A Casbin enforcer over some rows of a book and all its links."""
    model = Model()
    model.load_model_from_text(MODEL)
    # Added directly: Casbin's own loader would parse CSV text again.
    model["p"]["p"].policy.extend(
        [r.number, r.effect, r.role, r.verb, r.kind, r.when, r.legal_basis] for r in rows
    )
    model["g"]["g"].policy.extend(list(link) for link in book.links)
    enforcer = Enforcer(model)
    enforcer.build_role_links()
    conditions = {row.when: row.is_effective for row in book.rules}

    def holds(facts: int, when: str) -> bool:
        return conditions[when](facts)

    enforcer.add_function("holds", holds)
    built: CasbinEnforcer = enforcer
    return built


def _spread_bits(mask: int, target_bits: tuple[int, ...]) -> int:
    """Move bit i of ``mask`` to ``target_bits[i]``."""
    return sum(bit for place, bit in enumerate(target_bits) if mask >> place & 1)


@cache
def _check_single_casbin() -> None:
    """Refuse two distributions of casbin: they overwrite each other's files."""
    found = sorted(set(packages_distributions().get("casbin", ())))
    if len(found) != 1:
        message = f"the package casbin must come from one distribution, found {found}"
        raise RuntimeError(message)
