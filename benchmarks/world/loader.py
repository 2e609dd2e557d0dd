"""Loads a larger world into an empty registry: all of it in one transaction, by COPY as owner.

Nobody is asked whether he may: every act names the rule by which the judge lets him. What the
operations keep besides - idempotency keys, findings of eligibility, the acts by which people were
appointed - is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

import asyncpg

from benchmarks.world.copy_buffer import Sheaf
from benchmarks.world.ledger_writer import Books
from benchmarks.world.organisations import (
    STOCK_MAX,
    STOCK_MIN,
    Bodies,
    Firm,
    Holding,
    Place,
    Substance,
)
from benchmarks.world.rule_lookup import Rulings
from benchmarks.world.simulation import BEGINS, ENDS, PRICES, Heard, live
from benchmarks.world.transfers import Case, Market
from registry.access.rulebook_store import load_edition
from registry.db.session import row, rows
from seeds.clock import set_clock
from seeds.demo.loader import LoadingRefused

ENTERPRISES_MIN, ENTERPRISES_MAX = 2, 100_000
RIGHTS_EACH = 2
"""First holdings of an enterprise."""


@dataclass(frozen=True, slots=True)
class World:
    """What was loaded."""

    enterprises: int
    cases: int
    entries: int


async def load_larger_world(
    owner_url: str, enterprises: int, *, heard: Heard = lambda *_: None
) -> World:
    """Fill an empty registry with a world of so many enterprises; the same for the same number.

    The tables are there with reference data and rule book, and the database is open as the
    application role. The clock stands at ``ENDS`` afterwards.

    Args:
        owner_url: the database as the owner of its tables.
        enterprises: ``ENTERPRISES_MIN`` to ``ENTERPRISES_MAX``.
        heard: is told how far it is.

    Raises:
        LoadingRefused: the registry has begun, or the number is out of bounds.
        NotLet: the rule book does not let somebody do what he does here.

    """
    if not ENTERPRISES_MIN <= enterprises <= ENTERPRISES_MAX:
        raise LoadingRefused(f"A world has {ENTERPRISES_MIN} to {ENTERPRISES_MAX} enterprises.")
    if await row("SELECT 1 FROM organisation LIMIT 1") is not None:
        raise LoadingRefused("A larger world begins a registry, and this one has begun.")
    chance = Random(enterprises)  # noqa: S311 - the same world again, not a secret
    with Sheaf() as sheaf:
        books = Books(sheaf, Rulings(await load_edition()), chance)
        cases = await _lived(books, enterprises, heard)
        owner = await asyncpg.connect(owner_url)
        try:
            async with owner.transaction():
                await sheaf.copy_into(owner, partial(heard, "Storing"))
                await set_clock(owner, ENDS)
            await owner.execute("ANALYZE")
        finally:
            await owner.close()
    return World(enterprises, len(cases), books.entries)


# Two cities may have a county of one name.
_PLACES = """
    SELECT d.code, d.city, CASE d.level WHEN 'city' THEN '' ELSE c.name_zh END || d.name_zh AS name
    FROM division d JOIN division c ON c.code = d.city
    WHERE d.level <> 'province' AND d.effective_until IS NULL ORDER BY d.code
"""
_SUBSTANCES = "SELECT code, unit, scale FROM pollutant WHERE code = ANY($1) ORDER BY code"


async def _lived(books: Books, enterprises: int, heard: Heard) -> list[Case]:
    """Everything that happened, written into the sheaf."""
    places = [Place(**each) for each in await rows(_PLACES)]
    substances = [Substance(**each) for each in await rows(_SUBSTANCES, list(PRICES))]
    bodies = Bodies(books, BEGINS, tuple(substance.code for substance in substances))
    centre, bureaus = bodies.found(places)
    market = Market(books, centre, bureaus)
    firms = _firms(bodies, places, substances, enterprises)
    cases = live(market, firms, {each.code: each.scale for each in substances}, heard)
    market.close(cases)
    books.close()
    return cases


def _firms(
    bodies: Bodies, places: Sequence[Place], substances: Sequence[Substance], enterprises: int
) -> list[Firm]:
    """The enterprises, city by turns; each holds rights to two pollutants of its city."""
    cities = [place for place in places if place.code == place.city][: enterprises // 2]
    counties = {
        city.code: [place for place in places if place.city == city.code] for city in cities
    }
    rights = {
        (city.code, each.code): bodies.right(each, city.code)
        for city in cities
        for each in substances
    }
    firms, chance = [], bodies.books.chance
    for number in range(1, enterprises + 1):
        city = cities[number % len(cities)]
        place = counties[city.code][number // len(cities) % len(counties[city.code])]
        held = (substances[(number + turn) % len(substances)].code for turn in range(RIGHTS_EACH))
        stock = [
            Holding(rights[city.code, code], code, chance.randint(STOCK_MIN, STOCK_MAX))
            for code in held
        ]
        firms.append(bodies.firm(number, place, stock))
    return firms
