"""Fills an empty registry with a synthetic world and shows the progress.

Run as ``python -m benchmarks.world --enterprises 2000``.
"""

import argparse
import asyncio
import logging
import sys

from rich.progress import Progress

from benchmarks.world.loader import World, load_larger_world
from benchmarks.world.simulation import Heard
from registry.db.session import close_database, open_database
from seeds.demo.loader import LoadingRefused
from server.composition import prepare
from server.http.logs import open_logs
from server.postgres.urls import Places, opened_places
from server.settings import Settings, Unfit, read_settings

ENTERPRISES = range(2, 100_001)


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


def main() -> None:
    """Read the arguments, fill the registry and print its size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.world", description=__doc__)
    parser.add_argument("--enterprises", type=int, required=True, help="between 2 and 100 000")
    enterprises = parser.parse_args().enterprises
    if enterprises not in ENTERPRISES:
        parser.error("--enterprises must be between 2 and 100 000")
    try:
        settings = read_settings()
        open_logs(settings.log_format, least=logging.WARNING)
        world = seeded(settings, enterprises)
    except Unfit as unfit:
        parser.exit(1, f"{unfit}\n")
    sys.stdout.write(
        f"{world.enterprises} enterprises, {world.cases} transfers, {world.entries} entries.\n"
    )


if __name__ == "__main__":
    main()
