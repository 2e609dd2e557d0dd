"""Plans the sales of every enterprise and their outcomes, then runs all events in order."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from random import Random

from benchmarks.world.organisations import Firm
from benchmarks.world.transfers import LIMIT, SimulatedTransfer, TransferSimulator, path_to
from registry.kernel.calendar import CHINA
from registry.transfers.rules import FINAL, State, Step

STARTS_AT = datetime(2022, 6, 7, 10, tzinfo=CHINA)
ENDS_AT = datetime(2026, 3, 2, 10, tzinfo=CHINA)
"""Time of the registry's clock afterwards."""

SALES_PER_ENTERPRISE = 7
"""Sales of an enterprise. With first holdings and payouts they make about 25 entries."""

PRICES = {"SO2": 750_000, "NOX": 900_000, "COD": 600_000, "NH3N": 1_200_000}
"""Lowest price of a tonne, in fen."""

# Outcomes of every hundred transfers.
_OUTCOME_PERCENT = {
    State.SETTLED: 80, State.PAID: 1, State.CONTRACTED: 1, State.APPROVED: 1, State.ELIGIBLE: 1,
    State.ACCEPTED: 1, State.OFFERED: 2, State.AWAITING_SIGNATURE: 4, State.DRAFT: 2,
    State.WITHDRAWN: 2, State.REJECTED: 2, State.EXPIRED: 2, State.DEFAULTED: 1,
}  # fmt: skip
_PAYOUT_SHARE = 0.8
_HOUR = timedelta(hours=1)
_LONGEST = timedelta(days=90)
_OPEN = timedelta(days=6)

ProgressCallback = Callable[[str, int, int], None]
"""Gets the name of a phase, how much of it is done, and its size."""

_Event = tuple[datetime, int, Callable[[datetime], None]]


def simulate(
    simulator: TransferSimulator,
    firms: Sequence[Firm],
    scales: Mapping[str, int],
    progress: ProgressCallback,
) -> list[SimulatedTransfer]:
    """All transfers, each from its draft to its outcome; ``scales`` by pollutant."""
    planner = _Planner(simulator, firms, scales)
    planner.plan()
    events, total = planner.events, len(planner.events)
    heapq.heapify(events)
    while events:
        at, _, happens = heapq.heappop(events)
        happens(at)
        if len(events) % 5000 == 0:
            progress("Simulating", total - len(events), total)
    return planner.transfers


@dataclass(slots=True)
class _Planner:
    simulator: TransferSimulator
    firms: Sequence[Firm]
    scales: Mapping[str, int]
    transfers: list[SimulatedTransfer] = field(default_factory=list)
    events: list[_Event] = field(default_factory=list)
    # Events of one instant happen in the order of planning.
    _sequence: "count[int]" = field(default_factory=count)
    _outcomes: list[State] = field(default_factory=list)

    @property
    def rng(self) -> Random:
        return self.simulator.writer.rng

    def plan(self) -> None:
        """Every enterprise sells ``SALES_PER_ENTERPRISE`` times to others of its city."""
        by_city: dict[str, list[Firm]] = {}
        for firm in self.firms:
            by_city.setdefault(firm.division.city, []).append(firm)
        for seller in [firm for firm in self.firms for _ in range(SALES_PER_ENTERPRISE)]:
            buyer = self.rng.choice(by_city[seller.division.city])
            while buyer is seller:
                buyer = self.rng.choice(by_city[seller.division.city])
            self._plan_transfer(seller, buyer)

    def _plan_transfer(self, seller: Firm, buyer: Firm) -> None:
        end = self._next_outcome()
        if end is State.AWAITING_SIGNATURE and not seller.needs_two_signatures:
            end = State.OFFERED
        right = self.rng.choice(seller.holdings)
        transfer = SimulatedTransfer(
            id=self.simulator.writer.next_id(),
            seller=seller,
            buyer=buyer,
            right=right,
            # All sales together stay below what the seller began with.
            quantity=self.rng.randint(1, right.quantity // (SALES_PER_ENTERPRISE + 1)),
            price_fen=PRICES[right.pollutant] * self.rng.randint(100, 130) // 100,
            scale=self.scales[right.pollutant],
            drafted_at=self._draft_time(end),
        )
        self.transfers.append(transfer)
        self._plan_steps(
            transfer, path_to(end, seller=seller, buyer=buyer), open_ended=end not in FINAL
        )

    def _next_outcome(self) -> State:
        if not self._outcomes:
            self._outcomes = [end for end, times in _OUTCOME_PERCENT.items() for _ in range(times)]
            self.rng.shuffle(self._outcomes)
        return self._outcomes.pop()

    def _draft_time(self, end: State) -> datetime:
        """Transfers that stay open are drafted in the last days, so that no time limit passes."""
        first, last = (
            (STARTS_AT, ENDS_AT - _LONGEST) if end in FINAL else (ENDS_AT - _OPEN, ENDS_AT - _OPEN)
        )
        hours = (last - first) // _HOUR
        return first + timedelta(hours=self.rng.randint(1, hours + 1))

    def _plan_steps(
        self, transfer: SimulatedTransfer, steps: Sequence[Step], *, open_ended: bool
    ) -> None:
        at = transfer.drafted_at
        self._plan_event(at, lambda _: self.simulator.draft(transfer))
        for step in steps:
            at += self._gap(step, open_ended=open_ended)
            self._plan_event(at, partial(self.simulator.advance, transfer, step))
        if Step.SETTLE in steps and self.rng.random() < _PAYOUT_SHARE:
            at += self._gap(Step.SETTLE, open_ended=False)
            self._plan_event(at, partial(self.simulator.pay_out, transfer))

    def _gap(self, step: Step, *, open_ended: bool) -> timedelta:
        """Time since the step before; a failure by time limit comes after the limit."""
        waited = LIMIT + _HOUR * 24 if step in {Step.EXPIRE, Step.DEFAULT} else timedelta()
        return waited + timedelta(minutes=self.rng.randint(5, 600 if open_ended else 5000))

    def _plan_event(self, at: datetime, happens: Callable[[datetime], None]) -> None:
        self.events.append((at, next(self._sequence), happens))
