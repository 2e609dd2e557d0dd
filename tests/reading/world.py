"""Viewers and objects of queries, read from the database that a test has opened."""

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
from registry.access.principals import Principal, Viewer
from registry.access.viewer_lookup import resolve_viewer
from registry.db.session import fetch_all, fetch_one
from registry.reading.catalog import Catalog, ConnectionField
from registry.reading.keyset import name_order
from schema.framework.global_ids import to_global_id
from schema.framework.scalars import format_datetime
from tests.reading.argument_generator import ExistingValues
from tests.reading.extreme_rows import add_extreme_values, without_triggers
from tests.reading.rare_rows import add_rows
from tests.support.cluster import Server, create_demo_database
from tests.support.cursors import encode_cursor
from tests.support.demo_databases import LoadedDemo

SAMPLES_PER_SORT = 25
"""Number of known objects, texts and divisions of each sort."""

_SOME = f"ORDER BY id = ANY($1) DESC, md5(id::text) LIMIT {SAMPLES_PER_SORT}"

STRANGER = UUID(int=0xFF)
"""The key of no row."""


class QueryWorld:
    """Viewers and objects of queries; no dataclass, because its repr would be too long."""

    def __init__(self, people: Sequence[Viewer], known: ExistingValues) -> None:
        self.viewers = people
        self.existing = known


@contextmanager
def extend_demo(server: Server, story: LoadedDemo, seed: int) -> Iterator[LoadedDemo]:
    """A demonstration with more and odder rows than operations make, to be copied."""
    with create_demo_database(server, story.name) as database:
        asyncio.run(_add_rows(database.owner_url, seed))
        yield replace(story, name=database.name)


async def _add_rows(owner_url: str, seed: int) -> None:
    owner = await asyncpg.connect(owner_url)
    try:
        await without_triggers(owner, "DISABLE")
        await add_rows(owner)
        await add_extreme_values(owner, random.Random(seed))  # noqa: S311 - the same rows again
        await without_triggers(owner, "ENABLE")
    finally:
        await owner.close()


async def world_of(catalogue: Catalog) -> QueryWorld:
    """The content of the open database."""
    return QueryWorld(await viewers(), await load_existing(catalogue))


Keys = Mapping[str, Sequence[UUID]]
"""Keys of objects by their kind."""


async def viewers() -> list[Viewer]:
    """Every appointment, programs with scopes, the public, the machine, each also barred."""
    moment = await registry_time()
    appointments = await fetch_all(
        "SELECT p.subject, a.id FROM appointment a JOIN person p ON p.id = a.person_id"
        " WHERE a.state IN ('in_force', 'ended') ORDER BY a.role, p.subject, a.id"
    )
    people = [await resolve_viewer(Principal(each["subject"], each["id"])) for each in appointments]
    programs = [
        await resolve_viewer(Principal(client=each["name"]))
        for each in await fetch_all("SELECT name FROM client WHERE state = 'open' ORDER BY name")
    ]
    machines = [Viewer(role=role, now=moment) for role in ("public", "registry", "operator")]
    return [*people, *programs, *machines]


async def viewer_of_role(role: str) -> Viewer:
    """A viewer of the role without restrictions, also if the row has some by now."""
    for viewer in await viewers():
        if viewer.role == role:
            return replace(
                viewer, appointment_expired=False, is_sanctioned=False, is_frozen=False,
                may_initiate=True, may_approve=True, scopes=None,
            )  # fmt: skip
    raise LookupError(role)


