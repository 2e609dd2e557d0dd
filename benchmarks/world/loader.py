"""Loads a larger world into an empty registry: all of it in one transaction, by COPY as owner.

No operation runs: every audit entry names the rule by which the policy engine allows it. The world
has no idempotency keys, no findings of eligibility and no audit entries of appointments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

import asyncpg

from benchmarks.world.copy_buffer import CopyBuffer
from benchmarks.world.ledger_writer import LedgerWriter
from benchmarks.world.organisations import (
    STOCK_MAX,
    STOCK_MIN,
    DivisionRef,
    Firm,
    Holding,
    OrganisationFactory,
    TradedPollutant,
)
from benchmarks.world.rule_lookup import RuleLookup
from benchmarks.world.simulation import ENDS_AT, PRICES, STARTS_AT, ProgressCallback, simulate
from benchmarks.world.transfers import SimulatedTransfer, TransferSimulator
from registry.access.rulebook_store import load_edition
from registry.db.session import fetch_all, fetch_one
from seeds.clock import set_clock
from seeds.demo.loader import LoadError

ENTERPRISES_MIN, ENTERPRISES_MAX = 2, 100_000
RIGHTS_PER_ENTERPRISE = 2
"""First holdings of an enterprise."""


@dataclass(frozen=True, slots=True)
class World:
    """The loaded world."""

    enterprises: int
    transfers: int
    entries: int


async def load_world(
    owner_url: str, enterprises: int, *, progress: ProgressCallback = lambda *_: None
) -> World:
    """Fill an empty registry with a world of ``enterprises``; the same number gives the same world.

    The tables are there with reference data and rule book, and the database is open as the
    application role. The clock is stopped at ``ENDS`` afterwards.

    Args:
        owner_url: the database as the owner of its tables.
        enterprises: ``ENTERPRISES_MIN`` to ``ENTERPRISES_MAX``.
        progress: is called with the progress.

    Raises:
        LoadingRefused: the registry has begun, or the number is out of bounds.
        NotLet: the rule book does not allow a step of the simulation.

    """
    if not ENTERPRISES_MIN <= enterprises <= ENTERPRISES_MAX:
        raise LoadError(f"A world has {ENTERPRISES_MIN} to {ENTERPRISES_MAX} enterprises.")
    if await fetch_one("SELECT 1 FROM organisation LIMIT 1") is not None:
        raise LoadError("A larger world begins a registry, and this one has begun.")
    chance = Random(enterprises)  # noqa: S311 - the same world again, not a secret
    with CopyBuffer() as sheaf:
        books = LedgerWriter(sheaf, RuleLookup(await load_edition()), chance)
        cases = await _simulate_world(books, enterprises, progress)
        owner = await asyncpg.connect(owner_url)
        try:
            async with owner.transaction():
                await sheaf.copy_into(owner, partial(progress, "Storing"))
                await set_clock(owner, ENDS_AT)
            await owner.execute("ANALYZE")
        finally:
            await owner.close()
    return World(enterprises, len(cases), books.entries)


# Two cities may have a county of one name.
_DIVISIONS_SQL = """
    SELECT d.code, d.city, CASE d.level WHEN 'city' THEN '' ELSE c.name_zh END || d.name_zh AS name
    FROM division d JOIN division c ON c.code = d.city
    WHERE d.level <> 'province' AND d.effective_until IS NULL ORDER BY d.code
"""
_POLLUTANTS_SQL = "SELECT code, unit, scale FROM pollutant WHERE code = ANY($1) ORDER BY code"


async def _simulate_world(
    writer: LedgerWriter, enterprises: int, progress: ProgressCallback
) -> list[SimulatedTransfer]:
    """Everything that happened, written into the sheaf."""
    places = [DivisionRef(**each) for each in await fetch_all(_DIVISIONS_SQL)]
    substances = [
        TradedPollutant(**each) for each in await fetch_all(_POLLUTANTS_SQL, list(PRICES))
    ]
    bodies = OrganisationFactory(
        writer, STARTS_AT, tuple(substance.code for substance in substances)
    )
    centre, bureaus = bodies.register_authorities(places)
    market = TransferSimulator(writer, centre, bureaus)
    firms = _firms(bodies, places, substances, enterprises)
    cases = simulate(market, firms, {each.code: each.scale for each in substances}, progress)
    market.write_transfers(cases)
    writer.write_balances()
    return cases


def _firms(
    factory: OrganisationFactory,
    divisions: Sequence[DivisionRef],
    pollutants: Sequence[TradedPollutant],
    enterprises: int,
) -> list[Firm]:
    """The enterprises, city by turns; each holds rights to two pollutants of its city."""
    cities = [place for place in divisions if place.code == place.city][: enterprises // 2]
    counties = {
        city.code: [place for place in divisions if place.city == city.code] for city in cities
    }
    rights = {
        (city.code, each.code): factory.create_instrument(each, city.code)
        for city in cities
        for each in pollutants
    }
    firms, chance = [], factory.writer.rng
    for number in range(1, enterprises + 1):
        city = cities[number % len(cities)]
        place = counties[city.code][number // len(cities) % len(counties[city.code])]
        held = (
            pollutants[(number + turn) % len(pollutants)].code
            for turn in range(RIGHTS_PER_ENTERPRISE)
        )
        stock = [
            Holding(rights[city.code, code], code, chance.randint(STOCK_MIN, STOCK_MAX))
            for code in held
        ]
        firms.append(factory.register_enterprise(number, place, stock))
    return firms
