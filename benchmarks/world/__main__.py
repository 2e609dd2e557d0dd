"""Fills an empty registry with a synthetic world and shows the progress.

Run as ``python -m benchmarks.world --enterprises 2000``.
"""

import argparse
import asyncio
import logging
import sys

from rich.progress import Progress

from benchmarks.world.loader import World, load_world
from benchmarks.world.simulation import ProgressCallback
from registry.concepts import open_registry
from registry.db.session import close_database
from seeds.demo.loader import LoadError
from server.composition import prepare_database
from server.http.logging_config import configure_logging
from server.postgres.urls import DatabaseUrls, open_database_urls
from server.settings import ConfigurationError, Settings, read_settings

ENTERPRISES = range(2, 100_001)


def fill_registry(settings: Settings, enterprises: int) -> World:
    """A synthetic world in the database of the settings.

    Raises:
        ConfigurationError: production settings, or a registry that is not empty.

    """
    if settings.is_production:
        raise ConfigurationError("Demonstration data are not loaded under BIANDAN_MODE=production.")
    with open_database_urls(settings) as at:
        try:
            return asyncio.run(_load(at, enterprises))
        except LoadError as error:
            raise ConfigurationError(str(error)) from None


async def _load(urls: DatabaseUrls, enterprises: int) -> World:
    await prepare_database(
        urls.require_owner_url(), urls.application_role, reader_role=urls.reader_role
    )
    await open_registry(urls.application, maxsize=2)
    try:
        with Progress(transient=True) as shown:
            return await load_world(
                urls.require_owner_url(), enterprises, progress=_progress_callback(shown)
            )
    finally:
        await close_database()


def _progress_callback(bar: Progress) -> ProgressCallback:
    tasks = {phase: bar.add_task(phase, total=None) for phase in ("Simulating", "Storing")}

    def update(phase: str, done: int, total: int) -> None:
        bar.update(tasks[phase], completed=done, total=total)

    return update


def main() -> None:
    """Read the arguments, fill the registry and print its size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.world", description=__doc__)
    parser.add_argument("--enterprises", type=int, required=True, help="between 2 and 100 000")
    enterprises = parser.parse_args().enterprises
    if enterprises not in ENTERPRISES:
        parser.error("--enterprises must be between 2 and 100 000")
    try:
        settings = read_settings()
        configure_logging(settings.log_format, level=logging.WARNING)
        world = fill_registry(settings, enterprises)
    except ConfigurationError as error:
        parser.exit(1, f"{error}\n")
    sys.stdout.write(
        f"{world.enterprises} enterprises, {world.transfers} transfers, {world.entries} entries.\n"
    )


if __name__ == "__main__":
    main()
