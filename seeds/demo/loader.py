"""Carries out the acts of a demonstration: through ``command`` alone, each once, in their order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from registry.access.authorizer import gate
from registry.access.rulebook_store import load_edition
from registry.commands.command import command
from registry.db.session import row, rows
from seeds.clock import advance_clock, set_clock
from seeds.demo.scenario_columns import ENDS, founding_acts
from seeds.demo.scenario_csv import Act, Named, Sold

Progress = Callable[[int, int], None]
"""Told, after each act, how many are done and how many there are."""


class LoadingRefused(Exception):
    """The registry is not one that this demonstration began; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Story:
    """A demonstration.

    Attributes:
        name: begins the key of each act.
        acts: in the order of their time.
        ends: where the clock stands afterwards.

    """

    name: str
    acts: tuple[Act, ...]
    ends: datetime


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a story.

    Attributes:
        performed: how many acts were carried out now; the others had been before.
        objects: what each act was about, by the id of its row.

    """

    performed: int
    objects: Mapping[str, UUID]


async def load_founding_day(owner_url: str, *, progress: Progress | None = None) -> Loaded:
    """The registry as it stood on 7 June 2022 at ten; see ``load``."""
    return await load(Story("founding", founding_acts(), ENDS), owner_url, progress=progress)


async def load(story: Story, owner_url: str, *, progress: Progress | None = None) -> Loaded:
    """Carry out whatever of the story has not been carried out yet.

    The tables are there with reference data and rule book, and the database is open as the
    application role. An interrupted load goes on where it ended; a finished one changes nothing.

    Args:
        story: what happens.
        owner_url: the database as the owner of its tables, who moves the clock.
        progress: is told after each act.

    Raises:
        LoadingRefused: there are organisations which the story did not register, or its clock was
            moved past what is left to do.
        Refused: an operation refuses an act: data or operation are wrong.

    """
    gate.use(await load_edition())
    done = await _done(story)
    left = [act for act in story.acts if act.id not in done]
    owner = await asyncpg.connect(owner_url)
    try:
        await _begin(story, owner, left, begun=bool(done))
        for number, act in enumerate(left, start=len(done) + 1):
            await advance_clock(owner, act.at)
            done[act.id] = await _perform(story, act, done)
            if progress is not None:
                progress(number, len(story.acts))
        await advance_clock(owner, story.ends)
    finally:
        await owner.close()
    return Loaded(len(left), done)


def _key(story: Story, id: str) -> str:
    return f"{story.name}:{id}"


async def _done(story: Story) -> dict[str, UUID]:
    """What the acts that were carried out before were about, by the ids of their rows."""
    ids = {_key(story, act.id): act.id for act in story.acts}
    found = await rows(
        "SELECT key, object_id FROM act WHERE key = ANY($1) ORDER BY written_at DESC", list(ids)
    )
    return {ids[act["key"]]: act["object_id"] for act in found}


async def _begin(story: Story, owner: asyncpg.Connection, left: list[Act], *, begun: bool) -> None:
    """See that what is left can still happen; the clock of an empty registry is set."""
    if not left:
        return
    if not begun:
        if await row("SELECT 1 FROM organisation LIMIT 1") is not None:
            raise LoadingRefused(f"«{story.name}» begins a registry, and this one has begun.")
        await set_clock(owner, left[0].at)
    found = await row("SELECT registry_now() AS now")
    if found is None or found["now"] > left[0].at:
        raise LoadingRefused(f"«{story.name}» is not finished, and its clock was moved on.")


async def _perform(story: Story, act: Act, done: Mapping[str, UUID]) -> UUID:
    args = {name: await _known(story, value, done) for name, value in act.args.items()}
    outcome = await command(act.operation, act.caller, args, key=_key(story, act.id))
    return UUID(str(outcome.record.pk))


async def _known(story: Story, value: object, done: Mapping[str, UUID]) -> Any:  # noqa: ANN401 - any argument
    """The argument with identifiers for the rows it names."""
    match value:
        case Named(id):
            return done[id]
        case Sold(id):
            return await _instrument(_key(story, id))
        case list():
            return [await _known(story, item, done) for item in value]
        case dict():
            return {name: await _known(story, item, done) for name, item in value.items()}
    return value


async def _instrument(key: str) -> UUID:
    """The right that the act of the key entered."""
    found = await row(
        "SELECT p.instrument FROM act a JOIN entry e ON e.act_id = a.id"
        " JOIN posting p ON p.entry_id = e.id WHERE a.key = $1",
        key,
    )
    assert found is not None, "an opening has one posting"
    return UUID(str(found["instrument"]))
