"""The authorizer: turns viewer and object into facts, asks the policy engine, explains.

The engine knows words; the concepts bind each word to a kind of record. Here the two meet, and
nowhere else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policies.engine import (
    MAX_NEAR_MISSES,
    Decision,
    Edition,
    Explanation,
    GivenFacts,
    Permission,
)
from policies.rulebook import ALLOW, NearMiss
from policies.vocabulary import VOCABULARY, Text
from registry.access.kinds import Kind
from registry.access.principals import PUBLIC, Viewer
from registry.kernel.errors import Forbidden

ViewerFact = Callable[[Viewer, str, str], bool]

FactValues = tuple[tuple[str, bool], ...]
"""Facts about a row, each with whether it must be true."""

VIEWER_FACTS: dict[str, ViewerFact] = {
    "scope_missing": lambda v, kind, verb: (
        v.scopes is not None and f"{kind}:{verb}" not in v.scopes
    ),
    "appointment_lapsed": lambda v, _kind, _verb: v.appointment_expired,
    "sanctioned": lambda v, _kind, _verb: v.is_sanctioned,
    "frozen": lambda v, _kind, _verb: v.is_frozen,
    "may_initiate": lambda v, _kind, _verb: v.may_initiate,
    "may_approve": lambda v, _kind, _verb: v.may_approve,
    "beginning": lambda v, _kind, _verb: v.registry_is_empty,
}
"""Facts that depend on the viewer (and for scopes on the verb) alone; they are the same for every
kind.
"""


LASTING_FACTS = ("may_initiate", "may_approve", "scope_missing")
"""Those that an appointment has from its beginning to its end, by one client."""


@dataclass(frozen=True, slots=True)
class RowFilter:
    """The rows on which a verb is allowed; ``{t}`` is the alias, ``:name`` a bind."""

    disjuncts: tuple[str, ...]  # The conditions of which one must hold.
    is_indexed: bool  # Along each of them an index leads to its rows in the order of a list.
    binds: dict[str, Any]

    @property
    def sql(self) -> str:
        return "(" + " OR ".join(self.disjuncts) + ")"


class Authorizer:
    """Holds the edition in force. Readers take one reference, so that a swap is atomic."""

    def __init__(self) -> None:
        self._edition: Edition | None = None

    @property
    def edition(self) -> Edition:
        """The edition in force; none loaded means that nothing may be decided."""
        if self._edition is None:
            raise RuntimeError("no edition of the rule book is loaded")
        return self._edition

    def activate(self, edition: Edition) -> None:
        """Put ``edition`` in force for this process."""
        self._edition = edition

    def activate_if_newer(self, edition: Edition) -> None:
        """Activate ``edition`` unless a newer one is active already."""
        if edition.version > self.edition.version:
            self.activate(edition)

    def authorize(self, viewer: Viewer, kind: Kind, verb: str, record: object) -> Decision:
        """The decision on one object.

        The cost is one call for each fact that the rules of this cell name, and one lookup. No
        viewer sees less than the public: without a valid appointment or scope they could read as
        the public by not signing in.
        """
        own = self._decision_for(viewer, kind, verb, record)
        if own.allowed is True or not _is_read(viewer, kind, verb):
            return own
        public = self._public_decision(viewer, kind, verb, record)
        return public if public.allowed is True else own

    def _decision_for(self, viewer: Viewer, kind: Kind, verb: str, record: object) -> Decision:
        edition = self.edition
        mask = 0
        for name, bit in edition.fact_bits(viewer.role, kind.name, verb):
            of_viewer = VIEWER_FACTS.get(name)
            if of_viewer is not None:
                true = of_viewer(viewer, kind.name, verb)
            else:
                true = kind.facts[name].check(viewer, record)
            if true:
                mask |= bit
        return edition.evaluate(viewer.role, kind.name, verb, mask)

    def _public_decision(self, viewer: Viewer, kind: Kind, verb: str, record: object) -> Decision:
        """The decision for the public: only facts about the object alone are true."""
        mask = 0
        for name, bit in self.edition.fact_bits(PUBLIC, kind.name, verb):
            fact = kind.facts.get(name)
            if fact is not None and fact.viewer_independent and fact.check(viewer, record):
                mask |= bit
        return self.edition.evaluate(PUBLIC, kind.name, verb, mask)

    def allows(self, viewer: Viewer, kind: Kind, verb: str, record: object) -> bool:
        return self.authorize(viewer, kind, verb, record).allowed is True

    def available_verbs(self, viewer: Viewer, kind: Kind, record: object) -> tuple[str, ...]:
        """The verbs, other than looking, that are permitted on the object at its stage."""
        return tuple(
            verb.name
            for verb in VOCABULARY.kinds[kind.name].verbs
            if not verb.is_read
            and not verb.creates
            and self.allows(viewer, kind, verb.name, record)
        )

    def permissions(self, viewer: Viewer, kind: str) -> list[Permission]:
        """The verbs that the appointment can ever carry out by its client, with their conditions.

        A viewer never sees less than the public.
        """

        def given(verb: str) -> GivenFacts:
            return {name: VIEWER_FACTS[name](viewer, kind, verb) for name in LASTING_FACTS}

        found = {each.verb: each for each in self.edition.permissions(PUBLIC, kind)}
        found |= {each.verb: each for each in self.edition.permissions(viewer.role, kind, given)}
        verbs = (verb.name for verb in VOCABULARY.kinds[kind].verbs)
        return [found[verb] for verb in verbs if verb in found]

    def explain(self, viewer: Viewer, kind: Kind, verb: str, record: object) -> Explanation:
        """The decision with its reasons. Only for viewers who may see the object."""
        return self._explanation_of(self.authorize(viewer, kind, verb, record))

    def forbidden(self, viewer: Viewer, kind: Kind, verb: str, record: object) -> Forbidden:
        """The refusal of a verb on a visible object: the forbidding rule or the nearest misses."""
        return self._refusal(viewer, kind, self.authorize(viewer, kind, verb, record))

    def _explanation_of(self, decision: Decision) -> Explanation:
        explanation = self.edition.explain(decision)
        if decision.allowed or explanation.rule or explanation.near_misses:
            return explanation
        return explanation._replace(near_misses=self._rules_for_other_roles(decision))

    def _rules_for_other_roles(self, decision: Decision) -> tuple[NearMiss, ...]:
        """The rules that let other roles do what no rule lets this one do, a few."""
        own = VOCABULARY.roles[decision.role]
        named = {**VOCABULARY.roles, **VOCABULARY.groups}
        rows = [
            row
            for row in self.edition.book.rules_for_verb(decision.kind, decision.verb)
            if row.effect == ALLOW and row.role != "registry"
        ]
        return tuple(
            NearMiss(
                row.number,
                row.legal_basis,
                missing=(
                    Text(
                        f"it is for the {named[row.role].en}; you act for the {own.en}",
                        f"由{named[row.role].zh}办理；您以{own.zh}身份操作",
                    ),
                ),
            )
            for row in rows[:MAX_NEAR_MISSES]
        )

    def _refusal(self, viewer: Viewer, kind: Kind, decision: Decision) -> Forbidden:
        state = self._explanation_of(decision)
        if state.rule:
            return Forbidden(
                Text(
                    f"Rule {state.rule} forbids it: {'; '.join(t.en for t in state.reasons)}.",
                    f"规则{state.rule}不允许：{'；'.join(t.zh for t in state.reasons)}。",
                ),
                rule=state.rule,
                legal_basis=Text.parse(state.legal_basis),
            )
        words = VOCABULARY.verb(kind.name, decision.verb)
        named = words.text if words else Text(decision.verb, decision.verb)
        role, what = VOCABULARY.roles[viewer.role], VOCABULARY.kinds[kind.name].text
        nearest = _nearest_miss_text(state.near_misses)
        return Forbidden(
            Text(
                f"No rule lets the {role.en} {named.en} this {what.en} now{nearest.en}.",
                f"按现行规则，{role.zh}目前不能对该{what.zh}办理“{named.zh}”{nearest.zh}。",
            ),
            near_misses=state.near_misses,
        )

    def never_allowed(self, viewer: Viewer, kind: Kind, verb: str) -> Forbidden | None:
        """The refusal of a verb that this viewer may do on no object at all; else None.

        Asked before anything is looked up, so that no look-up tells what exists.
        """
        fixed, free = self._viewer_bits(viewer, kind, verb)
        if self.edition.residual_condition(viewer.role, kind.name, verb, fixed, free):
            return None
        return self._refusal(
            viewer, kind, self.edition.evaluate(viewer.role, kind.name, verb, fixed)
        )

    def row_filter(self, viewer: Viewer, kind: Kind, verb: str) -> RowFilter | bool:
        """The same decisions as a condition on rows: True (all), False (none), or a filter."""
        fixed, free = self._viewer_bits(viewer, kind, verb)
        cells = [(viewer.role, fixed, free)]
        if _is_read(viewer, kind, verb):
            facts = self.edition.fact_bits(PUBLIC, kind.name, verb)
            known = ((name, kind.facts.get(name)) for name, _ in facts)
            cells.append(
                (PUBLIC, 0, tuple(name for name, fact in known if fact and fact.viewer_independent))
            )
        ways, indexed = [], True
        for role, fixed, free in cells:
            terms = self.edition.residual_condition(role, kind.name, verb, fixed, free)
            if any(care == 0 for care, _ in terms):
                return True
            for care, value in terms:
                conjunctions = _conjunctions(kind, free, care=care, value=value)
                ways += conjunctions
                indexed = indexed and len(conjunctions) > 1
        return RowFilter(tuple(ways), indexed, viewer.bind_values()) if ways else False

    def _viewer_bits(self, viewer: Viewer, kind: Kind, verb: str) -> tuple[int, tuple[str, ...]]:
        """The true facts about the viewer alone, and the names of the facts about rows."""
        fixed, free = 0, []
        for name, bit in self.edition.fact_bits(viewer.role, kind.name, verb):
            of_viewer = VIEWER_FACTS.get(name)
            if of_viewer is None:
                free.append(name)
            elif of_viewer(viewer, kind.name, verb):
                fixed |= bit
        return fixed, tuple(free)

    def next_actors(
        self, kind: Kind, record: object, *, now: datetime
    ) -> tuple[tuple[str, str], ...]:
        """The (role, verb) pairs in whose work list the object can be now."""
        viewer = Viewer(role=PUBLIC, now=now)
        return tuple(
            (role, verb)
            for role, verb, ways in self._next_actor_conditions(kind, now)
            if any(
                all(kind.facts[name].check(viewer, record) is wanted for name, wanted in way)
                for way in ways
            )
        )

    def next_actor_filters(self, kind: Kind, *, now: datetime) -> list[tuple[str, str, str]]:
        """The same pairs for all rows, each with its condition on the row ``{t}``."""
        return [
            (role, verb, " OR ".join(f"({_facts_sql(kind, way)})" for way in ways))
            for role, verb, ways in self._next_actor_conditions(kind, now)
        ]

    def _next_actor_conditions(
        self, kind: Kind, now: datetime
    ) -> Iterator[tuple[str, str, list[FactValues]]]:
        """For each role and duty, when some viewer of that role could be allowed.

        Facts that depend on the viewer are left out of each way to a yes: some viewer has them.
        """
        for verb in VOCABULARY.kinds[kind.name].verbs:
            for role in VOCABULARY.roles if verb.creates_task else ():
                viewer = Viewer(role=role, now=now, may_initiate=True, may_approve=True)
                fixed, free = self._viewer_bits(viewer, kind, verb.name)
                terms = self.edition.residual_condition(role, kind.name, verb.name, fixed, free)
                ways = (_facts_of_rows(kind, free, care=care, value=yes) for care, yes in terms)
                if terms:
                    yield role, verb.name, list(dict.fromkeys(ways))


def _nearest_miss_text(near_misses: tuple[NearMiss, ...]) -> Text:
    """The objections to the nearest rule, as the end of a sentence."""
    if not near_misses:
        return Text("", "")
    against = (*near_misses[0].missing, *near_misses[0].blocking)
    return Text(
        f"; {near_misses[0].rule} would, but " + " and ".join(text.en for text in against),
        f"；最接近的规则为{near_misses[0].rule}，但" + "且".join(text.zh for text in against),
    )


def _is_read(viewer: Viewer, kind: Kind, verb: str) -> bool:
    """Whether a viewer other than the public reads."""
    words = VOCABULARY.verb(kind.name, verb)
    return words is not None and words.is_read and viewer.role != PUBLIC


def _facts_of_rows(kind: Kind, free: tuple[str, ...], *, care: int, value: int) -> FactValues:
    """The facts of one way to a yes that are the same for every viewer; bit i is ``free[i]``."""
    found = []
    for place, name in enumerate(free):
        wanted = bool(value >> place & 1)
        if not care >> place & 1:
            continue
        if kind.facts[name].viewer_independent:
            found.append((name, wanted))
        elif not wanted and name in VOCABULARY.implied_by:
            # It is true of every viewer where the other fact is, so that one must be false.
            found.append((VOCABULARY.implied_by[name], False))
    return tuple(found)


def _facts_sql(kind: Kind, facts: FactValues) -> str:
    said = (f"{'' if wanted else 'NOT '}({kind.facts[name].where})" for name, wanted in facts)
    return " AND ".join(said) or "true"


def _conjunctions(kind: Kind, free: tuple[str, ...], *, care: int, value: int) -> list[str]:
    """One way to a yes as a condition; several where a fact tells them apart.

    Bit i is ``free[i]``.
    """
    conditions: list[str] = []
    ways: tuple[str, ...] = ()
    for place, name in enumerate(free):
        if care >> place & 1:
            fact, yes = kind.facts[name], value >> place & 1
            if yes and fact.index_branches and not ways:
                ways = fact.index_branches
            else:
                conditions.append(f"({fact.where})" if yes else f"NOT ({fact.where})")
    return [" AND ".join((f"({way})", *conditions)) for way in ways] or [" AND ".join(conditions)]


authorizer = Authorizer()
"""The authorizer of this process."""
