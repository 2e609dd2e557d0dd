"""Rules of the state machine: one for each command, and one for other events."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from registry.commands.operation import Operation
from registry.kernel.errors import Code
from registry.kernel.quantities import format_quantity
from registry.ledger.operations import (
    approve_reversal,
    impose_freeze,
    lift_freeze,
    open_holding,
    open_reserve,
    propose_reversal,
    record_payout,
    reject_reversal,
)
from registry.ledger.rules import (
    ISSUANCE_ACCOUNT,
    MONEY_INSTRUMENT,
    OUTSIDE_ACCOUNT,
    REVERSIBLE_KINDS,
    AccountKind,
    EntryKind,
)
from tests.ledger.ledger_builders import HOUR, OPENING
from tests.ledger.machine import ALL, MORE, NO_USER, Apply, Machine
from tests.ledger.machine_fixture import ENDS, ESCROW, HOLDING, RESERVE
from tests.ledger.reference_model import (
    NEEDS_BANK_REFERENCE,
    EntryRequest,
    Freeze,
    ModelInstrument,
    ModelRefusal,
    Proposal,
)
from tests.support.builders import LANGFANG, TANGSHAN

LIVE = (HOLDING, ESCROW, RESERVE)
MOODS = st.sampled_from(["once", "once", "once", "twice", "other", "preview"])
INDEX = st.integers(0, 9)
QUANTITIES = st.sampled_from([ALL, MORE, 0, 1, 3, 7, 20, 50, 50, 110, 400])
DAY = timedelta(days=1)
TO_THE_LAST_DAY = ENDS - OPENING.date()
PAST_THE_END = TO_THE_LAST_DAY + DAY
HOURS = st.sampled_from([None, None, None, 0, -1, -50, 1])


class LedgerMachine(Machine):
    """Each rule sends one command."""

    # Rights come in.

    @initialize(stocked=st.sampled_from([True, True, True, False]))
    def begin(self, *, stocked: bool) -> None:
        """Most ledgers begin with something that can be moved."""
        lasting, ending, free, _ = self.model.instruments
        holding, escrow = (
            [
                self.database.account(organisation, kind)
                for organisation in self.database.enterprises
            ]
            for kind in (HOLDING, ESCROW)
        )
        if stocked:
            openings = zip(holding, (lasting, ending, free), strict=True)
            moves = [(ISSUANCE_ACCOUNT, account, right, 100) for account, right in openings]
            self.write(EntryKind.OPENING, *moves, mood="once")
            moves = [
                (OUTSIDE_ACCOUNT, account, MONEY_INSTRUMENT, 1000)
                for account in (*escrow[:2], holding[2])
            ]
            self.write(EntryKind.PAYMENT, *moves, mood="once", reference="BANK-9999")
            self.write(EntryKind.BLOCK, (holding[0], escrow[0], lasting, 60), mood="once")

    @rule(n=INDEX, thing=st.integers(0, 2), units=QUANTITIES, hours=HOURS, mood=MOODS)
    def open_a_holding(
        self, n: int, thing: int, *, units: int, hours: int | None, mood: str
    ) -> None:
        organisation = [*self.database.enterprises * 3, self.database.bank][n]
        right = list(self.model.instruments.values())[thing]
        free = right.pollutant == "NOX"
        args = {
            "organisation": organisation,
            "origin": LANGFANG if free else TANGSHAN,
            "acquisition": "FREE" if free else "PAID",
            "valid_from": OPENING.date() if right.until else None,
            "valid_until": right.until,
            "effective_at": self.effective(hours),
        }
        self._open(open_holding, HOLDING, right, args, units=abs(units), mood=mood)

    @rule(n=INDEX, units=QUANTITIES, hours=HOURS, mood=MOODS)
    def open_a_reserve(self, n: int, units: int, hours: int | None, mood: str) -> None:
        organisation = self.database.city if n else self.database.bank
        right = next(iter(self.model.instruments.values()))
        args = {"organisation": organisation, "effective_at": self.effective(hours)}
        self._open(open_reserve, RESERVE, right, args, units=abs(units), mood=mood)

    def _open(
        self,
        operation: Operation[Any],
        kind: AccountKind,
        right: ModelInstrument,
        args: dict[str, Any],
        *,
        units: int,
        mood: str,
    ) -> None:
        stock = {"pollutant": right.pollutant, "quantity": format_quantity(units, 3)}
        organisation, effective = args["organisation"], args["effective_at"]

        def plan() -> Apply:
            if organisation == self.database.bank:
                raise ModelRefusal(Code.CONDITIONS_UNMET)
            move = (ISSUANCE_ACCOUNT, self.database.account(organisation, kind), right.id, units)
            return self._posting(
                EntryRequest(EntryKind.OPENING, (move,), self.model.now, effective)
            )()

        self.send("province", operation, args | stock | {"source": "a test"}, plan, mood=mood)

    # A case: blocked, paid, settled, or undone on its way.

    @rule(n=INDEX, units=QUANTITIES, hours=HOURS, mood=MOODS)
    def block(self, n: int, units: int, hours: int | None, mood: str) -> None:
        key = self.position(n, HOLDING)
        move = (key[0], self.sibling(key[0], ESCROW), key[1], self.quantity(units, key))
        self.write(EntryKind.BLOCK, move, mood=mood, effective=self.effective(hours))

    @rule(n=INDEX, units=QUANTITIES, mood=MOODS)
    def release(self, n: int, units: int, mood: str) -> None:
        key = self.position(n, ESCROW)
        kind = EntryKind.RELEASE if self.model.instruments[key[1]].pollutant else EntryKind.REFUND
        move = (key[0], self.sibling(key[0], HOLDING), key[1], self.quantity(units, key))
        self.write(kind, move, mood=mood)

    @rule(n=INDEX, escrow=st.booleans(), units=QUANTITIES, reference=INDEX, mood=MOODS)
    def pay_in(self, n: int, units: int, reference: int, mood: str, *, escrow: bool) -> None:
        buyer = self.database.enterprises[n % 3]
        account = self.database.account(buyer, ESCROW if escrow else HOLDING)
        move = (OUTSIDE_ACCOUNT, account, MONEY_INSTRUMENT, abs(units) * 10)
        self.write(EntryKind.PAYMENT, move, mood=mood, reference=f"BANK-{reference:04}")

    @rule(n=INDEX, units=QUANTITIES, reference=INDEX, mood=MOODS)
    def pay_out(self, n: int, units: int, reference: int, mood: str) -> None:
        key = self.position(n, HOLDING, *([ESCROW] if n == 0 else []), money=True)
        fen, name = self.quantity(units, key), f"BANK-{reference:04}"
        draft = EntryRequest(
            EntryKind.PAYOUT,
            ((key[0], OUTSIDE_ACCOUNT, MONEY_INSTRUMENT, fen),),
            self.model.now,
            reference=name,
        )

        def plan() -> Apply:
            if self.model.accounts[key[0]].kind != HOLDING:
                raise ModelRefusal(Code.FORBIDDEN)
            return self._posting(draft)()

        args = {"id": key[0], "money": fen, "reference": name.lower()}
        self.send("centre", record_payout, args, plan, mood=mood)

    @rule(n=INDEX, m=INDEX, buyer=INDEX, units=QUANTITIES, fen=QUANTITIES, mood=MOODS)
    def settle(self, n: int, m: int, *, buyer: int, units: int, fen: int, mood: str) -> None:
        """Rights and money in one entry, or neither."""
        right = self.position(n, ESCROW, money=False)
        money = self.position(m, ESCROW, money=True)
        to = self.database.account(self.database.enterprises[buyer % 3], HOLDING)
        self.write(
            EntryKind.SETTLEMENT,
            (right[0], to, right[1], self.quantity(units, right)),
            (
                money[0],
                self.sibling(right[0], HOLDING),
                MONEY_INSTRUMENT,
                self.quantity(fen, money),
            ),
            mood=mood,
        )

    # Rights change and end.

    @rule(n=INDEX, thing=st.integers(0, 2), units=QUANTITIES, mood=MOODS)
    def convert(self, n: int, thing: int, units: int, mood: str) -> None:
        key = self.position(n, HOLDING, money=False)
        to, units = list(self.model.instruments)[thing], self.quantity(units, key)
        self.write(
            EntryKind.CONVERSION,
            (key[0], ISSUANCE_ACCOUNT, key[1], units),
            (ISSUANCE_ACCOUNT, key[0], to, units),
            mood=mood,
        )

    @rule(n=INDEX, m=INDEX, units=QUANTITIES, mood=MOODS)
    def expire(self, n: int, m: int, units: int, mood: str) -> None:
        swept = dict.fromkeys(self.position(drawn, *LIVE, money=False) for drawn in (n, m))
        moves = [(key[0], ISSUANCE_ACCOUNT, key[1], self.quantity(units, key)) for key in swept]
        self.write(EntryKind.EXPIRY, *moves, mood=mood)

    # Undoing.

    @rule(
        n=INDEX,
        step=st.sampled_from(["propose", "approve", "reject", *["undo", "dismiss"] * 2]),
        who=st.sampled_from(["centre", "second"]),
        mood=MOODS,
    )
    def reverse(self, n: int, step: str, who: str, mood: str) -> None:
        """Propose to undo something, decide one of the last two proposals, or both at once."""
        last = list(self.model.proposals)[-2:]
        if step in {"propose", "undo", "dismiss"} or not last:
            self._propose(n, who, mood)
            who, last = {"centre": "second", "second": "centre"}[who], [*self.model.proposals][-1:]
        if last and step in {"approve", "undo"}:
            self._approve(last[n % len(last)], who, mood)
        elif last and step in {"reject", "dismiss"}:
            self._reject(last[n % len(last)], who, mood)

    def _propose(self, n: int, who: str, mood: str) -> None:
        """Mostly an entry that can be reversed; else any entry, or an absent one."""
        undone = self.model.reversed_entries()
        likely = [
            id
            for id, draft in self.model.entries.items()
            if n > 6 or (draft.kind in REVERSIBLE_KINDS and id not in undone)
        ]
        entry = likely[-1 - n % len(likely)] if likely and n else NO_USER

        def plan() -> Apply:
            self.model.propose(entry)
            return lambda pk, _: self.model.proposals.update({pk: Proposal(entry, who)})

        args = {"entry": entry, "reason": "a mistake"}
        self.send(who, propose_reversal, args, plan, mood=mood)

    def _approve(self, id: UUID, who: str, mood: str) -> None:
        def plan() -> Apply:
            entry = self.model.decide(id, who).entry
            self.model.validate_reversal(entry)
            back = self.model.reversal_of(entry)
            written = self._posting(
                EntryRequest(EntryKind.REVERSAL, back, self.model.now, reverses=entry)
            )()

            def apply(pk: UUID, reversing: UUID | None) -> None:
                written(pk, reversing)
                self.model.set_state(pk, "approved")

            return apply

        self.send(who, approve_reversal, {"id": id}, plan, mood=mood)

    def _reject(self, id: UUID, who: str, mood: str) -> None:
        def plan() -> Apply:
            self.model.decide(id, who)
            return lambda pk, _: self.model.set_state(pk, "rejected")

        self.send(who, reject_reversal, {"id": id, "reason": "none"}, plan, mood=mood)

    # Freezing.

    @rule(
        n=INDEX,
        of=st.sampled_from(["organisation", "account", "position"]),
        hours=st.sampled_from([None, 0, 1, 1, 1, 30]),
        mood=MOODS,
    )
    def freeze(self, n: int, of: str, hours: int | None, mood: str) -> None:
        account, thing = self.position(n, *LIVE)
        organisation = self.model.accounts[account].organisation
        assert organisation is not None
        whole = of == "organisation"
        hold = Freeze(
            organisation,
            None if whole else account,
            thing if of == "position" else None,
            self.model.now,
            self.effective(hours),
        )

        def plan() -> Apply:
            self.model.freeze(hold)
            return lambda pk, _: self.model.freezes.update({pk: hold})

        args = {
            "organisation": organisation if whole else None,
            "account": hold.account,
            "instrument": hold.instrument,
            "ends_at": hold.ends,
            "reason": "a court",
            "source": "file 7",
        }
        self.send("centre", impose_freeze, args, plan, mood=mood)

    @precondition(lambda machine: machine.model.freezes)
    @rule(n=INDEX, mood=MOODS)
    def lift(self, n: int, mood: str) -> None:
        open_first = sorted(self.model.freezes.items(), key=lambda item: item[1].is_lifted)
        id, hold = open_first[n % len(open_first)]

        def plan() -> Apply:
            self.model.lift(id)
            return lambda pk, _: self.model.freezes.update({pk: replace(hold, is_lifted=True)})

        self.send("centre", lift_freeze, {"id": id, "reason": "withdrawn"}, plan, mood=mood)

    # Other attempts, and time.

    @rule(
        kind=st.sampled_from([kind for kind in EntryKind if kind != EntryKind.REVERSAL]),
        lines=st.lists(
            st.tuples(INDEX, INDEX, st.integers(0, 4), QUANTITIES),
            min_size=1,
            max_size=3,
        ),
        reference=INDEX,
        mood=MOODS,
    )
    def try_anything(
        self, kind: EntryKind, lines: list[tuple[int, int, int, int]], reference: int, mood: str
    ) -> None:
        accounts, things = [*self.model.accounts, NO_USER], [*self.model.instruments, NO_USER]
        moves = []
        for n, target, thing, units in lines:
            key = self.position(n, *LIVE) if thing else (accounts[n], things[target % 4])
            move = (key[0], accounts[target], key[1] if thing < 4 else NO_USER)
            moves.append((*move, self.quantity(units, key)))
        name = f"BANK-{reference:04}" if kind in NEEDS_BANK_REFERENCE else ""
        self.write(kind, *moves, mood=mood, reference=name)

    @precondition(lambda machine: machine.outcomes.total() > machine.sent)
    @rule(
        step=st.sampled_from(
            [HOUR, -HOUR, DAY, TO_THE_LAST_DAY, PAST_THE_END, PAST_THE_END, -2 * DAY]
        )
    )
    def advance_clock(self, step: timedelta) -> None:
        """Mostly forward; a clock that is set back must not turn the ledger back."""
        self.sent = self.outcomes.total()
        self.model.now = max(OPENING, self.model.now + step)
        self.database.stop_clock(self.model.now)
        self.instants.append(self.model.now)
