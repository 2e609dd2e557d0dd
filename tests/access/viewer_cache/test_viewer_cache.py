"""What is remembered of a caller: gone with a change, judged by the clock, bounded."""

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
from registry.access.epoch import Moment
from registry.access.principals import REGISTRY, Caller
from registry.access.viewer_cache import WINDOW_SECONDS, Standings
from registry.access.viewer_lookup import Facts, load_facts
from registry.db.session import reading, row
from registry.kernel.errors import AppointmentRequired, Busy, Unreachable
from registry.parties.records import Appointment, Client, Organisation, Person
from seeds.clock import start_clock
from tests.support.builders import (
    LONG_AGO,
    a_client,
    a_freeze,
    a_sanction,
    an_officer,
    an_organisation,
    caller_of,
    stop_clock,
)

pytestmark = pytest.mark.usefixtures("rules")


class Watch:
    """Monotonic seconds that a test lets go by."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Officer:
    """Somebody of an enterprise, who comes through a program."""

    body: Organisation
    appointment: Appointment
    program: Client
    caller: Caller


async def an_enterprises_officer(*, until: datetime | None = None) -> Officer:
    body = await an_organisation()
    appointment = await an_officer(body, valid_until=until)
    program = await a_client(body, "Organisation:view")
    return Officer(body, appointment, program, await caller_of(appointment, client=program.name))


async def polled(*, most: int = 10, clock: Watch | None = None) -> Standings:
    standings = Standings(most=most, clock=clock or Watch())
    await standings.poll(row)
    return standings


async def dismissed(officer: Officer) -> None:
    officer.appointment.state, officer.appointment.ended_at = "ended", LONG_AGO
    await officer.appointment.save()


async def sanctioned(officer: Officer) -> None:
    await a_sanction(officer.body)


async def frozen(officer: Officer) -> None:
    await a_freeze(officer.body)


async def closed(officer: Officer) -> None:
    officer.body.state = "closed"
    await officer.body.save()


async def revoked(officer: Officer) -> None:
    officer.program.state = "revoked"
    await officer.program.save()


CHANGES: dict[str, tuple[Callable[[Officer], Awaitable[None]], dict[str, Any]]] = {
    "dismissed": (dismissed, {"lapsed": True}),
    "sanctioned": (sanctioned, {"sanctioned": True}),
    "frozen": (frozen, {"frozen": True}),
    "closed": (closed, {"lapsed": True}),
    "revoked": (revoked, {"lapsed": True, "scopes": frozenset()}),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_ends_what_every_process_remembers(name: str) -> None:
    change, expected = CHANGES[name]
    officer = await an_enterprises_officer()
    both = [await polled(), await polled()]
    before = [await standings.viewer(officer.caller) for standings in both]
    assert [standings.known(officer.caller) for standings in both] == before

    await change(officer)
    for standings in both:
        await standings.poll(row)

    assert [standings.known(officer.caller) for standings in both] == [None, None]
    for standings, earlier in zip(both, before, strict=True):
        seen = await standings.viewer(officer.caller)
        assert {name: getattr(seen, name) for name in expected} == expected
        assert {name: getattr(earlier, name) for name in expected} != expected
        assert standings.known(officer.caller) == seen


async def test_a_second_appointment_has_to_be_named_from_then_on() -> None:
    officer = await an_enterprises_officer()
    unnamed = Caller(officer.caller.subject, client=officer.program.name)
    standings = await polled()
    assert (await standings.viewer(unnamed)).appointment == officer.appointment.id

    person = await Person.get(id=officer.appointment.person_id)
    await an_officer(await an_organisation(), person=person)
    await standings.poll(row)

    with pytest.raises(AppointmentRequired):
        await standings.viewer(unnamed)
    assert (await standings.viewer(officer.caller)).appointment == officer.appointment.id


async def test_what_does_not_bear_on_access_leaves_the_memory_alone() -> None:
    officer = await an_enterprises_officer()
    standings = await polled()
    await standings.viewer(officer.caller)

    officer.body.name_en = "Another Name"
    await officer.body.save()
    await standings.poll(row)

    assert standings.known(officer.caller) is not None


async def test_a_change_during_a_look_up_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    officer = await an_enterprises_officer()
    standings, looked_up = await polled(), 0

    async def overtaken(caller: Caller) -> tuple[Moment, Facts]:
        nonlocal looked_up
        looked_up += 1
        facts = await load_facts(caller)
        if looked_up == 1:
            await _elsewhere(lambda: sanctioned(officer))
            await _elsewhere(lambda: standings.poll(row))
        return facts

    monkeypatch.setattr(registry.access.viewer_cache, "load_facts", overtaken)

    assert (await standings.viewer(officer.caller)).sanctioned
    assert looked_up == 2


async def test_whoever_looks_from_an_old_snapshot_is_not_answered() -> None:
    officer = await an_enterprises_officer()
    standings = await polled()

    async with reading():
        await row("SELECT 1 AS begun")
        await _elsewhere(lambda: sanctioned(officer))
        await _elsewhere(lambda: standings.poll(row))
        with pytest.raises(Busy):
            await standings.viewer(officer.caller)

    assert standings.known(officer.caller) is None


async def test_what_was_read_after_the_last_poll_is_in_use_at_once() -> None:
    officer = await an_enterprises_officer()
    standings = await polled()
    await sanctioned(officer)

    seen = await standings.viewer(officer.caller)

    assert seen.sanctioned
    assert standings.known(officer.caller) == seen


async def test_a_mark_stands_until_a_change_or_another_server_is_seen() -> None:
    officer = await an_enterprises_officer()
    watch = Watch()
    standings = await polled(clock=watch)
    marks = [standings.mark()]

    await standings.poll(row)
    marks.append(standings.mark())
    await dismissed(officer)
    await standings.poll(row)
    marks.append(standings.mark())
    standings.forget()
    marks.append(standings.mark())
    watch.at += WINDOW_SECONDS

    assert marks[0] == marks[1]
    assert len(set(marks)) == 3
    with pytest.raises(Unreachable):
        standings.mark()


async def test_what_another_server_answered_meanwhile_is_looked_up_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    officer = await an_enterprises_officer()
    standings, looked_up = await polled(), 0

    async def failing_over(caller: Caller) -> tuple[Moment, Facts]:
        nonlocal looked_up
        looked_up += 1
        if looked_up == 1:
            standings.forget()
        return await load_facts(caller)

    monkeypatch.setattr(registry.access.viewer_cache, "load_facts", failing_over)
    await standings.viewer(officer.caller)

    assert looked_up == 2


async def test_another_server_finds_nothing_remembered() -> None:
    officer = await an_enterprises_officer()
    standings = await polled()
    await standings.viewer(officer.caller)

    standings.forget()

    assert standings.known(officer.caller) is None


NOON = datetime.fromisoformat("2022-06-07T04:00:00+00:00")


async def at_noon(sql: str) -> dict[str, Any] | None:
    """The moment as a poll would find it at noon, with a clock that runs."""
    found = await row(sql)
    return found and {**found, "now": NOON, "stands": False}


async def test_dates_pass_without_a_poll(owner: asyncpg.Connection) -> None:
    await stop_clock(owner, NOON)
    first, second, third = (NOON + timedelta(seconds=seconds) for seconds in (0.4, 0.8, 1.2))
    officer = await an_enterprises_officer(until=third)
    await a_sanction(officer.body, starts_at=first, ends_at=second)
    await a_freeze(officer.body, starts_at=second)
    unnamed = Caller(officer.caller.subject, client=officer.program.name)
    watch = Watch()
    standings = Standings(most=10, clock=watch)
    await standings.poll(at_noon)
    for caller in (officer.caller, unnamed):
        await standings.viewer(caller)

    seen = []
    for watch.at in (0.39, 0.4, 0.79, 0.8, 1.19, 1.2):
        viewer = standings.known(officer.caller)
        assert viewer is not None
        seen.append((viewer.sanctioned, viewer.frozen, viewer.lapsed))

    nothing, sanction, freeze = (False,) * 3, (True, False, False), (False, True, False)
    assert seen == [nothing, sanction, sanction, freeze, freeze, (False, True, True)]
    assert standings.known(unnamed) is None


async def test_a_clock_that_stands_stands_until_it_is_moved(owner: asyncpg.Connection) -> None:
    await stop_clock(owner, NOON)
    watch = Watch()
    standings = await polled(clock=watch)
    watch.at = 1.4
    stood = standings.now()

    await stop_clock(owner, NOON + timedelta(days=9))
    await standings.poll(row)
    moved = standings.now()
    await start_clock(owner)
    await standings.poll(row)
    watch.at += 1

    assert (stood, moved) == (NOON, NOON + timedelta(days=9))
    assert standings.now() >= NOON + timedelta(days=9, seconds=1)


async def test_time_is_never_behind_the_databases() -> None:
    standings = Standings(most=10)
    await standings.poll(row)

    found = await row("SELECT registry_now() AS now")

    assert found is not None
    assert found["now"] <= standings.now() <= found["now"] + timedelta(seconds=WINDOW_SECONDS)


async def test_nothing_is_answered_when_the_window_is_over() -> None:
    officer = await an_enterprises_officer()
    watch = Watch()
    standings = await polled(clock=watch)
    await standings.viewer(officer.caller)

    watch.at = WINDOW_SECONDS - 0.001
    last = standings.known(officer.caller)
    watch.at = WINDOW_SECONDS

    assert (last is None, standings.fresh) == (False, False)
    for caller in (officer.caller, Caller(), REGISTRY):
        with pytest.raises(Unreachable):
            standings.known(caller)
        with pytest.raises(Unreachable):
            await standings.viewer(caller)


async def test_the_window_begins_with_the_poll_and_not_with_its_answer() -> None:
    watch = Watch()
    standings = Standings(most=10, clock=watch)

    async def slow(sql: str) -> dict[str, Any] | None:
        watch.at += 1.2
        return await row(sql)

    await standings.poll(slow)
    held = standings.fresh
    watch.at += 0.3

    assert (held, standings.fresh) == (True, False)


async def test_before_the_first_poll_nothing_is_answered() -> None:
    with pytest.raises(Unreachable):
        await Standings(most=10).viewer(Caller())


async def test_the_memory_is_bounded_and_failures_are_not_in_it() -> None:
    officer = await an_enterprises_officer()
    standings = await polled(most=5)
    used = Caller(officer.caller.subject)
    await standings.viewer(used)

    for number in range(50):
        assert standings.known(used) is not None
        scopes = frozenset({f"Organisation:verb{number}"})
        await standings.viewer(Caller(officer.caller.subject, client="nobodys", scopes=scopes))
        for stranger in (
            Caller(f"stranger-{number}"),
            Caller(officer.caller.subject, appointment=uuid4()),
        ):
            with pytest.raises(AppointmentRequired):
                await standings.viewer(stranger)
        assert 0 < len(standings._entries) <= 5


async def _elsewhere(work: Callable[[], Awaitable[object]]) -> None:
    """As another request: outside of the transaction that is open here."""

    async def run() -> None:
        await work()

    await asyncio.create_task(run(), context=contextvars.Context())
