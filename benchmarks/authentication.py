"""The cost of authentication: access token and viewer, cached and not.

    python -m benchmarks.authentication [--quick]

The callers are the people of the founding day, in an embedded database of this run alone. The
access poller runs. The command ends with 1 if the mean of a cached step is over its limit.
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

from benchmarks.policies import CallTiming, time_calls
from benchmarks.settlement_load import cluster
from registry.access.principals import NIL, Principal, Viewer
from registry.access.viewer_cache import CLOCK_CACHE_SECONDS, ViewerCache
from registry.access.viewer_lookup import resolve_viewer
from registry.concepts import open_registry
from registry.db.session import close_database, fetch_one, read_only_transaction
from seeds.clock import start_clock
from seeds.demo.loader import load_founding_day
from seeds.demo.people import demo_people
from server.auth.authenticator import AUTH_HEADERS, TokenAuthenticator, single_headers
from server.auth.demo_tokens import DemoTokenSigner
from server.auth.jwks import static_keys
from server.background.access_poller import poll_access
from server.composition import prepare_database
from server.postgres import embedded
from server.settings import Settings

MEAN_MAX_US = 5.0
"""Limit of the mean processor time, for the token and for the viewer each."""

REQUESTS = 20_000
SLOW_REQUESTS = 400

# Other headers of a browser or a portal.
TYPICAL_HEADERS = [
    (b"host", b"registry.example"),
    (b"user-agent", b"portal/1.0"),
    (b"accept", b"application/graphql-response+json"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"content-type", b"application/json"),
    (b"content-length", b"412"),
]

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One person's request: its headers and its principal."""

    raw: RawHeaders
    caller: Principal


async def record_requests(
    authenticator: TokenAuthenticator, signer: DemoTokenSigner
) -> list[RecordedRequest]:
    """A request of each person of the demonstration, each token verified once."""
    found = []
    for person in await demo_people():
        token = signer.issue_token(person.subject, client=person.client, seconds=3600)
        raw = [*TYPICAL_HEADERS, (b"authorization", f"Bearer {token}".encode())]
        if person.appointment != NIL:
            raw.append((b"biandan-appointment", str(person.appointment).encode()))
        found.append(RecordedRequest(raw, await authenticator.authenticate(raw)))
    return found


def cycle_requests(asked: list[RecordedRequest], number: int) -> list[RecordedRequest]:
    """The requests in turn, ``number`` in all."""
    return [asked[at % len(asked)] for at in range(number)]


async def time_awaited(
    call: Callable[[RecordedRequest], Awaitable[object]], asked: Iterable[RecordedRequest]
) -> CallTiming:
    """The cost of an awaited call by the clock; the mean is this process's processor time."""
    single, spent = [], time.process_time()
    for each in asked:
        began = time.perf_counter()
        await call(each)
        single.append((time.perf_counter() - began) * 1e6)
    mean = (time.process_time() - spent) / len(single) * 1e6
    single.sort()
    return CallTiming(single[len(single) // 2], single[len(single) * 99 // 100], mean)


class ShiftedClock:
    """Monotonic seconds plus a shift."""

    def __init__(self) -> None:
        self.shift = 0.0

    def __call__(self) -> float:
        """The seconds now."""
        return time.monotonic() + self.shift


async def time_uncached(asked: list[RecordedRequest], number: int) -> CallTiming:
    """The cost of a viewer whose rows are cached and whose terms must be checked again.

    Each round over all callers is earlier or later than the one before, so that no viewer is
    reused.
    """
    clock = ShiftedClock()
    viewers = ViewerCache(max_entries=len(asked) * 4, clock=clock)
    await viewers.refresh(fetch_one)
    for each in asked:
        await viewers.resolve(each.caller)
    await viewers.refresh(fetch_one)

    def check(caller: Principal, shift: float) -> Viewer | None:
        clock.shift = shift
        return viewers.cached(caller)

    calls = [
        (each.caller, 2 * CLOCK_CACHE_SECONDS * (at // len(asked) % 2 + 1))
        for at, each in enumerate(cycle_requests(asked, number))
    ]
    return time_calls(check, calls)


@dataclass(frozen=True, slots=True)
class AuthenticationTimings:
    """The cost of each step, by its name: from the caches, and without them."""

    cached: dict[str, CallTiming]
    uncached: dict[str, CallTiming]


async def measure(url: str, number: int) -> AuthenticationTimings:
    """Measure each step ``number`` times if it is cached, else 400 times."""
    settings = Settings()
    signer = DemoTokenSigner(settings, ECKey.generate_key("P-256", {"kid": "benchmark"}))
    keys = static_keys(signer.public_keys())
    authenticator, viewers = (
        TokenAuthenticator(settings, keys),
        ViewerCache(max_entries=settings.viewer_cache_size),
    )
    async with poll_access(viewers, url):
        asked = await record_requests(authenticator, signer)
        for each in asked:
            await viewers.resolve(each.caller)
        many, few = cycle_requests(asked, number), cycle_requests(asked, SLOW_REQUESTS)

        def authenticate(raw: RawHeaders) -> Principal | None:
            return authenticator.cached(single_headers(raw, AUTH_HEADERS) or {})

        cached = {
            "token, cached": time_calls(authenticate, [(each.raw,) for each in many]),
            "viewer, rows cached": await time_uncached(asked, number),
            "viewer, cached within 5 ms": time_calls(
                viewers.cached, [(each.caller,) for each in many]
            ),
        }

        async def verify(each: RecordedRequest) -> None:
            await TokenAuthenticator(settings, keys).authenticate(each.raw)

        async def look_up(each: RecordedRequest) -> None:
            viewers.invalidate()
            await viewers.resolve(each.caller)

        async def ordinary(each: RecordedRequest) -> None:
            async with read_only_transaction():
                await resolve_viewer(each.caller)

        uncached = {
            "token, verified (ES256)": await time_awaited(verify, few),
            "viewer, looked up and cached": await time_awaited(look_up, few),
            "viewer, looked up by an ordinary query": await time_awaited(ordinary, few),
        }
    return AuthenticationTimings(cached, uncached)


async def run(at: embedded.RoleUrls, number: int) -> AuthenticationTimings:
    """Load the founding day, then measure."""
    await prepare_database(at.owner, embedded.APPLICATION, reader_role=embedded.READER)
    await open_registry(at.application)
    try:
        await load_founding_day(at.owner)
        owner = await asyncpg.connect(at.owner)
        await start_clock(owner)
        await owner.close()
        return await measure(at.application, number)
    finally:
        await close_database()


def main() -> int:
    """Measure and print; 1 if a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the requests")
    number = REQUESTS // 10 if parser.parse_args().quick else REQUESTS
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with cluster() as running:
        timings = asyncio.run(run(running.role_urls(), number))
    table = Table("a request", "µs: median / p99 / mean of CPU", title=f"{number:,} requests")
    for name, timing in (timings.cached | timings.uncached).items():
        table.add_row(name, str(timing))
    Console().print(table)
    return 1 if any(timing.mean > MEAN_MAX_US for timing in timings.cached.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
