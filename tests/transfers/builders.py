"""A seller with rights, a buyer with a permit, and an officer of everybody who has a say in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from registry.access.principals import Principal
from registry.commands.command import execute_command
from registry.commands.operation import Operation, Preview
from registry.db.session import fetch_all
from registry.kernel.calendar import CHINA
from registry.ledger.journal import ensure_account, ensure_instrument
from registry.ledger.records import Instrument
from registry.ledger.rules import MONEY_INSTRUMENT, AccountKind, Acquisition, Right
from registry.parties.records import Organisation
from registry.permits.records import (
    Assessment,
    ConstructionProject,
    Outlet,
    Permit,
    PermitLimit,
    ProjectDemand,
)
from registry.transfers.approval import approve_transfer, opine_on_transfer, qualify_transfer
from registry.transfers.offer import accept_transfer, draft_transfer, offer_transfer
from registry.transfers.records import Transfer
from registry.transfers.rules import State
from registry.transfers.settlement import contract_transfer, record_payment, settle_transfer
from tests.ledger.balances import available_quantity
from tests.ledger.ledger_builders import give_stock
from tests.support.builders import (
    LANGFANG,
    LONG_AGO,
    TANGSHAN,
    create_officer,
    create_officer_of,
    create_organisation,
    make_credit_code,
    principal_of,
)

FOUNDING_DAY = datetime(2022, 6, 7, 10, tzinfo=CHINA)
IN_2026 = datetime(2026, 3, 2, 10, tzinfo=CHINA)
NOTICE = date(2026, 1, 5)

TONNES = "12.000"
UNITS = 12_000
PRICE = 750_000  # 7500.00 yuan/t, the base price of SO2.
SUM = 12 * PRICE
STOCK_UNITS = 100_000


@dataclass
class TradingFixture:
    """One seller, one buyer, one right, and who acts for whom."""

    seller: Organisation
    buyer: Organisation
    right: Instrument
    people: dict[str, Principal]
    references: int = field(default=0)

    async def execute(
        self, who: str, operation: Operation[Any], case: UUID | None = None, **args: object
    ) -> Transfer:
        """The case after an officer acted."""
        given = args if case is None else {"id": case, **args}
        outcome = await execute_command(operation, self.people[who], given, key=str(uuid4()))
        record: Transfer = outcome.record
        return record

    async def preview(
        self, who: str, operation: Operation[Any], case: UUID | None = None, **args: object
    ) -> Preview:
        """The preview of it."""
        given = args if case is None else {"id": case, **args}
        outcome = await execute_command(
            operation, self.people[who], given, key="foresee", preview=True
        )
        assert outcome.preview is not None
        return outcome.preview

    def terms(self, **changed: object) -> dict[str, Any]:
        """The seller's proposal, unless a test overrides it."""
        return {
            "buyer": self.buyer.id,
            "instrument": self.right.id,
            "quantity": TONNES,
            "price": PRICE,
        } | changed

    async def draft(self, **changed: object) -> Transfer:
        """A draft of the seller."""
        across = (
            {"announced_on": NOTICE, "announcement": "notice 2026-1"} if self.is_cross_city else {}
        )
        return await self.execute("seller", draft_transfer, **self.terms(**across, **changed))

    @property
    def is_cross_city(self) -> bool:
        return bool(self.seller.city != self.buyer.city)

    async def case_in(self, state: State, **changed: object) -> Transfer:
        """A case that went its way as far as ``state``, one of those of the main road."""
        transfer = await self.draft(**changed)
        road = iter(self._path_steps(transfer.id))
        while transfer.state != state.value:
            transfer = await next(road)()
        return transfer

    def _path_steps(self, id: UUID) -> list[Callable[[], Any]]:
        self.references += 1
        number = f"HT-{id.hex[:12]}"
        return [
            lambda: self.execute("seller", offer_transfer, id),
            lambda: self.execute("buyer", accept_transfer, id),
            lambda: self.execute("centre", qualify_transfer, id),
            *(self._cross_city_steps(id) if self.is_cross_city else self._within_city_steps(id)),
            lambda: self.execute("centre", contract_transfer, id, contract_number=number),
            lambda: self.execute(
                "centre", record_payment, id, money=SUM, reference=f"BK{id.hex[:16]}"
            ),
            lambda: self.execute("centre", settle_transfer, id),
        ]

    def _within_city_steps(self, id: UUID) -> list[Callable[[], Any]]:
        return [lambda: self.execute("city", approve_transfer, id)]

    def _cross_city_steps(self, id: UUID) -> list[Callable[[], Any]]:
        opinion = {"favourable": False, "reasons": "the local total would grow"}
        return [
            lambda: self.execute("city", opine_on_transfer, id, favourable=True, reasons="surplus"),
            lambda: self.execute("buyer_city", opine_on_transfer, id, **opinion),
            lambda: self.execute("province", approve_transfer, id),
        ]

    async def rights(self) -> dict[str, int]:
        """Where the rights lie now; empty accounts left out."""
        return await self._balances(self.right.id)

    async def money(self) -> dict[str, int]:
        """Where the money lies now."""
        return await self._balances(MONEY_INSTRUMENT)

    async def _balances(self, instrument: UUID) -> dict[str, int]:
        found = {}
        for side, organisation in (("seller", self.seller), ("buyer", self.buyer)):
            for kind in (AccountKind.HOLDING, AccountKind.ESCROW):
                account = await ensure_account(organisation.id, kind)
                found[f"{side} {kind.value}"] = await available_quantity(account.id, instrument)
        return {where: quantity for where, quantity in found.items() if quantity}


