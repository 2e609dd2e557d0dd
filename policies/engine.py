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

from policies.dnf import Term, minimise, spelled, subsets
from policies.rulebook import ALLOW, Row, RuleBook
from policies.vocabulary import Text

MODEL = (Path(__file__).parent / "model.conf").read_text("utf-8")

MISSES_MAX = 3
"""So many of the rules that came near to allowing are told."""

ASKED_AGAIN_EVERY = 10_000
"""One remembered answer in so many is put to Casbin again."""


class Casbin(Protocol):
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


class MissWords(NamedTuple):
    """A row that would have allowed the act, and what stands against it."""

    rule: str
    ground: str
    missing: tuple[Text, ...]
    blocking: tuple[Text, ...]


class Reasons(NamedTuple):
    """Why a decision came out as it did.

    Attributes:
        rule: the row that allowed or forbade; empty where none speaks for the request.
        because: the sentences of the facts that made the row apply.
        misses: where no row spoke, the rows that came nearest to allowing.

    """

    rule: str
    ground: str
    because: tuple[Text, ...]
    misses: tuple[MissWords, ...]


class Possible(NamedTuple):
    """A verb that a role can perform on some object in some situation.

    Attributes:
        condition: when, in the words of the rule book.
        text: when, in sentences.

    """

    verb: str
    condition: str
    text: Text


class _Cell:
    """One role doing one thing: what it depends on, and the answers so far."""

    __slots__ = ("care", "facts", "kind", "role", "rows", "table", "verb")

    def __init__(self, book: RuleBook, role: str, kind: str, verb: str) -> None:
        self.role, self.kind, self.verb = role, kind, verb
        self.rows = book.rows_for(role, kind, verb)
        self.care = 0
        for row in self.rows:
            self.care |= row.facts
        words = book.vocabulary.facts
        self.facts = tuple(
            sorted(
                ((name, book.bits[name]) for name in book.names(self.care)),
                key=lambda fact: not words[fact[0]].viewer_only,
            )
        )
        self.table: dict[int, Decision] = {}


