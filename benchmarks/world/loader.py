"""Loads a synthetic world into an empty registry: one transaction, by COPY as the owner.

Operations are not called. Every audit entry names the rule by which the policy engine allows it.
Idempotency keys, eligibility findings and the audit entries of appointments are left out.
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
    """Size of a loaded world."""

    enterprises: int
    transfers: int
    entries: int


async def load_world(
    owner_url: str, enterprises: int, *, progress: ProgressCallback = lambda *_: None
) -> World:
    """Fill an empty registry with a world; the same number of enterprises gives the same world.

    The tables must exist with reference data and rule book. The database must be open for the
    application role. Afterwards the clock shows ``ENDS_AT``.

    Args:
        owner_url: the database as the owner of its tables.
        enterprises: ``ENTERPRISES_MIN`` to ``ENTERPRISES_MAX``.
        progress: shows how much is done.

    Raises:
        LoadError: the registry is not empty, or the number is out of bounds.
        NotAllowed: the rule book does not allow a simulated step.

    """
    if not ENTERPRISES_MIN <= enterprises <= ENTERPRISES_MAX:
        raise LoadError(f"A world has {ENTERPRISES_MIN} to {ENTERPRISES_MAX} enterprises.")
    if await fetch_one("SELECT 1 FROM organisation LIMIT 1") is not None:
        raise LoadError("A larger world begins a registry, and this one has begun.")
    rng = Random(enterprises)  # noqa: S311 - the same world again, not a secret
    with CopyBuffer() as buffer:
        writer = LedgerWriter(buffer, RuleLookup(await load_edition()), rng)
        transfers = await _simulate_world(writer, enterprises, progress)
        owner = await asyncpg.connect(owner_url)
        try:
            async with owner.transaction():
                await buffer.copy_into(owner, partial(progress, "Storing"))
                await set_clock(owner, ENDS_AT)
            await owner.execute("ANALYZE")
        finally:
            await owner.close()
    return World(enterprises, len(transfers), writer.entries)


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
    """Simulate all events and write their rows."""
    divisions = [DivisionRef(**each) for each in await fetch_all(_DIVISIONS_SQL)]
    pollutants = [
        TradedPollutant(**each) for each in await fetch_all(_POLLUTANTS_SQL, list(PRICES))
    ]
    organisations = OrganisationFactory(
        writer, STARTS_AT, tuple(pollutant.code for pollutant in pollutants)
    )
    centre, bureaus = organisations.register_authorities(divisions)
    simulator = TransferSimulator(writer, centre, bureaus)
    firms = _firms(organisations, divisions, pollutants, enterprises)
    transfers = simulate(simulator, firms, {each.code: each.scale for each in pollutants}, progress)
    simulator.write_transfers(transfers)
    writer.write_balances()
    return transfers


def _firms(
    factory: OrganisationFactory,
    divisions: Sequence[DivisionRef],
    pollutants: Sequence[TradedPollutant],
    enterprises: int,
) -> list[Firm]:
    """The enterprises, cities in turn; each holds rights to two pollutants of its city."""
    cities = [division for division in divisions if division.code == division.city][
        : enterprises // 2
    ]
    counties = {
        city.code: [division for division in divisions if division.city == city.code]
        for city in cities
    }
    rights = {
        (city.code, each.code): factory.create_instrument(each, city.code)
        for city in cities
        for each in pollutants
    }
    firms, rng = [], factory.writer.rng
    for number in range(1, enterprises + 1):
        city = cities[number % len(cities)]
        division = counties[city.code][number // len(cities) % len(counties[city.code])]
        held = (
            pollutants[(number + turn) % len(pollutants)].code
            for turn in range(RIGHTS_PER_ENTERPRISE)
        )
        stock = [
            Holding(rights[city.code, code], code, rng.randint(STOCK_MIN, STOCK_MAX))
            for code in held
        ]
        firms.append(factory.register_enterprise(number, division, stock))
    return firms
