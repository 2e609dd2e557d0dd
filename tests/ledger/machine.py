"""How the state machine sends a command, what it draws, and what must be true after each step."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from hypothesis.stateful import RuleBasedStateMachine, invariant

from registry.commands.operation import Operation
from registry.kernel.errors import Code
from registry.ledger.operations import lift_freeze
from registry.ledger.rules import AccountKind, EntryKind
from tests.ledger.ledger_builders import HOUR, OPENING
from tests.ledger.machine_fixture import HOLDING, WRITE, LedgerDatabase, arguments_of
from tests.ledger.reference_model import EntryRequest, Key, ModelRefusal, Move, ReferenceModel

NO_USER = UUID(int=77)
ALL, MORE = -1, -2
"""Quantities that stand for what a position holds, and for one unit more."""

Apply = Callable[[UUID, UUID | None], None]
"""The model's step after the command, given the object and the entry it wrote."""

Plan = Callable[[], Apply]
"""Foretells a command: raises ``No`` where it must be refused."""


class Machine(RuleBasedStateMachine):
    """Sends commands whose outcome the model has foretold, and holds the tables against it."""

    database: LedgerDatabase
    outcomes: Counter[str]
    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.model: ReferenceModel = self.database.new_model()
        self.instants = [OPENING]
        self.steps = self.sent = 0

    # How a command is sent.

    def send(
        self, who: str, operation: Operation[Any], args: dict[str, Any], plan: Plan, *, mood: str
    ) -> None:
        """Send it, compare the answer with the plan, and let the model follow."""
        apply, code = self._predict(plan)
        name = args["kind"] if operation is WRITE else operation.name
        end = code or ("foreseen" if mood == "preview" else "done")
        self.outcomes[f"{name} {end}"] += 1
        key = uuid4().hex
        if mood == "preview":
            self._preview(who, operation, args, code)
            return
        answer = self.database.ask(who, operation, args, key=key)
        assert answer.code == code
        if answer.outcome is not None and apply is not None:
            self.model.audit_entries += 1
            act = answer.outcome.audit_entry_id
            apply(answer.outcome.record.pk, self.database.snapshot(act).written)
        if mood == "twice":
            again = self.database.ask(who, operation, args, key=key)
            assert again.code == code
            if again.outcome and answer.outcome:
                assert again.outcome.is_replay
                assert again.outcome.audit_entry_id == answer.outcome.audit_entry_id
        if mood == "other" and answer.outcome:
            other = self.database.ask(who, lift_freeze, {"id": NO_USER, "reason": "x"}, key=key)
            assert other.code == Code.KEY_REUSED
            self.outcomes[f"{name} {Code.KEY_REUSED}"] += 1

    def _predict(self, plan: Plan) -> tuple[Apply | None, str | None]:
        try:
            return plan(), None
        except ModelRefusal as no:
            return None, no.code

    def _preview(
        self, who: str, operation: Operation[Any], args: dict[str, Any], code: str | None
    ) -> None:
        """It foresees the same and leaves nothing; unmet conditions it shows."""
        answer = self.database.ask(who, operation, args, key="foresee", preview=True)
        unmet = code == Code.CONDITIONS_UNMET
        assert answer.code == (None if unmet else code)
        if answer.outcome is not None:
            assert answer.outcome.preview is not None
            conditions = answer.outcome.preview.conditions
            assert all(condition.met for condition in conditions) != unmet

    def write(self, kind: EntryKind, *moves: Move, mood: str, **more: Any) -> None:  # noqa: ANN401
        """An entry that no operation of the ledger's own writes."""
        draft = EntryRequest(kind, moves, self.model.now, **more)
        anchor = self.database.account(self.database.enterprises[0], HOLDING)
        args = arguments_of(anchor, draft)
        self.send("province", WRITE, args, self._posting(draft), mood=mood)

    def _posting(self, draft: EntryRequest) -> Plan:
        def plan() -> Apply:
            self.model.validate(draft)
            return lambda _, entry: self.model.write(entry or NO_USER, draft)

        return plan

    # Drawn values.

    def position(self, n: int, *kinds: AccountKind, money: bool | None = None) -> Key:
        """Something that is held, or where nothing is, something that could be."""
        held = self.model.positions(*kinds, money=money)
        if held:
            return held[n % len(held)]
        accounts = [p.id for p in self.model.accounts.values() if p.kind in kinds]
        things = [t.id for t in self.model.instruments.values() if money in {None, not t.pollutant}]
        return accounts[n % len(accounts)], things[n % len(things)]

    def quantity(self, drawn: int, key: Key) -> int:
        return {ALL: self.model.balance(key), MORE: self.model.balance(key) + 1}.get(drawn, drawn)

    def sibling(self, account: UUID, kind: AccountKind) -> UUID:
        organisation = self.model.accounts[account].organisation
        assert organisation is not None
        return self.database.account(organisation, kind)

    def effective(self, hours: int | None) -> datetime | None:
        return None if hours is None else self.model.now + hours * HOUR

    # Invariants.

    @invariant()
    def tables_match_the_model(self) -> None:
        """So a refusal, a repetition and a preview left no trace."""
        there = self.database.snapshot()
        fixed = {"account": len(self.model.accounts), "instrument": len(self.model.instruments)}
        sums: Counter[UUID] = Counter()
        for (account, thing), (quantity, _, _) in there.balances.items():
            assert quantity >= 0 or self.model.accounts[account].is_issuer
            sums[thing] += quantity

        assert not any(sums.values())
        assert there.balances == self.model.balances()
        assert there.states == self.model.states()
        assert there.counts == self.model.counts() | fixed

    @invariant()
    def history_is_immutable(self) -> None:
        self.steps += 1
        known = self.instants[self.steps * 7 % len(self.instants)]
        effective = self.instants[self.steps * 3 % len(self.instants)] - HOUR * (self.steps % 3)
        keys = list(self.model.lines)

        assert self.database.balances_as_of(keys, known, effective) == {
            key: (
                self.model.balance_recorded_at(key, known),
                self.model.balance_effective_at(key, effective, known),
            )
            for key in keys
        }

    @invariant()
    def ledger_verifies(self) -> None:
        """Sound, but for a cap where a clock set back brought a right that had ended to life."""
        expected = {"caps_hold"} if self.model.over_cap() else set()
        if self.steps % self.stride == 0:
            assert self.database.violated_checks() == expected

    def teardown(self) -> None:
        assert self.database.failed_verification() == (
            {"caps_hold"} if self.model.over_cap() else set()
        )
