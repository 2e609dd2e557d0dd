"""What it costs to know who asks: the token and the standing, remembered and not.

    python -m benchmarks.authentication [--quick]

The callers are those of the founding day, in an embedded database of this run's own, with the
poller at work. Ends with 1 where the mean of something remembered is over its limit.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import asyncpg
import structlog
from joserfc.jwk import ECKey
from rich.console import Console
from rich.table import Table
from starlette.datastructures import Headers

from benchmarks.policies import Cost, cost
from benchmarks.settlement_load import cluster
from registry.access.principals import NIL, Caller
from registry.access.viewer_cache import MOMENT_SECONDS, Standings
from registry.access.viewer_lookup import enter
from registry.db.session import close_database, open_database, reading, row
from seeds.clock import start_clock
from seeds.demo.loader import load_founding_day
from seeds.demo.people import demo_people
from server.auth.authenticator import SIGNED, SignIn, once
from server.auth.demo_tokens import DemonstrationSigner
from server.auth.jwks import keys_given
from server.background.access_poller import polling
from server.composition import prepare
from server.postgres import embedded
from server.settings import Settings

MEAN_MAX_US = 5.0
"""Of processor time, for the token and for the standing, each."""

REQUESTS = 20_000
SLOW_REQUESTS = 400

# What a browser or a portal sends besides.
USUAL = [
    (b"host", b"registry.example"),
    (b"user-agent", b"portal/1.0"),
    (b"accept", b"application/graphql-response+json"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"content-type", b"application/json"),
    (b"content-length", b"412"),
]

Raw = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One person's request, as it arrives and as it is understood."""

    raw: Raw
    caller: Caller


async def requests(sign_in: SignIn, signer: DemonstrationSigner) -> list[Asked]:
    """A request of everybody one may sign in as, each verified once."""
    found = []
    for person in await demo_people():
        token = signer.token(person.subject, client=person.client, seconds=3600)
        raw = [*USUAL, (b"authorization", f"Bearer {token}".encode())]
        if person.appointment != NIL:
            raw.append((b"biandan-appointment", str(person.appointment).encode()))
        found.append(Asked(raw, await sign_in.caller(Headers(raw=raw))))
    return found


def taken_in_turn(asked: list[Asked], number: int) -> list[Asked]:
    """So many requests."""
    return [asked[at % len(asked)] for at in range(number)]


async def waited(act: Callable[[Asked], Awaitable[object]], asked: Iterable[Asked]) -> Cost:
    """What an awaited call costs by the clock; the mean is of this process's processor time."""
    single, spent = [], time.process_time()
    for each in asked:
        began = time.perf_counter()
        await act(each)
        single.append((time.perf_counter() - began) * 1e6)
    mean = (time.process_time() - spent) / len(single) * 1e6
    single.sort()
    return Cost(single[len(single) // 2], single[len(single) * 99 // 100], mean)


class Uneven:
    """Seconds that jump to and fro with every round of calls, so that no viewer serves twice."""

    def __init__(self, calls_a_round: int) -> None:
        self._calls = 0
        self._round = calls_a_round

    def __call__(self) -> float:
        """Real seconds, and more than a moment in every other round."""
        self._calls += 1
        return time.monotonic() + 2 * MOMENT_SECONDS * (self._calls // self._round % 2)


async def anew(asked: list[Asked], number: int) -> Cost:
    """What a standing costs that was not worked out in this moment already."""
    standings = Standings(most=len(asked) * 4, clock=Uneven(len(asked)))
    await standings.poll(row)
    for each in asked:
        await standings.viewer(each.caller)
    await standings.poll(row)
    return cost(standings.known, [(each.caller,) for each in taken_in_turn(asked, number)])


async def measured(url: str, number: int) -> dict[str, Cost]:
    """The table's lines by their names."""
    settings = Settings()
    signer = DemonstrationSigner(settings, ECKey.generate_key("P-256", {"kid": "benchmark"}))
    keys = keys_given(signer.public_keys())
    sign_in, standings = SignIn(settings, keys), Standings(most=settings.standings_max)
    async with polling(standings, url):
        asked = await requests(sign_in, signer)
        for each in asked:
            await standings.viewer(each.caller)
        many, few = taken_in_turn(asked, number), taken_in_turn(asked, SLOW_REQUESTS)

        def known(raw: Raw) -> Caller | None:
            return sign_in.known(once(raw, SIGNED) or {})

        found = {
            "token known": cost(known, [(each.raw,) for each in many]),
            "standing known": await anew(asked, number),
            "standing of the same moment known": cost(
                standings.known, [(each.caller,) for each in many]
            ),
        }

        async def verify(each: Asked) -> None:
            await SignIn(settings, keys).caller(Headers(raw=each.raw))

        async def look_up(each: Asked) -> None:
            standings.forget()
            await standings.viewer(each.caller)

        async def ordinary(each: Asked) -> None:
            async with reading():
                await enter(each.caller)

        found["token verified (ES256)"] = await waited(verify, few)
        found["standing looked up and remembered"] = await waited(look_up, few)
        found["standing looked up by an ordinary query"] = await waited(ordinary, few)
    return found


async def run(at: embedded.Addresses, number: int) -> dict[str, Cost]:
    """The founding day loaded, then measured."""
    await prepare(at.owner, embedded.APPLICATION, reader_role=embedded.READER)
    await open_database(at.application)
    try:
        await load_founding_day(at.owner)
        owner = await asyncpg.connect(at.owner)
        await start_clock(owner)
        await owner.close()
        return await measured(at.application, number)
    finally:
        await close_database()


def main() -> int:
    """Measure, print, and say whether the limits are kept."""
    said = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    said.add_argument("--quick", action="store_true", help="a tenth of the requests")
    number = REQUESTS // 10 if said.parse_args().quick else REQUESTS
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with cluster() as running:
        found = asyncio.run(run(running.addresses(), number))
    table = Table("a request", "µs: median / p99 / mean of CPU", title=f"{number:,} requests")
    for name, each in found.items():
        table.add_row(name, str(each))
    Console().print(table)
    known = [each for name, each in found.items() if name.endswith("known")]
    return 1 if any(each.mean > MEAN_MAX_US for each in known) else 0


if __name__ == "__main__":
    sys.exit(main())
