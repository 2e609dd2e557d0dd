"""Carries out the acts of a demonstration: through ``command`` alone, each once, in their order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from registry.access.authorizer import authorizer
from registry.access.rulebook_store import load_edition
from registry.commands.command import execute_command
from registry.db.session import fetch_all, fetch_one
from seeds.clock import advance_clock, set_clock
from seeds.demo.scenario_columns import ENDS_AT, founding_day_steps
from seeds.demo.scenario_csv import ObjectRef, RightRef, ScenarioStep

ProgressCallback = Callable[[int, int], None]
"""Called after each step with the numbers of done steps and of all."""


class LoadError(Exception):
    """The registry is not one that this demonstration began; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A demonstration.

    Attributes:
        name: begins the key of each act.
        steps: in the order of their time.
        ends_at: the time of the clock afterwards.

    """

    name: str
    steps: tuple[ScenarioStep, ...]
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The result of loading a scenario.

    Attributes:
        executed: how many acts were carried out now; the others had been before.
        object_ids: what each act was about, by the id of its row.

    """

    executed: int
    object_ids: Mapping[str, UUID]


async def load_founding_day(
    owner_url: str, *, progress: ProgressCallback | None = None
) -> LoadReport:
    """The registry as it stood on 7 June 2022 at ten; see ``load_scenario``."""
    return await load_scenario(
        Scenario("founding", founding_day_steps(), ENDS_AT), owner_url, progress=progress
    )


async def load_scenario(
    scenario: Scenario, owner_url: str, *, progress: ProgressCallback | None = None
) -> LoadReport:
    """Carry out the steps of the scenario that have not been carried out yet.

    The tables are there with reference data and rule book, and the database is open as the
    application role. An interrupted load goes on where it ended; a finished one changes nothing.

    Args:
        scenario: what happens.
        owner_url: the database as the owner of its tables, who moves the clock.
        progress: is called after each step.

    Raises:
        LoadError: there are organisations which the story did not register, or its clock was
            moved past what is left to do.
        Refused: an operation refuses an act: data or operation are wrong.

    """
    authorizer.activate(await load_edition())
    done = await _completed_steps(scenario)
    left = [act for act in scenario.steps if act.id not in done]
    owner = await asyncpg.connect(owner_url)
    try:
        await _check_start(scenario, owner, left, is_started=bool(done))
        for number, act in enumerate(left, start=len(done) + 1):
            await advance_clock(owner, act.at)
            done[act.id] = await _run_step(scenario, act, done)
            if progress is not None:
                progress(number, len(scenario.steps))
        await advance_clock(owner, scenario.ends_at)
    finally:
        await owner.close()
    return LoadReport(len(left), done)


def _idempotency_key(scenario: Scenario, id: str) -> str:
    return f"{scenario.name}:{id}"


async def _completed_steps(scenario: Scenario) -> dict[str, UUID]:
    """Objects of the steps carried out before, by the ids of their rows."""
    ids = {_idempotency_key(scenario, act.id): act.id for act in scenario.steps}
    found = await fetch_all(
        "SELECT key, object_id FROM audit_entry WHERE key = ANY($1) ORDER BY written_at DESC",
        list(ids),
    )
    return {ids[act["key"]]: act["object_id"] for act in found}


async def _check_start(
    scenario: Scenario,
    owner: asyncpg.Connection,
    remaining: list[ScenarioStep],
    *,
    is_started: bool,
) -> None:
    """See that what is left can still happen; the clock of an empty registry is set."""
    if not remaining:
        return
    if not is_started:
        if await fetch_one("SELECT 1 FROM organisation LIMIT 1") is not None:
            raise LoadError(f"«{scenario.name}» begins a registry, and this one has begun.")
        await set_clock(owner, remaining[0].at)
    found = await fetch_one("SELECT registry_now() AS now")
    if found is None or found["now"] > remaining[0].at:
        raise LoadError(f"«{scenario.name}» is not finished, and its clock was moved on.")


async def _run_step(scenario: Scenario, step: ScenarioStep, completed: Mapping[str, UUID]) -> UUID:
    args = {name: await _resolve(scenario, value, completed) for name, value in step.args.items()}
    outcome = await execute_command(
        step.operation, step.caller, args, key=_idempotency_key(scenario, step.id)
    )
    return UUID(str(outcome.record.pk))


async def _resolve(scenario: Scenario, value: object, completed: Mapping[str, UUID]) -> Any:  # noqa: ANN401 - any argument
    """The argument with identifiers for the rows it names."""
    match value:
        case ObjectRef(id):
            return completed[id]
        case RightRef(id):
            return await _find_instrument(_idempotency_key(scenario, id))
        case list():
            return [await _resolve(scenario, item, completed) for item in value]
        case dict():
            return {name: await _resolve(scenario, item, completed) for name, item in value.items()}
    return value


async def _find_instrument(key: str) -> UUID:
    """The right that the act of the key entered."""
    found = await fetch_one(
        "SELECT p.instrument FROM audit_entry a JOIN entry e ON e.audit_entry_id = a.id"
        " JOIN posting p ON p.entry_id = e.id WHERE a.key = $1",
        key,
    )
    assert found is not None, "an opening has one posting"
    return UUID(str(found["instrument"]))
