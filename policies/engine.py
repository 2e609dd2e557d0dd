"""The judge: the only place that imports Casbin, and the only place where a verdict is made.

Casbin is asked each finite question (role, verb, kind, facts that are true) once per edition; the
answers form the truth tables that decisions, row filters and reasons are read from. Knows nothing
of records or viewers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple, Protocol

from casbin import Enforcer
from casbin.model import Model

from policies.dnf import Conjunction, format_dnf, minimise_dnf, subsets
from policies.rulebook import ALLOW, PolicyRule, RuleBook
from policies.vocabulary import Text

MODEL = (Path(__file__).parent / "model.conf").read_text("utf-8")

MAX_NEAR_MISSES = 3
"""So many of the rules that came near to allowing are told."""

RECHECK_INTERVAL = 10_000
"""One remembered answer in so many is put to Casbin again."""


class CasbinEnforcer(Protocol):
    """As much of an enforcer as a verdict takes."""

    def enforce_ex(self, *request: object) -> tuple[bool, list[str]]:
        """The answer to (role, verb, kind, mask), and the row that decided."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one question, and the row that gave it.

    Attributes:
        rule: the number of the deciding row; empty when no row speaks for the request.
        mask: the facts that were true, one bit each.
        edition: the version of the edition that decided.

    """

    allowed: bool
    rule: str
    role: str
    verb: str
    kind: str
    mask: int
    edition: int

    def __bool__(self) -> bool:
        return self.allowed


class RuleMiss(NamedTuple):
    """A row that would have allowed the act, and what stands against it."""

    rule: str
    legal_basis: str
    missing: tuple[Text, ...]
    blocking: tuple[Text, ...]


class Explanation(NamedTuple):
    """Why a decision came out as it did.

    Attributes:
        rule: the row that allowed or forbade; empty where none speaks for the request.
        reasons: the sentences of the facts that made the row apply.
        near_misses: where no row spoke, the rows that came nearest to allowing.

    """

    rule: str
    legal_basis: str
    reasons: tuple[Text, ...]
    near_misses: tuple[RuleMiss, ...]


class Permission(NamedTuple):
    """A verb that a role can perform on some object in some situation.

    Attributes:
        condition: when, in the words of the rule book.
        text: when, in sentences.

    """

    verb: str
    condition: str
    text: Text


class _DecisionTable:
    """One role doing one thing: what it depends on, and the answers so far."""

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

    Questions outside the vocabulary raise KeyError: they are mistakes of ours; the caller refuses.
    """

    def __init__(
        self,
        book: RuleBook,
        version: int,
        *,
        on_mismatch: Callable[[Decision, Decision], None] | None = None,
    ) -> None:
        """Builds the truth tables, empty.

        Args:
            on_mismatch: told when Casbin no longer answers as it did: the remembered and the fresh
                decision. The stricter of the two is given out.

        Raises:
            RuntimeError: several distributions bring the package ``casbin``, or none does.

        """
        _check_single_casbin()
        self.book = book
        self.version = version
        self._on_mismatch = on_mismatch
        self._hits_since_recheck = 0
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
        """The facts an answer depends on, with their bits; those about the viewer come first."""
        return self._tables[role, kind, verb].facts

    def evaluate(self, role: str, kind: str, verb: str, mask: int) -> Decision:
        """The decision where exactly the facts in ``mask`` are true; other bits are ignored."""
        cell = self._tables[role, kind, verb]
        mask &= cell.relevant_mask
        known = cell.decisions.get(mask)
        if known is None:
            # A race computes the same answer twice; there is nothing to lock.
            known = cell.decisions[mask] = self._decide(cell, mask)
            return known
        self._hits_since_recheck += 1
        if self._hits_since_recheck >= RECHECK_INTERVAL:
            self._hits_since_recheck = 0
            return self._recheck(cell, known)
        return known

    def residual_condition(  # noqa: PLR0917 - one question: a cell, and what of it is known
        self, role: str, kind: str, verb: str, fixed_mask: int, free: tuple[str, ...]
    ) -> tuple[Conjunction, ...]:
        """When the answer is yes, over the free facts, the others being fixed.

        Args:
            fixed_mask: the true ones among the facts that are not free, as in ``fact_bits``.
            free: names of facts; those the answer does not depend on are never cared for.

        Returns:
            Pairs (care, value) in which bit i stands for ``free[i]``: yes where the true ones among
            them satisfy ``true & care == value`` for any pair. No pair at all is «never», a pair
            with care 0 is «always».

        """
        cell = self._tables[role, kind, verb]
        fixed = fixed_mask & cell.relevant_mask
        key = (role, kind, verb, fixed, free)
        known = self._residual_conditions.get(key)
        if known is None:
            known = self._residual_conditions[key] = self._minimise_residual(cell, fixed, free)
        return known

    def explain(self, decision: Decision, limit: int = MAX_NEAR_MISSES) -> Explanation:
        """Why, in sentences; at most ``limit`` rows that came near to allowing, the nearest first.

        They speak about the object: tell them only to whom may see it.
        """
        cell = self._tables[decision.role, decision.kind, decision.verb]
        for row in cell.rules:
            if row.number == decision.rule:
                said = self._fact_sentences(row.required, yes=True) + self._fact_sentences(
                    row.excluded, yes=False
                )
                return Explanation(row.number, row.legal_basis, said, ())
        near = [
            (row.required & ~decision.mask, row.excluded & decision.mask, row)
            for row in cell.rules
            if row.effect == ALLOW
        ]
        near.sort(key=lambda miss: ((miss[0] | miss[1]).bit_count(), miss[2].number))
        misses = tuple(
            RuleMiss(
                row.number,
                row.legal_basis,
                self._fact_sentences(missing, yes=False),
                self._fact_sentences(blocking, yes=True),
            )
            for missing, blocking, row in near[:limit]
        )
        return Explanation("", "", (), misses)

    def permissions(self, role: str, kind: str) -> tuple[Permission, ...]:
        """The verbs a role can ever perform on a kind, each with its condition."""
        found = []
        for verb in self.book.vocabulary.kinds[kind].verbs:
            terms = self.condition(role, kind, verb.name)
            if terms:
                said = format_dnf(terms, self.book.bits)
                found.append(Permission(verb.name, said, self._condition_text(terms)))
        return tuple(found)

    def condition(self, role: str, kind: str, verb: str) -> tuple[Conjunction, ...]:
        """When the answer is yes, over all facts it depends on; in the bits of the book."""
        free = tuple(name for name, _ in self.fact_bits(role, kind, verb))
        places = tuple(self.book.bits[name] for name in free)
        return tuple(
            (_spread_bits(care, places), _spread_bits(value, places))
            for care, value in self.residual_condition(role, kind, verb, 0, free)
        )

    def build_tables(self) -> int:
        """Asks Casbin every question there is, so that no later decision waits for it.

        Returns:
            The number of entries in all truth tables.

        """
        for (role, kind, verb), cell in self._tables.items():
            for mask in subsets(bit for _, bit in cell.facts):
                self.evaluate(role, kind, verb, mask)
        return sum(len(cell.decisions) for cell in self._tables.values())

    def _decide(self, cell: _DecisionTable, mask: int) -> Decision:
        """The verdict, made by Casbin. A failure is a no; so is a yes without an allowing row."""
        try:
            answer, row = self._enforcers[cell.kind, cell.verb].enforce_ex(
                cell.role, cell.verb, cell.kind, mask
            )
            rule = row[0] if row else ""
            permitted = any(r.number == rule and r.effect == ALLOW for r in cell.rules)
            allowed = answer is True and permitted
        except Exception:  # noqa: BLE001 - a judge that cannot answer has not allowed anything
            allowed, rule, permitted = False, "", False
        if permitted and not allowed:
            rule = ""
        return Decision(allowed, rule, cell.role, cell.verb, cell.kind, mask, self.version)

    def _minimise_residual(
        self, cell: _DecisionTable, fixed: int, free: tuple[str, ...]
    ) -> tuple[Conjunction, ...]:
        bits = tuple(self.book.bits[name] for name in free)
        fixed &= ~sum(bits)
        loose = [1 << place for place, bit in enumerate(bits) if bit & cell.relevant_mask]
        yes = [
            mask
            for mask in subsets(loose)
            if self.evaluate(cell.role, cell.kind, cell.verb, fixed | _spread_bits(mask, bits))
        ]
        return minimise_dnf(yes, loose)

    def _recheck(self, cell: _DecisionTable, known: Decision) -> Decision:
        fresh = self._decide(cell, known.mask)
        if fresh.allowed == known.allowed:
            return known
        if self._on_mismatch is not None:
            self._on_mismatch(known, fresh)
        return known if fresh.allowed else fresh

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
    """An enforcer with just the rows on one verb of one kind: many times as quick as the whole."""
    return build_enforcer(book, book.rules_for_verb(kind, verb))


