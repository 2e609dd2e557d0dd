"""The demonstration: serves the registry of the founding day, or of March 2026, until Ctrl-C.

The registry clock starts where the scenario ends and runs only while the registry is served.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import asyncpg
from rich.console import Console
from rich.progress import Progress

from registry.access.principals import NIL
from registry.concepts import open_registry
from registry.db.session import close_database
from seeds.clock import start_clock, stop_clock
from seeds.demo.cross_region.loader import load_cross_region
from seeds.demo.loader import LoadReport, ProgressCallback, load_founding_day
from seeds.demo.people import DemoPerson, demo_people
from server.app import create_app
from server.auth.demo_tokens import DEFAULT_CLIENT, DemoTokenSigner
from server.composition import compose, prepare_database
from server.http.granian_server import address_of, bind, serve
from server.postgres.embedded import CROSS_REGION_DATABASE, DATABASE
from server.postgres.urls import DatabaseUrls, open_database_urls
from server.settings import ConfigurationError, Settings

SAMPLE_QUERY = (
    "{ viewer { role now }"
    " reserveTotals { quantity instrument { pollutant { name } unit } }"
    " transfers(first: 20) { nodes { id state } } }"
)
TOKEN_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class DemoScenario:
    """A registry that the demonstration can serve."""

    title: str
    database: str
    load: Callable[..., Awaitable[LoadReport]]


FOUNDING_DAY = DemoScenario("7 June 2022, the founding day", DATABASE, load_founding_day)
CROSS_REGION = DemoScenario(
    "2 March 2026, transfers across cities", CROSS_REGION_DATABASE, load_cross_region
)


def run_demo(
    settings: Settings, scenario: DemoScenario, signer: DemoTokenSigner, *, fresh: bool = False
) -> None:
    """Load the steps that are missing, print the sign-ins, serve until a signal, stop all."""
    if settings.is_production:
        raise ConfigurationError("A demonstration is not served under BIANDAN_MODE=production.")
    console = Console(highlight=False, soft_wrap=True)
    # The port comes first: if it is busy, nothing is made.
    with (
        bind(settings, remedy="give `--port` or BIANDAN_PORT") as listening,
        open_database_urls(settings, scenario.database, fresh=fresh) as at,
    ):
        people = asyncio.run(_load_scenario(at, scenario, console))
        _print_welcome(console, scenario, address_of(listening), people=people, signer=signer)
        with _running_clock(at.require_owner_url()):
            app = create_app(compose(settings, at, signer))
            if not serve(app, settings, listening):
                raise ConfigurationError("The demonstration could not start; the log says why.")


@contextmanager
def _running_clock(owner_url: str) -> Iterator[None]:
    asyncio.run(_move_clock(owner_url, start_clock))
    try:
        yield
    finally:
        asyncio.run(_move_clock(owner_url, stop_clock))


async def _load_scenario(
    urls: DatabaseUrls, scenario: DemoScenario, console: Console
) -> list[DemoPerson]:
    await prepare_database(
        urls.require_owner_url(), urls.application_role, reader_role=urls.reader_role
    )
    async with _open_registry(urls.application):
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("Loading", total=None)
            await scenario.load(urls.require_owner_url(), progress=_progress(bar, task))
        return await demo_people()


def _progress(bar: Progress, task: int) -> ProgressCallback:
    def update(number: int, total: int) -> None:
        bar.update(task, completed=number, total=total)  # type: ignore[arg-type]  # Rich's own number.

    return update


@asynccontextmanager
async def _open_registry(url: str) -> AsyncIterator[None]:
    await open_registry(url, maxsize=2)
    try:
        yield
    finally:
        await close_database()


async def _move_clock(
    owner_url: str, move: Callable[[asyncpg.Connection], Awaitable[None]]
) -> None:
    owner = await asyncpg.connect(owner_url)
    try:
        await move(owner)
    finally:
        await owner.close()


def _print_welcome(
    console: Console,
    scenario: DemoScenario,
    address: str,
    *,
    people: list[DemoPerson],
    signer: DemoTokenSigner,
) -> None:
    console.print(f"\n[bold]Biandan 扁担[/bold]  {scenario.title}. Sign in as one of:\n")
    for person in people:
        console.out(f"  {person.role:<11} {person.subject:<36} {person.purpose.en}")
        if _needs_appointment(person, people):
            console.out(f"  {'':<11} {'with header':<36} Biandan-Appointment: {person.appointment}")
        if person.client != DEFAULT_CLIENT:
            console.out(f"  {'':<11} {'with --client':<36} {person.client}")
    console.print("\nA token for any of them: [bold]./dev run biandan token SUBJECT[/bold]")
    console.print(f"\nGraphQL   {address}/graphql\nHealth    {address}/readyz\n")
    console.print("A first query, as the centre's officer:\n")
    centre = next(person for person in people if person.role == "centre")
    token = signer.issue_token(centre.subject, client=centre.client, seconds=TOKEN_SECONDS)
    body = json.dumps({"query": SAMPLE_QUERY})
    console.out(
        f"curl -s {address}/graphql -H 'content-type: application/json' \\\n"
        f"  -H 'authorization: Bearer {token}' \\\n  -d '{body}'\n"
    )
    console.print(
        "Ctrl-C stops it, its database too; `--fresh` drops all data and loads them anew."
    )


def _needs_appointment(person: DemoPerson, people: list[DemoPerson]) -> bool:
    """Whether the person must name the appointment in a request."""
    same = [other for other in people if other.subject == person.subject]
    return person.appointment != NIL and len(same) > 1
