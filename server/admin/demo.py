"""The demonstration: the registry of the founding day, or of the 2026 fixture, served until Ctrl-C.

Its clock stands where the story ends and runs on only while it is served.
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
from registry.db.session import close_database, open_database
from seeds.clock import start_clock, stop_clock
from seeds.demo.cross_region.loader import load_cross_region
from seeds.demo.loader import Loaded, load_founding_day
from seeds.demo.loader import Progress as Told
from seeds.demo.people import DemoPerson, demo_people
from server.app import create_app
from server.auth.demo_tokens import USUAL_CLIENT, DemonstrationSigner
from server.composition import compose, prepare
from server.http.uvicorn_server import bind, serve
from server.postgres.urls import Places, opened_places
from server.settings import Settings, Unfit

FIRST_QUERY = (
    "{ viewer { role now }"
    " reserveTotals { quantity instrument { pollutant { name } unit } }"
    " transfers(first: 20) { nodes { id state } } }"
)
TOKEN_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Show:
    """Which registry is shown.

    Attributes:
        title: told to whoever starts it.
        database: the name of its database in the embedded cluster.
        load: carries out its story.

    """

    title: str
    database: str
    load: Callable[..., Awaitable[Loaded]]


FOUNDING_DAY = Show("7 June 2022, the founding day", "biandan", load_founding_day)
CROSS_REGION = Show("2 March 2026, transfers across cities", "biandan_2026", load_cross_region)


def demonstrate(
    settings: Settings, show: Show, signer: DemonstrationSigner, *, fresh: bool = False
) -> None:
    """Load what is missing, print how to sign in, answer until a signal, leave nothing running.

    Args:
        settings: of this process.
        show: which registry.
        signer: makes the sign-ins.
        fresh: forget what was done before.

    Raises:
        Unfit: production settings, a busy port, or it could not start.

    """
    if settings.production:
        raise Unfit("A demonstration is not served under BIANDAN_MODE=production.")
    console = Console(highlight=False, soft_wrap=True)
    # The port first: a busy one is told before anything is made.
    with bind(settings) as listening, opened_places(settings, show.database, fresh=fresh) as at:
        people = asyncio.run(_loaded(at, show, console))
        host, port = listening.getsockname()[:2]
        _greet(console, show, f"http://{host}:{port}", people=people, signer=signer)
        with _running_clock(at.owned()):
            app = create_app(compose(settings, at, signer))
            if not serve(app, settings, listening):
                raise Unfit("The demonstration could not start; the log says why.")


@contextmanager
def _running_clock(owner_url: str) -> Iterator[None]:
    asyncio.run(_clock(owner_url, start_clock))
    try:
        yield
    finally:
        asyncio.run(_clock(owner_url, stop_clock))


async def _loaded(at: Places, show: Show, console: Console) -> list[DemoPerson]:
    await prepare(at.owned(), at.application_role, reader_role=at.reader_role)
    async with _open(at.application):
        with Progress(console=console, transient=True) as shown:
            task = shown.add_task("Loading", total=None)
            await show.load(at.owned(), progress=_telling(shown, task))
        return await demo_people()


def _telling(shown: Progress, task: int) -> Told:
    def told(number: int, of: int) -> None:
        shown.update(task, completed=number, total=of)  # type: ignore[arg-type]  # Rich's own number.

    return told


@asynccontextmanager
async def _open(url: str) -> AsyncIterator[None]:
    await open_database(url, maxsize=2)
    try:
        yield
    finally:
        await close_database()


async def _clock(owner_url: str, move: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
    owner = await asyncpg.connect(owner_url)
    try:
        await move(owner)
    finally:
        await owner.close()


def _greet(
    console: Console,
    show: Show,
    address: str,
    *,
    people: list[DemoPerson],
    signer: DemonstrationSigner,
) -> None:
    console.print(f"\n[bold]Biandan 扁担[/bold]  {show.title}. Sign in as one of:\n")
    for person in people:
        console.out(f"  {person.role:<11} {person.subject:<36} {person.may.en}")
        if _one_of_several(person, people):
            console.out(f"  {'':<11} {'as appointment':<36} {person.appointment}")
        if person.client != USUAL_CLIENT:
            console.out(f"  {'':<11} {'with --client':<36} {person.client}")
    console.print("\nA token for any of them: [bold]./dev run biandan token SUBJECT[/bold]")
    console.print(f"\nGraphQL   {address}/graphql\nHealth    {address}/readyz\n")
    console.print("A first query, as the centre's officer:\n")
    centre = next(person for person in people if person.role == "centre")
    token = signer.token(centre.subject, client=centre.client, seconds=TOKEN_SECONDS)
    body = json.dumps({"query": FIRST_QUERY})
    console.out(
        f"curl -s {address}/graphql -H 'content-type: application/json' \\\n"
        f"  -H 'authorization: Bearer {token}' \\\n  -d '{body}'\n"
    )
    console.print("Ctrl-C stops it, database and all; `--fresh` forgets what was done.")


def _one_of_several(person: DemoPerson, people: list[DemoPerson]) -> bool:
    """Whether the person must name the appointment in a request."""
    same = [other for other in people if other.subject == person.subject]
    return person.appointment != NIL and len(same) > 1