def build_enforcer(book: RuleBook, rows: Iterable[PolicyRule]) -> CasbinEnforcer:
    """A Casbin enforcer over some rows of a book and all its links."""
    model = Model()
    model.load_model_from_text(MODEL)
    model["p"]["p"].policy.extend(
        [r.number, r.effect, r.role, r.verb, r.kind, r.when, r.legal_basis] for r in rows
    )
    model["g"]["g"].policy.extend(list(link) for link in book.links)
    judge = Enforcer(model)
    judge.build_role_links()
    conditions = {row.when: row.is_effective for row in book.rules}

    def holds(facts: int, when: str) -> bool:
        return conditions[when](facts)

    judge.add_function("holds", holds)
    built: CasbinEnforcer = judge
    return built


def _spread_bits(mask: int, target_bits: tuple[int, ...]) -> int:
    """A mask whose bit i stands for ``places[i]``, in the bits that the places name."""
    return sum(bit for place, bit in enumerate(target_bits) if mask >> place & 1)


@cache
def _check_single_casbin() -> None:
    """Two distributions would install the package over each other; nobody would know who judges."""
    found = sorted(set(packages_distributions().get("casbin", ())))
    if len(found) != 1:
        message = f"the package casbin must come from one distribution, found {found}"
        raise RuntimeError(message)