def restrict_viewer(viewer: Viewer, chance: random.Random) -> Viewer:
    """The same viewer with one more power or restriction.

    The public has no appointment that lapses, and no client of its own that has scopes.
    """
    if viewer.role == "public":
        return viewer
    scopes = [f"{kind}:{verb.name}" for kind, of in VOCABULARY.kinds.items() for verb in of.verbs]
    ways: Sequence[dict[str, Any]] = (
        {"appointment_expired": True},
        {"is_sanctioned": True},
        {"is_frozen": True},
        {"may_initiate": False},
        {"may_approve": False},
        {"scopes": frozenset(chance.sample(scopes, len(scopes) // 2))},
        {"scopes": frozenset(each for each in scopes if each.endswith(":view"))},
        {"scopes": frozenset()},
    )
    return replace(viewer, **chance.choice(ways))


async def load_existing(catalogue: Catalog, preferred: Keys | None = None) -> ExistingValues:
    """Values that a query may name: some of each sort, first those of ``preferred`` objects."""
    preferred = preferred or {}
    return ExistingValues(
        ids=await _ids(catalogue, preferred),
        cursors=await _cursors(catalogue, preferred),
        words=await _words(catalogue, preferred),
        instants=await _instants(),
        days=[each.isoformat() for each in await _days()],
        numbers=[each["number"] for each in await fetch_all("SELECT number FROM certificate")],
    )


async def registry_time() -> datetime:
    """The registry's time."""
    found = await fetch_one("SELECT registry_now() AS now")
    assert found is not None
    moment: datetime = found["now"]
    return moment


async def _ids(catalogue: Catalog, preferred: Keys) -> dict[str, list[str]]:
    tables = {name: of.table for name, of in catalogue.items() if of.kind}
    tables |= {"Instrument": "instrument", "Entry": "entry", "Milestone": "milestone"}
    found = {}
    for kind, table in tables.items():
        keys = await fetch_all(f"SELECT id FROM {table} {_SOME}", list(preferred.get(kind, ())))
        found[kind] = [str(to_global_id(kind, each["id"])) for each in keys]
        found[kind].append(to_global_id(kind, STRANGER))
    found["Query"] = [to_global_id("Query", STRANGER)]
    return found


async def _cursors(catalogue: Catalog, preferred: Keys) -> dict[tuple[str, str], list[str]]:
    """Positions in every list, for every viewer."""
    found: dict[tuple[str, str], list[str]] = {}
    for paged in _lists(catalogue):
        table = catalogue[paged.node_type].table
        for name, order in paged.orders.items():
            places = await fetch_all(
                f"SELECT {order.column} AS key, id FROM {table} {_SOME}",
                list(preferred.get(paged.node_type, ())),
            )
            key = (f"{paged.node_type}Order", name)
            of = name_order(paged.node_type, name.upper())
            found[key] = [encode_cursor(of, each["key"], each["id"]) for each in places]
    return found


async def _words(catalogue: Catalog, preferred: Keys) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for paged in _lists(catalogue):
        table = catalogue[paged.node_type].table
        for name, by in paged.filters.items():
            if by.parse is None:
                value = by.expression.replace("{t}", table).replace(":now", "registry_now()")
                said = await fetch_all(
                    f"SELECT {value or by.column} AS word FROM {table} {_SOME}",
                    list(preferred.get(paged.node_type, ())),
                )
                words = {each["word"]: None for each in said if isinstance(each["word"], str)}
                found[f"{paged.node_type}Where", name] = list(words)
    found["Query.explainPermission", "verb"] = ["VIEW", "CHANGE"]
    return found


def _lists(catalogue: Catalog) -> list[ConnectionField]:
    reads = (readable.source for of in catalogue.values() for readable in of.fields.values())
    return [read for read in reads if isinstance(read, ConnectionField)]


async def _instants() -> list[str]:
    acts = await fetch_all(
        f"SELECT at FROM audit_entry ORDER BY md5(id::text) LIMIT {SAMPLES_PER_SORT}"
    )
    known = await fetch_all(
        "SELECT recorded_at AS at FROM posting ORDER BY md5(entry_id::text) LIMIT 9"
    )
    found = [format_datetime(each["at"]) for each in (*acts, *known)]
    ends = ("1900-01-01T00:00:00Z", "2200-12-31T23:59:59.999999-23:59", "2022-06-07T10:00:00+08:00")
    return [*(each for each in found if "1900" < each < "2200"), *ends]


async def _days() -> list[date]:
    found = await fetch_all("SELECT DISTINCT effective_from AS day FROM parameter LIMIT 9")
    ends = [date(2022, 6, 7), date(1900, 1, 1), date(2200, 12, 31)]
    return [each["day"] for each in found if ends[1] < each["day"] < ends[2]] + ends
