"""How the state machine sends a command, what it draws, and what must be true after each step."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from hypothesis.stateful import RuleBasedStateMachine, invariant

from registry.commands.command import Operation
from registry.kernel.errors import Code
from registry.ledger.operations import lift_freeze
from registry.ledger.rules import AccountKind, EntryKind
from tests.ledger.ledger_builders import HOUR, OPENING
from tests.ledger.machine_fixture import HOLDING, WRITE, Ground, asked_of
from tests.ledger.reference_model import Book, Draft, Key, Move, No

NOBODY = UUID(int=77)
ALL, MORE = -1, -2
"""Quantities that stand for what a position holds, and for one unit more."""

Apply = Callable[[UUID, UUID | None], None]
"""What the model does once the command is done, given the object and the entry it wrote."""

Plan = Callable[[], Apply]
"""Foretells a command: raises ``No`` where it must be refused."""


class Machine(RuleBasedStateMachine):
    """Sends commands whose outcome the model has foretold, and holds the tables against it."""

    ground: Ground
    seen: Counter[str]
    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.book: Book = self.ground.book()
        self.moments = [OPENING]
        self.steps = self.sent = 0

    # How a command is sent.

    def send(
        self, who: str, operation: Operation[Any], args: dict[str, Any], plan: Plan, *, mood: str
    ) -> None:
        """Send it, compare the answer with the plan, and let the model follow."""
        apply, code = self._foretold(plan)
        name = args["kind"] if operation is WRITE else operation.name
        end = code or ("foreseen" if mood == "preview" else "done")
        self.seen[f"{name} {end}"] += 1
        key = uuid4().hex
        if mood == "preview":
            self._preview(who, operation, args, code)
            return
        answer = self.ground.ask(who, operation, args, key=key)
        assert answer.code == code
        if answer.outcome is not None and apply is not None:
            self.book.acts += 1
            act = answer.outcome.act_id
            apply(answer.outcome.record.pk, self.ground.look(act).written)
        if mood == "twice":
            again = self.ground.ask(who, operation, args, key=key)
            assert again.code == code
            if again.outcome and answer.outcome:
                assert again.outcome.replayed
                assert again.outcome.act_id == answer.outcome.act_id
        if mood == "other" and answer.outcome:
            other = self.ground.ask(who, lift_freeze, {"id": NOBODY, "reason": "x"}, key=key)
            assert other.code == Code.KEY_REUSED
            self.seen[f"{name} {Code.KEY_REUSED}"] += 1

    def _foretold(self, plan: Plan) -> tuple[Apply | None, str | None]:
        try:
            return plan(), None
        except No as no:
            return None, no.code

    def _preview(
        self, who: str, operation: Operation[Any], args: dict[str, Any], code: str | None
    ) -> None:
        """It foresees the same and leaves nothing; unmet conditions it shows."""
        answer = self.ground.ask(who, operation, args, key="foresee", preview=True)
        unmet = code == Code.CONDITIONS_UNMET
        assert answer.code == (None if unmet else code)
        if answer.outcome is not None:
            assert answer.outcome.preview is not None
            conditions = answer.outcome.preview.conditions
            assert all(condition.met for condition in conditions) != unmet

    def write(self, kind: EntryKind, *moves: Move, mood: str, **more: Any) -> None:  # noqa: ANN401
        """An entry that no operation of the ledger's own writes."""
        draft = Draft(kind, moves, self.book.now, **more)
        anchor = self.ground.account(self.ground.enterprises[0], HOLDING)
        args = asked_of(anchor, draft)
        self.send("province", WRITE, args, self._posting(draft), mood=mood)

    def _posting(self, draft: Draft) -> Plan:
        def plan() -> Apply:
            self.book.weigh(draft)
            return lambda _, entry: self.book.write(entry or NOBODY, draft)

        return plan

    # What is drawn.

    def position(self, n: int, *kinds: AccountKind, money: bool | None = None) -> Key:
        """Something that is held, or where nothing is, something that could be."""
        held = self.book.positions(*kinds, money=money)
        if held:
            return held[n % len(held)]
        accounts = [p.id for p in self.book.places.values() if p.kind in kinds]
        things = [t.id for t in self.book.things.values() if money in {None, not t.pollutant}]
        return accounts[n % len(accounts)], things[n % len(things)]

    def quantity(self, drawn: int, key: Key) -> int:
        return {ALL: self.book.balance(key), MORE: self.book.balance(key) + 1}.get(drawn, drawn)

    def sibling(self, account: UUID, kind: AccountKind) -> UUID:
        organisation = self.book.places[account].organisation
        assert organisation is not None
        return self.ground.account(organisation, kind)

    def effective(self, hours: int | None) -> datetime | None:
        return None if hours is None else self.book.now + hours * HOUR

    # What is always true.

    @invariant()
    def nothing_is_there_that_the_model_does_not_know(self) -> None:
        """So a refusal, a repetition and a preview left no trace."""
        there = self.ground.look()
        fixed = {"account": len(self.book.places), "instrument": len(self.book.things)}
        sums: Counter[UUID] = Counter()
        for (account, thing), (quantity, _, _) in there.balances.items():
            assert quantity >= 0 or self.book.places[account].issuer
            sums[thing] += quantity

        assert not any(sums.values())
        assert there.balances == self.book.balances()
        assert there.states == self.book.states()
        assert there.counts == self.book.counts() | fixed

    @invariant()
    def the_past_is_what_it_was(self) -> None:
        self.steps += 1
        known = self.moments[self.steps * 7 % len(self.moments)]
        effective = self.moments[self.steps * 3 % len(self.moments)] - HOUR * (self.steps % 3)
        keys = list(self.book.lines)

        assert self.ground.past(keys, known, effective) == {
            key: (self.book.as_known(key, known), self.book.as_effective(key, effective, known))
            for key in keys
        }

    @invariant()
    def the_ledger_verifies(self) -> None:
        """Sound, but for a cap where a clock set back brought a right that had ended to life."""
        expected = {"caps_hold"} if self.book.over_cap() else set()
        if self.steps % self.stride == 0:
            assert self.ground.offended() == expected

    def teardown(self) -> None:
        assert self.ground.verified() == ({"caps_hold"} if self.book.over_cap() else set())
