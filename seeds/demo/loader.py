"""Executes the steps of a demonstration: each once, in their order, only through commands."""

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
"""Called after each step with the number of steps done and the number of all."""


class LoadError(Exception):
    """Another program has changed this registry; nothing was loaded."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A demonstration.

    Attributes:
        name: the prefix of each idempotency key.
        steps: in the order of their time.
        ends_at: the time on the registry clock afterwards.

    """

    name: str
    steps: tuple[ScenarioStep, ...]
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The result of a load.

    Attributes:
        executed: number of steps executed now; earlier loads executed the others.
        object_ids: the object of each step, by the id of its row.

    """

    executed: int
    object_ids: Mapping[str, UUID]


async def load_founding_day(
    owner_url: str, *, progress: ProgressCallback | None = None
) -> LoadReport:
    """The registry on 7 June 2022 at 10:00; see ``load_scenario``."""
    return await load_scenario(
        Scenario("founding", founding_day_steps(), ENDS_AT), owner_url, progress=progress
    )


async def load_scenario(
    scenario: Scenario, owner_url: str, *, progress: ProgressCallback | None = None
) -> LoadReport:
    """Execute the steps that have not been executed yet.

    Tables, reference data and rule book exist, and the database is open as the application role.
    An interrupted load continues where it ended; a second load changes nothing.

    Args:
        scenario: the steps.
        owner_url: the database as the owner of its tables, which moves the clock.
        progress: called after each step.

    Raises:
        LoadError: the scenario did not register the organisations that exist, or the clock is
            past the next step.
        Refused: an operation refuses a step: the data or the operation are wrong.

    """
    authorizer.activate(await load_edition())
    done = await _completed_steps(scenario)
    remaining = [step for step in scenario.steps if step.id not in done]
    owner = await asyncpg.connect(owner_url)
    try:
        await _check_start(scenario, owner, remaining, is_started=bool(done))
        for number, step in enumerate(remaining, start=len(done) + 1):
            await advance_clock(owner, step.at)
            done[step.id] = await _run_step(scenario, step, done)
            if progress is not None:
                progress(number, len(scenario.steps))
        await advance_clock(owner, scenario.ends_at)
    finally:
        await owner.close()
    return LoadReport(len(remaining), done)


def _idempotency_key(scenario: Scenario, id: str) -> str:
    return f"{scenario.name}:{id}"


async def _completed_steps(scenario: Scenario) -> dict[str, UUID]:
    """The objects of the steps that were executed before, by the ids of their rows."""
    ids = {_idempotency_key(scenario, step.id): step.id for step in scenario.steps}
    entries = await fetch_all(
        "SELECT key, object_id FROM audit_entry WHERE key = ANY($1) ORDER BY written_at DESC",
        list(ids),
    )
    return {ids[entry["key"]]: entry["object_id"] for entry in entries}


async def _check_start(
    scenario: Scenario,
    owner: asyncpg.Connection,
    remaining: list[ScenarioStep],
    *,
    is_started: bool,
) -> None:
    """Check that the remaining steps are possible; set the clock of an empty registry."""
    if not remaining:
        return
    if not is_started:
        if await fetch_one("SELECT 1 FROM organisation LIMIT 1") is not None:
            raise LoadError(f"The scenario «{scenario.name}» needs an empty registry.")
        await set_clock(owner, remaining[0].at)
    clock = await fetch_one("SELECT registry_now() AS now")
    if clock is None or clock["now"] > remaining[0].at:
        raise LoadError(
            f"The scenario «{scenario.name}» has steps left, and the clock is past the next one."
        )


async def _run_step(scenario: Scenario, step: ScenarioStep, completed: Mapping[str, UUID]) -> UUID:
    args = {name: await _resolve(scenario, value, completed) for name, value in step.args.items()}
    outcome = await execute_command(
        step.operation, step.caller, args, key=_idempotency_key(scenario, step.id)
    )
    return UUID(str(outcome.record.pk))


async def _resolve(scenario: Scenario, value: object, completed: Mapping[str, UUID]) -> Any:  # noqa: ANN401 - any argument
    """The argument with an identifier in place of each reference to a row."""
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
    """The right in the ledger entry of the step with this key."""
    posting = await fetch_one(
        "SELECT p.instrument FROM audit_entry a JOIN entry e ON e.audit_entry_id = a.id"
        " JOIN posting p ON p.entry_id = e.id WHERE a.key = $1",
        key,
    )
    assert posting is not None, "an opening has one posting"
    return UUID(str(posting["instrument"]))