class Edition:
    """One immutable edition of the rule book. Replaced as a whole, never changed.

    Questions outside the vocabulary raise KeyError: they are mistakes of ours; the caller refuses.
    """

    def __init__(
        self,
        book: RuleBook,
        version: int,
        *,
        alarm: Callable[[Decision, Decision], None] | None = None,
    ) -> None:
        """Builds the truth tables, empty.

        Args:
            alarm: told when Casbin no longer answers as it did: the remembered and the fresh
                decision. The stricter of the two is given out.

        Raises:
            RuntimeError: several distributions bring the package ``casbin``, or none does.

        """
        _one_casbin()
        self.book = book
        self.version = version
        self._alarm = alarm
        self._hits = 0
        self._terms: dict[tuple[str, str, str, int, tuple[str, ...]], tuple[Term, ...]] = {}
        self._cells: dict[tuple[str, str, str], _Cell] = {}
        self._shards: dict[tuple[str, str], Casbin] = {}
        for kind, words in book.vocabulary.kinds.items():
            for verb in words.verbs:
                self._shards[kind, verb.name] = shard(book, kind, verb.name)
                for role in book.vocabulary.roles:
                    self._cells[role, kind, verb.name] = _Cell(book, role, kind, verb.name)

    def bits(self, role: str, kind: str, verb: str) -> tuple[tuple[str, int], ...]:
        """The facts an answer depends on, with their bits; those about the viewer come first."""
        return self._cells[role, kind, verb].facts

    def ask(self, role: str, kind: str, verb: str, mask: int) -> Decision:
        """The decision where exactly the facts in ``mask`` are true; other bits are ignored."""
        cell = self._cells[role, kind, verb]
        mask &= cell.care
        known = cell.table.get(mask)
        if known is None:
            # A race computes the same answer twice; there is nothing to lock.
            known = cell.table[mask] = self._judged(cell, mask)
            return known
        self._hits += 1
        if self._hits >= ASKED_AGAIN_EVERY:
            self._hits = 0
            return self._asked_again(cell, known)
        return known

    def terms(  # noqa: PLR0917 - one question: a cell, and what of it is known
        self, role: str, kind: str, verb: str, fixed_mask: int, free: tuple[str, ...]
    ) -> tuple[Term, ...]:
        """When the answer is yes, over the free facts, the others being fixed.

        Args:
            fixed_mask: the true ones among the facts that are not free, as in ``bits``.
            free: names of facts; those the answer does not depend on are never cared for.

        Returns:
            Pairs (care, value) in which bit i stands for ``free[i]``: yes where the true ones among
            them satisfy ``true & care == value`` for any pair. No pair at all is «never», a pair
            with care 0 is «always».

        """
        cell = self._cells[role, kind, verb]
        fixed = fixed_mask & cell.care
        key = (role, kind, verb, fixed, free)
        known = self._terms.get(key)
        if known is None:
            known = self._terms[key] = self._minimised(cell, fixed, free)
        return known

    def reasons(self, decision: Decision, limit: int = MISSES_MAX) -> Reasons:
        """Why, in sentences; at most ``limit`` rows that came near to allowing, the nearest first.

        They speak about the object: tell them only to whom may see it.
        """
        cell = self._cells[decision.role, decision.kind, decision.verb]
        for row in cell.rows:
            if row.number == decision.rule:
                said = self._sentences(row.need, yes=True) + self._sentences(row.ban, yes=False)
                return Reasons(row.number, row.ground, said, ())
        near = [
            (row.need & ~decision.mask, row.ban & decision.mask, row)
            for row in cell.rows
            if row.effect == ALLOW
        ]
        near.sort(key=lambda miss: ((miss[0] | miss[1]).bit_count(), miss[2].number))
        misses = tuple(
            MissWords(
                row.number,
                row.ground,
                self._sentences(missing, yes=False),
                self._sentences(blocking, yes=True),
            )
            for missing, blocking, row in near[:limit]
        )
        return Reasons("", "", (), misses)

    def possible(self, role: str, kind: str) -> tuple[Possible, ...]:
        """The verbs a role can ever perform on a kind, each with its condition."""
        found = []
        for verb in self.book.vocabulary.kinds[kind].verbs:
            terms = self.condition(role, kind, verb.name)
            if terms:
                said = spelled(terms, self.book.bits)
                found.append(Possible(verb.name, said, self._in_sentences(terms)))
        return tuple(found)

    def condition(self, role: str, kind: str, verb: str) -> tuple[Term, ...]:
        """When the answer is yes, over all facts it depends on; in the bits of the book."""
        free = tuple(name for name, _ in self.bits(role, kind, verb))
        places = tuple(self.book.bits[name] for name in free)
        return tuple(
            (_placed(care, places), _placed(value, places))
            for care, value in self.terms(role, kind, verb, 0, free)
        )

    def tabulate(self) -> int:
        """Asks Casbin every question there is, so that no later decision waits for it.

        Returns:
            The number of entries in all truth tables.

        """
        for (role, kind, verb), cell in self._cells.items():
            for mask in subsets(bit for _, bit in cell.facts):
                self.ask(role, kind, verb, mask)
        return sum(len(cell.table) for cell in self._cells.values())

    def _judged(self, cell: _Cell, mask: int) -> Decision:
        """The verdict, made by Casbin. A failure is a no; so is a yes without an allowing row."""
        try:
            answer, row = self._shards[cell.kind, cell.verb].enforce_ex(
                cell.role, cell.verb, cell.kind, mask
            )
            rule = row[0] if row else ""
            permitted = any(r.number == rule and r.effect == ALLOW for r in cell.rows)
            allowed = answer is True and permitted
        except Exception:  # noqa: BLE001 - a judge that cannot answer has not allowed anything
            allowed, rule, permitted = False, "", False
        if permitted and not allowed:
            rule = ""
        return Decision(allowed, rule, cell.role, cell.verb, cell.kind, mask, self.version)

    def _minimised(self, cell: _Cell, fixed: int, free: tuple[str, ...]) -> tuple[Term, ...]:
        bits = tuple(self.book.bits[name] for name in free)
        fixed &= ~sum(bits)
        loose = [1 << place for place, bit in enumerate(bits) if bit & cell.care]
        yes = [
            mask
            for mask in subsets(loose)
            if self.ask(cell.role, cell.kind, cell.verb, fixed | _placed(mask, bits))
        ]
        return minimise(yes, loose)

    def _asked_again(self, cell: _Cell, known: Decision) -> Decision:
        fresh = self._judged(cell, known.mask)
        if fresh.allowed == known.allowed:
            return known
        if self._alarm is not None:
            self._alarm(known, fresh)
        return known if fresh.allowed else fresh

    def _sentences(self, mask: int, *, yes: bool) -> tuple[Text, ...]:
        words = self.book.vocabulary.facts
        return tuple(words[name].yes if yes else words[name].no for name in self.book.names(mask))

    def _in_sentences(self, terms: tuple[Term, ...]) -> Text:
        said = [
            self._sentences(value, yes=True) + self._sentences(care & ~value, yes=False)
            for care, value in terms
        ]
        if not all(said):
            return Text("always", "始终")
        return Text(
            "; or ".join(" and ".join(text.en for text in words) for words in said),
            "；或".join("，且".join(text.zh for text in words) for words in said),
        )


def shard(book: RuleBook, kind: str, verb: str) -> Casbin:
    """An enforcer with just the rows on one verb of one kind: many times as quick as the whole."""
    return enforcer(book, book.rows_on(kind, verb))


def enforcer(book: RuleBook, rows: Iterable[Row]) -> Casbin:
    """A Casbin enforcer over some rows of a book and all its links."""
    model = Model()
    model.load_model_from_text(MODEL)
    model["p"]["p"].policy.extend(
        [r.number, r.effect, r.role, r.verb, r.kind, r.when, r.ground] for r in rows
    )
    model["g"]["g"].policy.extend(list(link) for link in book.links)
    judge = Enforcer(model)
    judge.build_role_links()
    conditions = {row.when: row.holds for row in book.rows}

    def holds(facts: int, when: str) -> bool:
        return conditions[when](facts)

    judge.add_function("holds", holds)
    built: Casbin = judge
    return built


def _placed(mask: int, places: tuple[int, ...]) -> int:
    """A mask whose bit i stands for ``places[i]``, in the bits that the places name."""
    return sum(bit for place, bit in enumerate(places) if mask >> place & 1)


@cache
def _one_casbin() -> None:
    """Two distributions would install the package over each other; nobody would know who judges."""
    found = sorted(set(packages_distributions().get("casbin", ())))
    if len(found) != 1:
        message = f"the package casbin must come from one distribution, found {found}"
        raise RuntimeError(message)
