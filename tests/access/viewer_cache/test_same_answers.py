"""A cached viewer equals one read from the database and one computed by plain SQL."""

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from registry.access.principals import NIL, OPERATOR_PRINCIPAL, SYSTEM_PRINCIPAL, Principal, Viewer
from registry.access.viewer_cache import ViewerCache
from registry.access.viewer_lookup import resolve_viewer
from registry.db.session import fetch_all, fetch_one
from registry.kernel.errors import AppointmentRequired, ClientNotRegistered
from registry.parties.records import Organisation
from tests.support.builders import create_client, create_freeze, create_sanction, stop_clock
from tests.support.cluster import Database
from tests.support.demo_databases import LoadedDemo

DAYS = 30
INSTANTS = 12
SCOPES = frozenset({"Transfer:view", "Organisation:view", "Account:view"})

# An independent definition of the facts, in SQL.
ORACLE = """
    SELECT NOT (a.state = 'in_force' AND o.state = 'open'
            AND tstzrange(a.valid_from, a.valid_until) @> m.now) AS appointment_expired,
        EXISTS (SELECT FROM sanction s WHERE s.organisation_id = o.id AND s.state = 'in_force'
            AND tstzrange(s.starts_at, s.ends_at) @> m.now) AS is_sanctioned,
        EXISTS (SELECT FROM freeze_order f WHERE f.organisation_id = o.id AND f.state = 'in_force'
            AND f.target = 'organisation' AND tstzrange(f.starts_at, f.ends_at) @> m.now)
            AS is_frozen
    FROM appointment a JOIN organisation o ON o.id = a.organisation_id,
        (SELECT $2::timestamptz AS now) m
    WHERE a.id = $1
"""


@pytest.fixture
async def founder(founding_database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The founding day as its owner."""
    connection = await asyncpg.connect(founding_database.owner_url)
    yield connection
    await connection.close()


async def list_principals() -> list[Principal]:
    """Everybody, in each appointment and in none, through each program and none."""
    held = await fetch_all(
        "SELECT p.subject, a.id FROM person p LEFT JOIN appointment a ON a.person_id = p.id"
    )
    programs = [
        "",
        "unknown",
        *(line["name"] for line in await fetch_all("SELECT name FROM client")),
    ]
    people = {(line["subject"], line["id"] or NIL) for line in held}
    people |= {(subject, NIL) for subject, _ in people} | {("", NIL)}
    # Another person's appointment.
    people |= {(held[0]["subject"], held[-1]["id"]), ("nobody", NIL)}
    asked = [
        Principal(subject, appointment, client, scopes)
        for subject, appointment in sorted(people)
        for client in programs
        for scopes in (None, SCOPES)
    ]
    return [SYSTEM_PRINCIPAL, OPERATOR_PRINCIPAL, *asked]


async def apply_random_measures(chance: random.Random, today: datetime) -> None:
    """Random periods against every organisation, many of which begin or end on one day."""

    def day() -> datetime:
        return today + timedelta(days=chance.randint(-DAYS, DAYS))

    for body in await Organisation.all():
        for make in (create_sanction, create_freeze):
            for _ in range(chance.randint(0, 2)):
                begins, ends = day(), day()
                await make(body, starts_at=begins, ends_at=ends if ends > begins else None)
    await create_client(
        await Organisation.get(kind="portal"), *SCOPES, name="closed", state="revoked"
    )


async def resolve_directly(caller: Principal) -> Viewer | str:
    try:
        return await resolve_viewer(caller)
    except (AppointmentRequired, ClientNotRegistered) as refusal:
        return str(refusal)


async def resolve_cached(standings: ViewerCache, caller: Principal) -> Viewer | str:
    try:
        return await standings.resolve(caller)
    except (AppointmentRequired, ClientNotRegistered) as refusal:
        return str(refusal)


async def test_a_cached_viewer_equals_the_loaded_one(
    founding_demo: LoadedDemo, founder: asyncpg.Connection
) -> None:
    chance = random.Random(7)  # noqa: S311 - the same periods in every run
    today = (await fetch_one("SELECT registry_now() AS now") or {})["now"]
    await apply_random_measures(chance, today)
    standings = ViewerCache(max_entries=100_000, clock=lambda: 0.0)
    everybody = await list_principals()
    met: set[tuple[bool, bool, bool]] = set()

    for _ in range(INSTANTS):
        now = today + timedelta(days=chance.randint(-DAYS, DAYS))
        await stop_clock(founder, now)
        await standings.refresh(fetch_one)
        for caller in chance.sample(everybody, len(everybody) // 4):
            seen = await resolve_cached(standings, caller)
            assert seen == await resolve_directly(caller)
            if isinstance(seen, Viewer) and seen.appointment_id != NIL and not caller.client:
                said: dict[str, Any] | None = await fetch_one(ORACLE, seen.appointment_id, now)
                assert said == {name: getattr(seen, name) for name in said or ()}
                met.add((seen.appointment_expired, seen.is_sanctioned, seen.is_frozen))

    assert {(False, False, False), (False, True, False), (False, True, True)} <= met
    assert any(lapsed for lapsed, _, _ in met)
