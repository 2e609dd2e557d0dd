"""Cached viewers: evicted by a change, checked against the clock, bounded in number."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

import registry.access.viewer_cache
from registry.access.epoch import AccessSnapshot
from registry.access.principals import SYSTEM_PRINCIPAL, Principal
from registry.access.viewer_cache import FRESHNESS_SECONDS, ViewerCache
from registry.access.viewer_lookup import ViewerRecord, load_viewer_record
from registry.db.session import fetch_one, read_only_transaction
from registry.kernel.errors import (
    AppointmentRequired,
    ClientNotRegistered,
    DatabaseUnreachable,
    Overloaded,
)
from registry.parties.records import Appointment, Client, Organisation, Person
from seeds.clock import start_clock
from tests.support.builders import (
    LONG_AGO,
    create_client,
    create_freeze,
    create_officer,
    create_organisation,
    create_sanction,
    principal_of,
    stop_clock,
)

pytestmark = pytest.mark.usefixtures("rules")


class FakeClock:
    """Monotonic seconds that a test lets go by."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Officer:
    """A person of an enterprise who uses a client program."""

    organisation: Organisation
    appointment: Appointment
    client: Client
    principal: Principal


async def create_enterprise_officer(*, until: datetime | None = None) -> Officer:
    body = await create_organisation()
    appointment = await create_officer(body, valid_until=until)
    program = await create_client(body, "Organisation:view")
    return Officer(body, appointment, program, await principal_of(appointment, client=program.name))


async def open_cache(*, most: int = 10, clock: FakeClock | None = None) -> ViewerCache:
    standings = ViewerCache(max_entries=most, clock=clock or FakeClock())
    await standings.refresh(fetch_one)
    return standings


async def dismiss(officer: Officer) -> None:
    officer.appointment.state, officer.appointment.ended_at = "ended", LONG_AGO
    await officer.appointment.save()


async def impose_sanction(officer: Officer) -> None:
    await create_sanction(officer.organisation)


async def freeze_account(officer: Officer) -> None:
    await create_freeze(officer.organisation)


async def close(officer: Officer) -> None:
    officer.organisation.state = "closed"
    await officer.organisation.save()


async def revoke(officer: Officer) -> None:
    officer.client.state = "revoked"
    await officer.client.save()


