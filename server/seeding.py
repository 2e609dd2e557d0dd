"""Fills an empty registry with a larger world, and shows how far it is."""

import asyncio

from rich.progress import Progress

from registry.database import close_database, open_database
from seeds.founding_day.load import LoadingRefused
from seeds.larger_world.living import Heard
from seeds.larger_world.load import World, load_larger_world
from server.compose import prepare
from server.places import Places, opened_places
from server.settings import Settings, Unfit


def seeded(settings: Settings, enterprises: int) -> World:
    """A larger world in the database of the settings.

    Raises:
        Unfit: production settings, or a registry that has begun.

    """
    if settings.production:
        raise Unfit("Demonstration data are not loaded under BIANDAN_MODE=production.")
    with opened_places(settings) as at:
        try:
            return asyncio.run(_load(at, enterprises))
        except LoadingRefused as refused:
            raise Unfit(str(refused)) from None


async def _load(at: Places, enterprises: int) -> World:
    await prepare(at.owned(), at.application_role, reader_role=at.reader_role)
    await open_database(at.application, maxsize=2)
    try:
        with Progress(transient=True) as shown:
            return await load_larger_world(at.owned(), enterprises, heard=_heard_on(shown))
    finally:
        await close_database()


def _heard_on(shown: Progress) -> Heard:
    tasks = {what: shown.add_task(what, total=None) for what in ("Living", "Storing")}

    def heard(what: str, done: int, of: int) -> None:
        shown.update(tasks[what], completed=done, total=of)

    return heard