async def create_market(
    *,
    seller_city: str = LANGFANG,
    buyer_city: str = LANGFANG,
    pollutant: str = "SO2",
    basin: str | None = None,
    two: bool = False,
    acquisition: Acquisition = Acquisition.PAID,
    **buyer: object,
) -> TradingFixture:
    """Two industrial enterprises and their authorities; the seller holds ``STOCK_UNITS`` units."""
    sides: dict[str, Any] = {
        "source_category": "industrial",
        "two_representatives": two,
        "thermal_power": False,
    }
    seller = await create_organisation(city=seller_city, **sides)
    buying = await create_organisation(city=buyer_city, **{**sides, **buyer})
    right = await ensure_instrument(Right(pollutant, seller_city, acquisition, basin=basin))
    await give_stock(await ensure_account(seller.id, AccountKind.HOLDING), right, STOCK_UNITS)
    await create_permit(buying, pollutant)
    city = await create_organisation("city", city=seller_city)
    other = (
        city if buyer_city == seller_city else await create_organisation("city", city=buyer_city)
    )
    officers = {
        "seller": await create_officer(seller),
        "seller_second": await create_officer(seller),
        "buyer": await create_officer(buying),
        "buyer_second": await create_officer(buying),
        "city": await create_officer(city),
        "city_second": await create_officer(city),
        "buyer_city": await create_officer(other),
        "centre": await create_officer_of("centre"),
        "province": await create_officer_of("province"),
    }
    people = {name: await principal_of(officer) for name, officer in officers.items()}
    return TradingFixture(seller, buying, right, people)


async def create_cross_city_market() -> TradingFixture:
    """Seller in Langfang, buyer in Tangshan, whose city met all its targets in 2025."""
    market = await create_market(seller_city=LANGFANG, buyer_city=TANGSHAN)
    await create_assessment(TANGSHAN)
    return market


async def create_assessment(city: str, *, medium: str = "air", failed: str = "") -> Assessment:
    """The assessment of a city for 2025: all passed, except ``failed``."""
    return await Assessment.create(
        id=uuid4(), city=city, year=2025, medium=medium, source="bulletin", changed_at=LONG_AGO,
        quality_attained=failed != "quality_attained",
        reduction_task_done=failed != "reduction_task_done",
        improvement_target_met=failed != "improvement_target_met",
    )  # fmt: skip


async def create_permit(holder: Organisation, pollutant: str, *, river: str = "") -> Permit:
    """A permit that names the pollutant, with an outlet into a river where one is given."""
    number = make_credit_code(uuid4().int % 10**8) + "001P"
    permit = await Permit.create(
        id=uuid4(), number=number, organisation_id=holder.id, city=holder.city,
        county=holder.county, issued_by=holder.division, category="key",
        valid_from=date(2020, 1, 1), valid_until=date(2030, 1, 1), state="in_force",
        source="permit", registered_at=LONG_AGO, changed_at=LONG_AGO,
    )  # fmt: skip
    await PermitLimit.create(
        id=uuid4(), permit_id=permit.id, pollutant=pollutant, quantity=500_000,
        effective_from=date(2020, 1, 1), source="permit",
    )  # fmt: skip
    if river:
        await Outlet.create(
            id=uuid4(), permit_id=permit.id, code="DW001", medium="water", river_system=river
        )
    return permit


async def create_project(
    builder: Organisation, pollutant: str, *, name: str
) -> ConstructionProject:
    """A construction project whose assessed demand names the pollutant."""
    project = await ConstructionProject.create(
        id=uuid4(), organisation_id=builder.id, name=name, division=builder.city,
        city=builder.city, county="", state="planned", strategic_industry=False,
        technology_demonstration=False, source="a test", registered_at=LONG_AGO,
        changed_at=LONG_AGO,
    )  # fmt: skip
    await ProjectDemand.create(
        id=uuid4(), project_id=project.id, pollutant=pollutant, quantity=12_000,
        source="a test", assessed_at=LONG_AGO,
    )  # fmt: skip
    return project


async def set_city_cap(owner: asyncpg.Connection, city: str, cap: int) -> None:
    """The total of sulphur dioxide that a city may hold, base units."""
    await owner.execute(
        "INSERT INTO city_cap VALUES ($1, 'SO2', '2022-01-01', $2, 'a test', true)", city, cap
    )


async def operations_of(case: UUID) -> list[str]:
    """The verbs done in a case, from its audit entries."""
    found = await fetch_all(
        "SELECT operation FROM audit_entry WHERE object_id = $1 ORDER BY at, written_at", case
    )
    return [act["operation"] for act in found]
