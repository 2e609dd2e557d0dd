"""Server and database die, stall and lose sight of each other in the middle of writes.

Afterwards each acknowledged command is there once, and each repeated one happened
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

from registry.concepts import open_registry, verify_registry
from registry.db.session import close_database
from seeds.clock import start_clock
from server.auth.demo_tokens import load_signer
from server.settings import Settings
from tests.robustness.command_clients import LOT_UNITS, CommandClients, SentCommand
from tests.robustness.faulty_proxy import LostMessage, Proxy, open_proxy
from tests.robustness.server_processes import (
    STARTS_SECONDS_MAX,
    PostgresProcess,
    ServerProcess,
    run_server_process,
    temporary_state_dir,
)
from tests.support.builders import create_client, get_province, install_rules, stop_clock
from tests.transfers.builders import FOUNDING_DAY, STOCK_UNITS, TradingFixture, create_market

CLIENTS = ("seller", "seller_second") * 2
PROGRAM = "frame"
ALLOWED_SILENCE = {
    "OVERLOADED",
    "TIMEOUT",
    "ConnectError",
    "ReadError",
    "WriteError",
    "RemoteProtocolError",
}
"""Errors that a client may meet instead of a response; an internal error is none."""

STEPS_MAX = 80
SECONDS_MAX = 2

Crash = Callable[[ServerProcess, PostgresProcess], None]


@pytest.fixture(scope="module")
def store() -> Iterator[PostgresProcess]:
    with temporary_state_dir() as state:
        made = PostgresProcess(state)
        try:
            made.fill()
            yield made
        finally:
            made.close()


@pytest.fixture(scope="module")
def trade(store: PostgresProcess) -> CommandClients:
    market = asyncio.run(_market(store))
    return CommandClients(market, load_signer(Settings(), store.state), PROGRAM)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return 20 if request.config.getoption("--long") else 1


async def _market(store: PostgresProcess) -> TradingFixture:
    owner = await asyncpg.connect(store.addresses.owner)
    await open_registry(store.addresses.application)
    try:
        await install_rules(owner)
        await stop_clock(owner, FOUNDING_DAY)
        market = await create_market()
        await create_client(await get_province(), name=PROGRAM, first_party=True)
        await start_clock(owner)
    finally:
        await close_database()
        await owner.close()
    return market


def kill_the_server(process: ServerProcess, _store: PostgresProcess) -> None:
    process.kill()
    process.start()


def kill_the_database(process: ServerProcess, store: PostgresProcess) -> None:
    store.kill()
    store.start()
    until_ready(process)


def kill_both(process: ServerProcess, store: PostgresProcess) -> None:
    store.kill()
    process.kill()
    store.start()
    process.start()


def end_all_sessions(process: ServerProcess, store: PostgresProcess) -> None:
    for _ in range(5):
        store.cut_sessions()
        time.sleep(0.1)
    until_ready(process)


def stall(process: ServerProcess, store: PostgresProcess) -> None:
    """For longer than an operation may take; the process lives and says that it is not ready."""
    with store.stall():
        time.sleep(SECONDS_MAX + 1)
        assert process.is_ready(path="/healthz")
        assert not process.is_ready()
    until_ready(process)


def until_ready(process: ServerProcess) -> None:
    ends = time.monotonic() + STARTS_SECONDS_MAX
    while not process.is_ready():
        assert time.monotonic() < ends, process.log.read_text()[-3000:]
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("crash", "met"),
    [
        (kill_the_server, "ConnectError"),
        (kill_the_database, "OVERLOADED"),
        (kill_both, "ConnectError"),
        (end_all_sessions, "OVERLOADED"),
        (stall, "TIMEOUT"),
    ],
)
async def test_what_was_acknowledged_is_there_once_and_what_was_repeated_happened_once(
    store: PostgresProcess, trade: CommandClients, rounds: int, *, crash: Crash, met: str
) -> None:
    first = len(trade.sent)
    trade.unanswered.clear()

    with as_operated(store) as process:
        for _ in range(rounds):
            await run_with_crash(trade, process, store, crash)
            async with portal(process) as http:
                await trade.repeat_unanswered(http)
        async with portal(process) as http:
            await assert_each_is_replayed(trade, http, trade.sent[first:])

    assert set(trade.unanswered) <= ALLOWED_SILENCE, process.log_after("bug")
    assert trade.unanswered[met], trade.unanswered
    await assert_each_command_executed_once(store, trade)


async def wait_for_answers(trade: CommandClients, clients: list["asyncio.Task[None]"]) -> None:
    """Until enough commands are answered that every client must be under way."""
    heard = trade.count_answered()
    while trade.count_answered() < heard + 4 * len(clients):
        assert not any(client.done() for client in clients), "a client met what it does not allow"
        await asyncio.sleep(0.01)


async def run_with_crash(
    trade: CommandClients, process: ServerProcess, store: PostgresProcess, crash: Crash
) -> None:
    """Several clients send while it happens."""
    enough = asyncio.Event()
    async with portal(process) as http:
        clients = [asyncio.create_task(trade.send_until(http, who, enough)) for who in CLIENTS]
        await wait_for_answers(trade, clients)
        await asyncio.to_thread(crash, process, store)
        await wait_for_answers(trade, clients)
        enough.set()
        await asyncio.gather(*clients)


@pytest.mark.parametrize("lost", LostMessage)
async def test_a_connection_may_drop_at_every_step_of_a_command(
    store: PostgresProcess, trade: CommandClients, lost: LostMessage
) -> None:
    trade.unanswered.clear()
    dropped = 0
    async with open_proxy(store.socket) as proxy:
        url = f"postgresql://biandan_app@127.0.0.1:{proxy.port}/biandan"
        process = ServerProcess(store.state, DATABASE_URL=url)
        try:
            await asyncio.to_thread(process.start)
            async with portal(process) as http:
                for step in range(1, STEPS_MAX):
                    proxy.set_cut(step, lost)
                    if not await offer_over_faulty_connection(trade, proxy, http):
                        break
                    dropped += 1
        finally:
            process.kill()

    assert 8 < dropped < STEPS_MAX - 1
    assert set(trade.unanswered) == {"OVERLOADED"}
    await assert_each_command_executed_once(store, trade)


async def offer_over_faulty_connection(
    trade: CommandClients, proxy: Proxy, http: httpx2.AsyncClient
) -> bool:
    """Draft, and offer over a connection that may drop; whether it did."""
    draft = trade.draft()
    assert await trade.send(http, draft)
    offer = trade.offer(draft)
    proxy.arm()
    answered = await trade.send(http, offer)
    proxy.disarm()
    assert answered or proxy.dropped
    await trade.repeat_unanswered(http)
    return proxy.dropped


@contextmanager
def as_operated(store: PostgresProcess) -> Iterator[ServerProcess]:
    """The registry on its embedded database, with a short patience."""
    with run_server_process(store.state, BIANDAN_OPERATION_SECONDS_MAX=str(SECONDS_MAX)) as process:
        yield process


@asynccontextmanager
async def portal(process: ServerProcess) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=process.address, timeout=SECONDS_MAX + 6) as http:
        yield http


async def assert_each_is_replayed(
    trade: CommandClients, http: httpx2.AsyncClient, sent: list[SentCommand]
) -> None:
    """A command that was answered answers the same object again, and says that it repeats."""
    for each in sent[:: max(1, len(sent) // 40)]:
        known = each.id
        assert await trade.send(http, each)
        assert (each.id, each.replayed) == (known, True)


async def assert_each_command_executed_once(store: PostgresProcess, trade: CommandClients) -> None:
    """Acts, cases, postings and balances are those of the commands sent, each counted once."""
    names = Counter(each.name for each in trade.sent)
    offers, withdrawals = names["offerTransfer"], names["withdrawTransfer"]
    await open_registry(store.addresses.application)
    try:
        owner = await asyncpg.connect(store.addresses.owner)
        acts = Counter(
            {a["key"]: a["times"] for a in await owner.fetch(
                "SELECT key, count(*) AS times FROM audit_entry GROUP BY key"
            )}
        )  # fmt: skip
        cases = await owner.fetchval("SELECT count(*) FROM transfer")
        entries = await owner.fetchval("SELECT count(*) FROM entry")
        await owner.close()
        findings = await verify_registry()
        rights = await trade.market.rights()
    finally:
        await close_database()

    assert {each.key: acts[each.key] for each in trade.sent} == {e.key: 1 for e in trade.sent}
    assert cases == names["draftTransfer"]
    assert len({each.id for each in trade.sent if each.name == "draftTransfer"}) == cases
    blocked = (offers - withdrawals) * LOT_UNITS
    assert rights == {"seller holding": STOCK_UNITS - blocked, "seller escrow": blocked}
    assert entries == 1 + offers + withdrawals
    assert [finding.check for finding in findings if not finding.is_satisfied] == []