CHANGES: dict[str, tuple[Callable[[Officer], Awaitable[None]], dict[str, Any]]] = {
    "dismissed": (dismiss, {"appointment_expired": True}),
    "sanctioned": (impose_sanction, {"is_sanctioned": True}),
    "frozen": (freeze_account, {"is_frozen": True}),
    "closed": (close, {"appointment_expired": True}),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_invalidates_the_cache_of_every_process(name: str) -> None:
    change, expected = CHANGES[name]
    officer = await create_enterprise_officer()
    both = [await open_cache(), await open_cache()]
    before = [await standings.resolve(officer.principal) for standings in both]
    assert [standings.cached(officer.principal) for standings in both] == before

    await change(officer)
    for standings in both:
        await standings.refresh(fetch_one)

    assert [standings.cached(officer.principal) for standings in both] == [None, None]
    for standings, earlier in zip(both, before, strict=True):
        seen = await standings.resolve(officer.principal)
        assert {name: getattr(seen, name) for name in expected} == expected
        assert {name: getattr(earlier, name) for name in expected} != expected
        assert standings.cached(officer.principal) == seen


async def test_a_revoked_client_is_refused_once_its_change_is_seen() -> None:
    officer = await create_enterprise_officer()
    standings = await open_cache()
    await standings.resolve(officer.principal)

    await revoke(officer)
    await standings.refresh(fetch_one)

    assert standings.cached(officer.principal) is None
    for _ in range(2):
        with pytest.raises(ClientNotRegistered, match=officer.client.name):
            await standings.resolve(officer.principal)


async def test_a_second_appointment_has_to_be_named_from_then_on() -> None:
    officer = await create_enterprise_officer()
    unnamed = Principal(officer.principal.subject, client=officer.client.name)
    standings = await open_cache()
    assert (await standings.resolve(unnamed)).appointment_id == officer.appointment.id

    person = await Person.get(id=officer.appointment.person_id)
    await create_officer(await create_organisation(), person=person)
    await standings.refresh(fetch_one)

    with pytest.raises(AppointmentRequired):
        await standings.resolve(unnamed)
    assert (await standings.resolve(officer.principal)).appointment_id == officer.appointment.id


async def test_what_does_not_bear_on_access_invalidates_nothing() -> None:
    officer = await create_enterprise_officer()
    standings = await open_cache()
    await standings.resolve(officer.principal)

    officer.organisation.name_en = "Another Name"
    await officer.organisation.save()
    await standings.refresh(fetch_one)

    assert standings.cached(officer.principal) is not None


async def test_a_change_during_a_look_up_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    officer = await create_enterprise_officer()
    standings, looked_up = await open_cache(), 0

    async def overtaken(caller: Principal) -> tuple[AccessSnapshot, ViewerRecord]:
        nonlocal looked_up
        looked_up += 1
        facts = await load_viewer_record(caller)
        if looked_up == 1:
            await _in_other_context(lambda: impose_sanction(officer))
            await _in_other_context(lambda: standings.refresh(fetch_one))
        return facts

    monkeypatch.setattr(registry.access.viewer_cache, "load_viewer_record", overtaken)

    assert (await standings.resolve(officer.principal)).is_sanctioned
    assert looked_up == 2


async def test_a_look_up_from_an_old_snapshot_is_not_answered() -> None:
    officer = await create_enterprise_officer()
    standings = await open_cache()

    async with read_only_transaction():
        await fetch_one("SELECT 1 AS begun")
        await _in_other_context(lambda: impose_sanction(officer))
        await _in_other_context(lambda: standings.refresh(fetch_one))
        with pytest.raises(Overloaded):
            await standings.resolve(officer.principal)

    assert standings.cached(officer.principal) is None


async def test_what_was_read_after_the_last_poll_is_in_use_at_once() -> None:
    officer = await create_enterprise_officer()
    standings = await open_cache()
    await impose_sanction(officer)

    seen = await standings.resolve(officer.principal)

    assert seen.is_sanctioned
    assert standings.cached(officer.principal) == seen


async def test_a_version_is_valid_until_a_change_or_another_server_is_seen() -> None:
    officer = await create_enterprise_officer()
    watch = FakeClock()
    standings = await open_cache(clock=watch)
    marks = [standings.version()]

    await standings.refresh(fetch_one)
    marks.append(standings.version())
    await dismiss(officer)
    await standings.refresh(fetch_one)
    marks.append(standings.version())
    standings.invalidate()
    marks.append(standings.version())
    watch.seconds += FRESHNESS_SECONDS

    assert marks[0] == marks[1]
    assert len(set(marks)) == 3
    with pytest.raises(DatabaseUnreachable):
        standings.version()


async def test_what_another_server_answered_meanwhile_is_looked_up_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    officer = await create_enterprise_officer()
    standings, looked_up = await open_cache(), 0

    async def failing_over(caller: Principal) -> tuple[AccessSnapshot, ViewerRecord]:
        nonlocal looked_up
        looked_up += 1
        if looked_up == 1:
            standings.invalidate()
        return await load_viewer_record(caller)

    monkeypatch.setattr(registry.access.viewer_cache, "load_viewer_record", failing_over)
    await standings.resolve(officer.principal)

    assert looked_up == 2


async def test_another_server_finds_an_empty_cache() -> None:
    officer = await create_enterprise_officer()
    standings = await open_cache()
    await standings.resolve(officer.principal)

    standings.invalidate()

    assert standings.cached(officer.principal) is None


NOON = datetime.fromisoformat("2022-06-07T04:00:00+00:00")


async def at_noon(sql: str) -> dict[str, Any] | None:
    """The moment as a poll would find it at noon, with a clock that runs."""
    found = await fetch_one(sql)
    return found and {**found, "now": NOON, "clock_stopped": False}


async def test_dates_pass_without_a_poll(owner: asyncpg.Connection) -> None:
    await stop_clock(owner, NOON)
    first, second, third = (NOON + timedelta(seconds=seconds) for seconds in (0.4, 0.8, 1.2))
    officer = await create_enterprise_officer(until=third)
    await create_sanction(officer.organisation, starts_at=first, ends_at=second)
    await create_freeze(officer.organisation, starts_at=second)
    unnamed = Principal(officer.principal.subject, client=officer.client.name)
    watch = FakeClock()
    standings = ViewerCache(max_entries=10, clock=watch)
    await standings.refresh(at_noon)
    for caller in (officer.principal, unnamed):
        await standings.resolve(caller)

    seen = []
    for watch.seconds in (0.39, 0.4, 0.79, 0.8, 1.19, 1.2):
        viewer = standings.cached(officer.principal)
        assert viewer is not None
        seen.append((viewer.is_sanctioned, viewer.is_frozen, viewer.appointment_expired))

    nothing, sanction, freeze = (False,) * 3, (True, False, False), (False, True, False)
    assert seen == [nothing, sanction, sanction, freeze, freeze, (False, True, True)]
    assert standings.cached(unnamed) is None


async def test_a_stopped_clock_stays_until_it_is_moved(owner: asyncpg.Connection) -> None:
    await stop_clock(owner, NOON)
    watch = FakeClock()
    standings = await open_cache(clock=watch)
    watch.seconds = 1.4
    stood = standings.now()

    await stop_clock(owner, NOON + timedelta(days=9))
    await standings.refresh(fetch_one)
    moved = standings.now()
    await start_clock(owner)
    await standings.refresh(fetch_one)
    watch.seconds += 1

    assert (stood, moved) == (NOON, NOON + timedelta(days=9))
    assert standings.now() >= NOON + timedelta(days=9, seconds=1)


async def test_time_is_never_behind_the_databases() -> None:
    standings = ViewerCache(max_entries=10)
    await standings.refresh(fetch_one)

    found = await fetch_one("SELECT registry_now() AS now")

    assert found is not None
    assert found["now"] <= standings.now() <= found["now"] + timedelta(seconds=FRESHNESS_SECONDS)


async def test_nothing_is_answered_when_the_window_is_over() -> None:
    officer = await create_enterprise_officer()
    watch = FakeClock()
    standings = await open_cache(clock=watch)
    await standings.resolve(officer.principal)

    watch.seconds = FRESHNESS_SECONDS - 0.001
    last = standings.cached(officer.principal)
    watch.seconds = FRESHNESS_SECONDS

    assert (last is None, standings.is_fresh) == (False, False)
    for caller in (officer.principal, Principal(), SYSTEM_PRINCIPAL):
        with pytest.raises(DatabaseUnreachable):
            standings.cached(caller)
        with pytest.raises(DatabaseUnreachable):
            await standings.resolve(caller)


async def test_the_window_begins_with_the_poll_and_not_with_its_answer() -> None:
    watch = FakeClock()
    standings = ViewerCache(max_entries=10, clock=watch)

    async def slow(sql: str) -> dict[str, Any] | None:
        watch.seconds += 1.2
        return await fetch_one(sql)

    await standings.refresh(slow)
    held = standings.is_fresh
    watch.seconds += 0.3

    assert (held, standings.is_fresh) == (True, False)


async def test_before_the_first_poll_nothing_is_answered() -> None:
    with pytest.raises(DatabaseUnreachable):
        await ViewerCache(max_entries=10).resolve(Principal())


async def test_the_cache_is_bounded_and_holds_no_failures() -> None:
    officer = await create_enterprise_officer()
    standings = await open_cache(most=5)
    used = Principal(officer.principal.subject)
    await standings.resolve(used)

    for number in range(50):
        assert standings.cached(used) is not None
        scopes = frozenset({f"Organisation:verb{number}"})
        await standings.resolve(
            Principal(officer.principal.subject, client=officer.client.name, scopes=scopes)
        )
        for stranger in (
            Principal(f"stranger-{number}"),
            Principal(officer.principal.subject, appointment_id=uuid4()),
        ):
            with pytest.raises(AppointmentRequired):
                await standings.resolve(stranger)
        assert 0 < len(standings._entries) <= 5


async def _in_other_context(work: Callable[[], Awaitable[object]]) -> None:
    """As another request: outside of the transaction that is open here."""

    async def run() -> None:
        await work()

    await asyncio.create_task(run(), context=contextvars.Context())
