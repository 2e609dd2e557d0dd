"""Who asks, and what there is to ask about: read from the database that a test has opened."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from policies.vocabulary import VOCABULARY
from registry.access.principals import Caller, Viewer
from registry.access.viewer_lookup import enter
from registry.db.session import row, rows
from registry.reading.catalog import Catalogue, Paged
from registry.reading.keyset import cursor_of
from schema.framework.global_ids import global_id
from schema.framework.scalars import show_instant
from tests.reading.argument_generator import Known
from tests.reading.extreme_rows import widen, without_triggers
from tests.reading.rare_rows import add_rows
from tests.support.cluster import Server, a_story
from tests.support.demo_databases import Told

OF_EACH = 25
"""So many objects, texts and places of each sort are known to who asks."""

_SOME = f"ORDER BY id = ANY($1) DESC, md5(id::text) LIMIT {OF_EACH}"

STRANGER = UUID(int=0xFF)
"""The key of no row."""


class World:
    """Who may ask, and what there is to ask about; no dataclass, for it is too much to be shown."""

    def __init__(self, people: Sequence[Viewer], known: Known) -> None:
        self.people = people
        self.known = known


@contextmanager
def widened(server: Server, story: Told, seed: int) -> Iterator[Told]:
    """A demonstration with more and odder rows than operations make, to be copied."""
    with a_story(server, story.name) as database:
        asyncio.run(_widen(database.owner_url, seed))
        yield replace(story, name=database.name)


async def _widen(owner_url: str, seed: int) -> None:
    owner = await asyncpg.connect(owner_url)
    try:
        await without_triggers(owner, "DISABLE")
        await add_rows(owner)
        await widen(owner, random.Random(seed))  # noqa: S311 - the same rows again
        await without_triggers(owner, "ENABLE")
    finally:
        await owner.close()


async def world_of(catalogue: Catalogue) -> World:
    """What the open database holds."""
    return World(await viewers(), await known(catalogue))


Keys = Mapping[str, Sequence[UUID]]
"""Keys of objects by their kind."""


async def viewers() -> list[Viewer]:
    """Every appointment, programs with scopes, the public, the machine, each also barred."""
    moment = await now()
    appointments = await rows(
        "SELECT p.subject, a.id FROM appointment a JOIN person p ON p.id = a.person_id"
        " WHERE a.state IN ('in_force', 'ended') ORDER BY a.role, p.subject, a.id"
    )
    people = [await enter(Caller(each["subject"], each["id"])) for each in appointments]
    programs = [
        await enter(Caller(client=each["name"]))
        for each in await rows("SELECT name FROM client ORDER BY name")
    ]
    machines = [Viewer(role=role, now=moment) for role in ("public", "registry", "operator")]
    return [*people, *programs, *machines]


async def somebody_of(role: str) -> Viewer:
    """Somebody who acts in the role with nothing against him, whatever his row says by now."""
    for viewer in await viewers():
        if viewer.role == role:
            return replace(
                viewer, lapsed=False, sanctioned=False, frozen=False, may_initiate=True,
                may_approve=True, scopes=None,
            )  # fmt: skip
    raise LookupError(role)


def barred(viewer: Viewer, chance: random.Random) -> Viewer:
    """The same viewer with something for or against him that the rules know.

    The public has no appointment that lapses, and no client of its own that has scopes.
    """
    if viewer.role == "public":
        return viewer
    scopes = [f"{kind}:{verb.name}" for kind, of in VOCABULARY.kinds.items() for verb in of.verbs]
    ways: Sequence[dict[str, Any]] = (
        {"lapsed": True},
        {"sanctioned": True},
        {"frozen": True},
        {"may_initiate": False},
        {"may_approve": False},
        {"scopes": frozenset(chance.sample(scopes, len(scopes) // 2))},
        {"scopes": frozenset(each for each in scopes if each.endswith(":view"))},
        {"scopes": frozenset()},
    )
    return replace(viewer, **chance.choice(ways))


async def known(catalogue: Catalogue, above: Keys | None = None) -> Known:
    """What a query may name: of each sort some, those of the objects ``above`` all others."""
    above = above or {}
    return Known(
        ids=await _ids(catalogue, above),
        cursors=await _cursors(catalogue, above),
        words=await _words(catalogue, above),
        moments=await _moments(),
        days=[each.isoformat() for each in await _days()],
        numbers=[each["number"] for each in await rows("SELECT number FROM certificate")],
    )


async def now() -> datetime:
    """The registry's time."""
    found = await row("SELECT registry_now() AS now")
    assert found is not None
    moment: datetime = found["now"]
    return moment


async def _ids(catalogue: Catalogue, above: Keys) -> dict[str, list[str]]:
    tables = {name: of.table for name, of in catalogue.items() if of.kind}
    tables |= {"Instrument": "instrument", "Entry": "entry", "Milestone": "milestone"}
    found = {}
    for kind, table in tables.items():
        keys = await rows(f"SELECT id FROM {table} {_SOME}", list(above.get(kind, ())))
        found[kind] = [str(global_id(kind, each["id"])) for each in keys]
        found[kind].append(global_id(kind, STRANGER))
    found["Query"] = [global_id("Query", STRANGER)]
    return found


async def _cursors(catalogue: Catalogue, above: Keys) -> dict[tuple[str, str], list[str]]:
    """Places in every list, whoever may see what stands there."""
    found: dict[tuple[str, str], list[str]] = {}
    for paged in _lists(catalogue):
        table = catalogue[paged.to].table
        for name, order in paged.orders.items():
            places = await rows(
                f"SELECT {order.column} AS key, id FROM {table} {_SOME}",
                list(above.get(paged.to, ())),
            )
            key = (f"{paged.to}Order", name)
            found[key] = [cursor_of(each["key"], each["id"]) for each in places]
    return found


async def _words(catalogue: Catalogue, above: Keys) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for paged in _lists(catalogue):
        table = catalogue[paged.to].table
        for name, by in paged.where.items():
            if by.reads is None:
                said = await rows(
                    f"SELECT {by.column} AS word FROM {table} {_SOME}",
                    list(above.get(paged.to, ())),
                )
                words = {each["word"]: None for each in said if isinstance(each["word"], str)}
                found[f"{paged.to}Where", name] = list(words)
    for kind, of in VOCABULARY.kinds.items():
        found[f"{kind}.actionState", "verb"] = [verb.name for verb in of.verbs]
    found["Query.why", "verb"] = ["view", "change"]
    return found


def _lists(catalogue: Catalogue) -> list[Paged]:
    reads = (readable.read for of in catalogue.values() for readable in of.fields.values())
    return [read for read in reads if isinstance(read, Paged)]


async def _moments() -> list[str]:
    acts = await rows(f"SELECT at FROM act ORDER BY md5(id::text) LIMIT {OF_EACH}")
    known = await rows("SELECT known_at AS at FROM posting ORDER BY md5(entry_id::text) LIMIT 9")
    found = [show_instant(each["at"]) for each in (*acts, *known)]
    ends = ("1900-01-01T00:00:00Z", "2200-12-31T23:59:59.999999-23:59", "2022-06-07T10:00:00+08:00")
    return [*(each for each in found if "1900" < each < "2200"), *ends]


async def _days() -> list[date]:
    found = await rows("SELECT DISTINCT effective_from AS day FROM parameter LIMIT 9")
    ends = [date(2022, 6, 7), date(1900, 1, 1), date(2200, 12, 31)]
    return [each["day"] for each in found if ends[1] < each["day"] < ends[2]] + ends
