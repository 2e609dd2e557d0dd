"""Server and database die, stall and lose sight of each other in the middle of writes.

Afterwards whatever was acknowledged is there once, and whatever was repeated with its key happened
once.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
import httpx2
import pytest

from registry.db.session import close_database, open_database
from registry.ledger.invariants import verify
from seeds.clock import start_clock
from server.auth.demo_tokens import open_signer
from server.settings import Settings
from tests.robustness.command_clients import LOT_UNITS, Sent, Trade
from tests.robustness.faulty_proxy import Lost, Proxy, a_proxy
from tests.robustness.server_processes import STARTS_SECONDS_MAX, Process, Store, a_state, serving
from tests.support.builders import a_client, install_rules, stop_clock, the_province
from tests.transfers.builders import FOUNDING_DAY, HELD, Market, a_market

CLIENTS = ("seller", "seller_second") * 2
PROGRAM = "frame"
ALLOWED_SILENCE = {
    "BUSY",
    "TIMEOUT",
    "ConnectError",
    "ReadError",
    "WriteError",
    "RemoteProtocolError",
}
"""What a client may meet instead of an answer; an internal error is none of it."""

STEPS_MAX = 80
SECONDS_MAX = 2

Crash = Callable[[Process, Store], None]


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with a_state() as state:
        made = Store(state)
        try:
            made.fill()
            yield made
        finally:
            made.close()


@pytest.fixture(scope="module")
def trade(store: Store) -> Trade:
    market = asyncio.run(_market(store))
    return Trade(market, open_signer(Settings(), store.state), PROGRAM)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return 20 if request.config.getoption("--long") else 1


async def _market(store: Store) -> Market:
    owner = await asyncpg.connect(store.addresses.owner)
    await open_database(store.addresses.application)
    try:
        await install_rules(owner)
        await stop_clock(owner, FOUNDING_DAY)
        market = await a_market()
        await a_client(await the_province(), name=PROGRAM, house=True)
        await start_clock(owner)
    finally:
        await close_database()
        await owner.close()
    return market


def kill_the_server(process: Process, _store: Store) -> None:
    process.kill()
    process.start()


def kill_the_database(process: Process, store: Store) -> None:
    store.kill()
    store.start()
    until_ready(process)


def kill_both(process: Process, store: Store) -> None:
    store.kill()
    process.kill()
    store.start()
    process.start()


def end_all_sessions(process: Process, store: Store) -> None:
    for _ in range(5):
        store.cut_sessions()
        time.sleep(0.1)
    until_ready(process)


def stall(process: Process, store: Store) -> None:
    """For longer than an operation may take; the process lives and says that it is not ready."""
    with store.stalled():
        time.sleep(SECONDS_MAX + 1)
        assert process.ready(path="/healthz")
        assert not process.ready()
    until_ready(process)


def until_ready(process: Process) -> None:
    ends = time.monotonic() + STARTS_SECONDS_MAX
    while not process.ready():
        assert time.monotonic() < ends, process.log.read_text()[-3000:]
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("crash", "met"),
    [
        (kill_the_server, "ConnectError"),
        (kill_the_database, "BUSY"),
        (kill_both, "ConnectError"),
        (end_all_sessions, "BUSY"),
        (stall, "TIMEOUT"),
    ],
)
async def test_what_was_acknowledged_is_there_once_and_what_was_repeated_happened_once(
    store: Store, trade: Trade, rounds: int, *, crash: Crash, met: str
) -> None:
    first = len(trade.sent)
    trade.unheard.clear()

    with as_operated(store) as process:
        for _ in range(rounds):
            await crashed(trade, process, store, crash)
            async with portal(process) as http:
                await trade.repeat_unanswered(http)
        async with portal(process) as http:
            await each_is_replayed(trade, http, trade.sent[first:])

    assert set(trade.unheard) <= ALLOWED_SILENCE, process.told("bug")
    assert trade.unheard[met], trade.unheard
    await everything_happened_once(store, trade)


async def hear(trade: Trade, clients: list["asyncio.Task[None]"]) -> None:
    """Until so many more commands are answered that every client must be under way."""
    heard = trade.answered()
    while trade.answered() < heard + 4 * len(clients):
        assert not any(client.done() for client in clients), "a client met what it does not allow"
        await asyncio.sleep(0.01)


async def crashed(trade: Trade, process: Process, store: Store, crash: Crash) -> None:
    """Several clients send while it happens."""
    enough = asyncio.Event()
    async with portal(process) as http:
        clients = [asyncio.create_task(trade.go_on(http, who, enough)) for who in CLIENTS]
        await hear(trade, clients)
        await asyncio.to_thread(crash, process, store)
        await hear(trade, clients)
        enough.set()
        await asyncio.gather(*clients)


@pytest.mark.parametrize("lost", Lost)
async def test_a_connection_may_drop_at_every_step_of_a_command(
    store: Store, trade: Trade, lost: Lost
) -> None:
    trade.unheard.clear()
    dropped = 0
    async with a_proxy(store.socket) as proxy:
        url = f"postgresql://biandan_app@127.0.0.1:{proxy.port}/biandan"
        process = Process(store.state, DATABASE_URL=url)
        try:
            await asyncio.to_thread(process.start)
            async with portal(process) as http:
                for step in range(1, STEPS_MAX):
                    proxy.aim(step, lost)
                    if not await dropping(trade, proxy, http):
                        break
                    dropped += 1
        finally:
            process.kill()

    assert 8 < dropped < STEPS_MAX - 1
    assert set(trade.unheard) == {"BUSY"}
    await everything_happened_once(store, trade)


async def dropping(trade: Trade, proxy: Proxy, http: httpx2.AsyncClient) -> bool:
    """Draft, and offer over a connection that may drop; whether it did."""
    draft = trade.draft()
    assert await trade.send(http, draft)
    offer = trade.offer(draft)
    proxy.arm()
    answered = await trade.send(http, offer)
    proxy.pass_on()
    assert answered or proxy.dropped
    await trade.repeat_unanswered(http)
    return proxy.dropped


@contextmanager
def as_operated(store: Store) -> Iterator[Process]:
    """The registry on its embedded database, with a short patience."""
    with serving(store.state, BIANDAN_OPERATION_SECONDS_MAX=str(SECONDS_MAX)) as process:
        yield process


@asynccontextmanager
async def portal(process: Process) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=process.address, timeout=SECONDS_MAX + 6) as http:
        yield http


async def each_is_replayed(trade: Trade, http: httpx2.AsyncClient, sent: list[Sent]) -> None:
    """A command that was answered answers the same object again, and says that it repeats."""
    for each in sent[:: max(1, len(sent) // 40)]:
        known = each.id
        assert await trade.send(http, each)
        assert (each.id, each.replayed) == (known, True)


async def everything_happened_once(store: Store, trade: Trade) -> None:
    """Acts, cases, postings and balances are those of the commands sent, each counted once."""
    names = Counter(each.name for each in trade.sent)
    offers, withdrawals = names["offerTransfer"], names["withdrawTransfer"]
    await open_database(store.addresses.application)
    try:
        owner = await asyncpg.connect(store.addresses.owner)
        acts = Counter(
            {a["key"]: a["times"] for a in await owner.fetch(
                "SELECT key, count(*) AS times FROM act GROUP BY key"
            )}
        )  # fmt: skip
        cases = await owner.fetchval("SELECT count(*) FROM transfer")
        entries = await owner.fetchval("SELECT count(*) FROM entry")
        await owner.close()
        findings = await verify()
        rights = await trade.market.rights()
    finally:
        await close_database()

    assert {each.key: acts[each.key] for each in trade.sent} == {e.key: 1 for e in trade.sent}
    assert cases == names["draftTransfer"]
    assert len({each.id for each in trade.sent if each.name == "draftTransfer"}) == cases
    blocked = (offers - withdrawals) * LOT_UNITS
    assert rights == {"seller holding": HELD - blocked, "seller escrow": blocked}
    assert entries == 1 + offers + withdrawals
    assert [finding.check for finding in findings if not finding.sound] == []
