"""What is remembered answers like what is looked up, and like plain SQL: field by field."""

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from registry.access.principals import NIL, OPERATOR, REGISTRY, Caller, Viewer
from registry.access.viewer_cache import Standings
from registry.access.viewer_lookup import enter
from registry.db.session import row, rows
from registry.kernel.errors import AppointmentRequired
from registry.parties.records import Organisation
from tests.support.builders import a_client, a_freeze, a_sanction, stop_clock
from tests.support.cluster import Database
from tests.support.demo_databases import Told

DAYS = 30
MOMENTS = 12
SCOPES = frozenset({"Transfer:view", "Organisation:view", "Account:view"})

# What the facts mean, said once more and by the database itself.
ORACLE = """
    SELECT NOT (a.state = 'in_force' AND o.state = 'open'
            AND tstzrange(a.valid_from, a.valid_until) @> m.now) AS lapsed,
        EXISTS (SELECT FROM sanction s WHERE s.organisation_id = o.id AND s.state = 'in_force'
            AND tstzrange(s.starts_at, s.ends_at) @> m.now) AS sanctioned,
        EXISTS (SELECT FROM freeze_order f WHERE f.organisation_id = o.id AND f.state = 'in_force'
            AND f.target = 'organisation' AND tstzrange(f.starts_at, f.ends_at) @> m.now) AS frozen
    FROM appointment a JOIN organisation o ON o.id = a.organisation_id,
        (SELECT $2::timestamptz AS now) m
    WHERE a.id = $1
"""


@pytest.fixture
async def founder(founded: Database) -> AsyncIterator[asyncpg.Connection]:
    """The founding day as its owner."""
    connection = await asyncpg.connect(founded.owner_url)
    yield connection
    await connection.close()


async def callers() -> list[Caller]:
    """Everybody, in each appointment and in none, through each program and none."""
    held = await rows(
        "SELECT p.subject, a.id FROM person p LEFT JOIN appointment a ON a.person_id = p.id"
    )
    programs = ["", "unknown", *(line["name"] for line in await rows("SELECT name FROM client"))]
    people = {(line["subject"], line["id"] or NIL) for line in held}
    people |= {(subject, NIL) for subject, _ in people} | {("", NIL)}
    # An appointment of somebody else.
    people |= {(held[0]["subject"], held[-1]["id"]), ("nobody", NIL)}
    asked = [
        Caller(subject, appointment, client, scopes)
        for subject, appointment in sorted(people)
        for client in programs
        for scopes in (None, SCOPES)
    ]
    return [REGISTRY, OPERATOR, *asked]


async def measures(chance: random.Random, today: datetime) -> None:
    """Random periods against every organisation, many of which begin or end on one day."""

    def day() -> datetime:
        return today + timedelta(days=chance.randint(-DAYS, DAYS))

    for body in await Organisation.all():
        for make in (a_sanction, a_freeze):
            for _ in range(chance.randint(0, 2)):
                begins, ends = day(), day()
                await make(body, starts_at=begins, ends_at=ends if ends > begins else None)
    await a_client(await Organisation.get(kind="portal"), *SCOPES, name="closed", state="revoked")


async def looked_up(caller: Caller) -> Viewer | str:
    try:
        return await enter(caller)
    except AppointmentRequired as refusal:
        return str(refusal)


async def remembered(standings: Standings, caller: Caller) -> Viewer | str:
    try:
        return await standings.viewer(caller)
    except AppointmentRequired as refusal:
        return str(refusal)


async def test_what_is_remembered_is_what_is_looked_up(
    founding: Told, founder: asyncpg.Connection
) -> None:
    chance = random.Random(7)  # noqa: S311 - the same periods in every run
    today = (await row("SELECT registry_now() AS now") or {})["now"]
    await measures(chance, today)
    standings = Standings(most=100_000, clock=lambda: 0.0)
    everybody = await callers()
    met: set[tuple[bool, bool, bool]] = set()

    for _ in range(MOMENTS):
        now = today + timedelta(days=chance.randint(-DAYS, DAYS))
        await stop_clock(founder, now)
        await standings.poll(row)
        for caller in chance.sample(everybody, len(everybody) // 4):
            seen = await remembered(standings, caller)
            assert seen == await looked_up(caller)
            if isinstance(seen, Viewer) and seen.appointment != NIL and not caller.client:
                said: dict[str, Any] | None = await row(ORACLE, seen.appointment, now)
                assert said == {name: getattr(seen, name) for name in said or ()}
                met.add((seen.lapsed, seen.sanctioned, seen.frozen))

    assert {(False, False, False), (False, True, False), (False, True, True)} <= met
    assert any(lapsed for lapsed, _, _ in met)
