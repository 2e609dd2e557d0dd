"""The measured ways to write, and the data they write to."""

import asyncio
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from benchmarks.cpu_time import cpu_seconds
from benchmarks.pgbench import WARM_SECONDS, PgbenchJob
from registry.access.authorizer import authorizer
from registry.access.principals import Principal
from registry.access.rulebook_store import load_edition
from registry.commands.command import execute_command
from registry.commands.operation import Operation
from registry.concepts import open_registry
from registry.db.session import PLANNER_SETTINGS, SESSION_SETTINGS, close_database, execute
from registry.transfers.approval import approve_transfer, qualify_transfer
from registry.transfers.records import Transfer
from registry.transfers.rules import State
from registry.transfers.settlement import settle_transfer
from schema.framework.global_ids import to_global_id
from server.auth.demo_tokens import load_signer
from server.composition import prepare_database
from server.postgres import embedded
from server.settings import Settings

CLIENTS_MAX = 16
ENTERPRISES_PER_CITY = 100
TRANSFERS_PER_SECOND = 1000
"""Transfers made for each second of a run. A run that uses them up ends early."""

PROVINCE = "130000"
FILL = Path(__file__).with_name("settlement.sql")
SETTLE_MUTATION = (
    "mutation ($input: TransferInput!) { settleTransfer(input: $input) {"
    " __typename ... on TransferPayload { transfer { id state } }"
    " ... on Refusal { code message { en } } } }"
)

# The enterprises' numbers are the only arguments, so that pgbench sends the same statement.
POST = """SELECT post_entry(gen_random_uuid(), bench.audit_entry(), 'settlement', now(), NULL, NULL,
 '', NULL, false, NULL,
 ARRAY[bench.known('000f', {a}), bench.known('000f', {b})], ARRAY[bench.known('000f', {b}),
 bench.known('000f', {a})], ARRAY[bench.known('0001', 0), '00000000-0000-4000-8000-000000000003'],
 ARRAY[1000, 750000]::bigint[])"""
BY_POOL = POST.format(a="$1", b="$2")
BY_PGBENCH = POST.format(a=":a", b=":b").replace("\n", " ")
PGBENCH_SETTINGS = {"jit": SESSION_SETTINGS["jit"]} | PLANNER_SETTINGS
"""pgbench plans as the registry's own connections do."""


@dataclass(frozen=True, slots=True)
class Load:
    """The number of clients, and whether one enterprise sells in every transfer."""

    clients: int
    is_single_seller: bool

    def __str__(self) -> str:
        return f"{'hot' if self.is_single_seller else 'random'}, c{self.clients}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """Result of a run.

    Attributes:
        rate: operations a second.
        own_ms: processor time of client and server for one operation.
        database_ms: that of the database.

    """

    rate: float
    own_ms: float
    database_ms: float


@dataclass(frozen=True, slots=True)
class ReadyTransfer:
    """A transfer that waits for an operation; ``city`` is the code of the seller's city."""

    id: UUID
    city: str


@dataclass(frozen=True, slots=True)
class MeasuredOperation:
    """An operation on a transfer.

    Attributes:
        operation: the registry's operation.
        state: state of a transfer that waits for it.
        is_of_city: whether an officer of the city performs it, not one of the centre.

    """

    operation: Operation[Transfer]
    state: State
    is_of_city: bool = False

    async def perform(self, transfer: ReadyTransfer) -> None:
        """Perform it as the officer who may."""
        officer = officer_of(transfer.city if self.is_of_city else PROVINCE)
        await execute_command(self.operation, officer, {"id": transfer.id}, key=str(uuid4()))


def officer_of(division: str) -> Principal:
    """The officer of a city, or of the centre in the province."""
    return Principal(subject=f"bench-officer-{division}", client="demonstration")


SETTLE = MeasuredOperation(settle_transfer, State.PAID)
QUALIFY = MeasuredOperation(qualify_transfer, State.ACCEPTED)
APPROVE = MeasuredOperation(approve_transfer, State.ELIGIBLE, is_of_city=True)


@dataclass(slots=True)
class Population:
    """The data, and the server that serves them."""

    owner: asyncpg.Connection
    application_url: str
    database: int
    enterprises: int
    address: tuple[str, int]
    token: str
    ready: dict[tuple[State, bool], list[ReadyTransfer]] = field(default_factory=dict)

    async def ensure_ready(self, state: State, load: Load, wanted: int) -> list[ReadyTransfer]:
        """At least this number of transfers in a state."""
        ready = self.ready.setdefault((state, load.is_single_seller), [])
        if len(ready) < wanted:
            sql = "SELECT * FROM bench.make_transfers($1, $2, $3, $4)"
            missing, hot = wanted - len(ready), load.is_single_seller
            rows = await self.owner.fetch(
                sql, missing, self.enterprises, state.value, hot, timeout=120
            )
            ready += [ReadyTransfer(row["transfer_id"], row["seller_city"]) for row in rows]
            await self.owner.execute("VACUUM ANALYZE")
        return ready

    def cpu_seconds(self) -> tuple[float, float]:
        """Processor time so far of this process with its children, and of the database."""
        return cpu_seconds(os.getpid()), cpu_seconds(self.database)

    def measurement(self, before: tuple[float, float], operations: int, rate: float) -> Measurement:
        """The result of operations that began at this processor time."""
        own, database = (
            (now - then) / operations * 1000
            for now, then in zip(self.cpu_seconds(), before, strict=True)
        )
        return Measurement(rate, own, database)

    def pair(self, load: Load) -> tuple[int, int]:
        """A seller and another enterprise."""
        seller = 1 if load.is_single_seller else random.randint(1, self.enterprises)  # noqa: S311 - a load
        step = random.randint(1, self.enterprises - 1)  # noqa: S311 - a load
        return seller, (seller - 1 + step) % self.enterprises + 1


@contextmanager
def cluster() -> Iterator[embedded.Cluster]:
    """A server of this run alone, durable as in operation."""
    with tempfile.TemporaryDirectory(prefix="biandan-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # Under root the server runs as another user, who must reach it.
        options = {"shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "80"}
        running = embedded.start(Path(folder) / "cluster", options=options)
        try:
            yield running
        finally:
            running.stop()


@asynccontextmanager
async def populate(running: embedded.Cluster) -> AsyncIterator[Population]:
    """The database filled, open for the application role, and served by another process."""
    at = running.role_urls()
    await prepare_database(at.owner, embedded.APPLICATION, reader_role=embedded.READER)
    owner = await asyncpg.connect(at.owner)
    await owner.execute(FILL.read_text())
    cities = await owner.fetchval("SELECT count(*) FROM division WHERE level = 'city'")
    enterprises = cities * ENTERPRISES_PER_CITY
    await owner.execute("SELECT bench.fill($1)", enterprises, timeout=120)
    await open_registry(at.application, minsize=CLIENTS_MAX, maxsize=CLIENTS_MAX)
    try:
        authorizer.activate(await load_edition())
        with _serving(at.application, running.directory) as (address, token):
            database = int((running.directory / "data" / "postmaster.pid").read_text().split()[0])
            yield Population(owner, at.application, database, enterprises, address, token)
    finally:
        await close_database()
        await owner.close()


@contextmanager
def _serving(url: str, state: Path) -> Iterator[tuple[tuple[str, int], str]]:
    """The registry on loopback: its address, and a token of the centre's officer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address: tuple[str, int] = free.getsockname()
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "BIANDAN_STATE_DIR": str(state),
        "BIANDAN_PORT": str(address[1]),
        "BIANDAN_DATABASE_CONNECTIONS_MAX": str(CLIENTS_MAX),
    }
    signer = load_signer(Settings(), state)
    program = [sys.executable, "-m", "server.admin.cli", "serve"]
    with subprocess.Popen(program, env=env, stderr=subprocess.DEVNULL) as serving:  # noqa: S603
        try:
            _await_port(address)
            officer = officer_of(PROVINCE)
            yield address, signer.issue_token(officer.subject, client=officer.client, seconds=7200)
        finally:
            serving.terminate()


def _await_port(address: tuple[str, int]) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no server listens on {address}")


async def by_pgbench(population: Population, load: Load, seconds: float) -> Measurement:
    """``post_entry`` alone, by pgbench with prepared statements as the application role."""
    last = population.enterprises
    seller = "1" if load.is_single_seller else f"random(1, {last})"
    text = (
        f"\\set a {seller}\n\\set b (:a - 1 + random(1, {last - 1})) % {last} + 1\n{BY_PGBENCH};\n"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(text)
        script.flush()
        files = [Path(script.name)]
        job = PgbenchJob(population.application_url, files, PGBENCH_SETTINGS, load.clients, {})
        before = population.cpu_seconds()
        result = await job.run(seconds=seconds)
    return population.measurement(before, result.transactions, result.rate)


async def by_post_entry(population: Population, load: Load, seconds: float) -> Measurement:
    """``post_entry`` through the registry's pool, each call in its own transaction."""

    async def settle() -> bool:
        await execute(BY_POOL, *population.pair(load))
        return True

    return await _measure(population, [settle] * load.clients, seconds)


def by_operation(measured: MeasuredOperation) -> "Method":
    """The whole operation: viewer, locks, key, decision, conditions, postings, audit entry."""

    async def measure(population: Population, load: Load, seconds: float) -> Measurement:
        wanted = int(TRANSFERS_PER_SECOND * (WARM_SECONDS + seconds))
        ready = await population.ensure_ready(measured.state, load, wanted)

        async def perform() -> bool:
            await measured.perform(ready.pop())
            return bool(ready)

        return await _measure(population, [perform] * load.clients, seconds)

    return measure


async def by_http(population: Population, load: Load, seconds: float) -> Measurement:
    """Settlement by GraphQL over HTTP/1.1, one server process; each client keeps its connection."""
    wanted = int(TRANSFERS_PER_SECOND * (WARM_SECONDS + seconds))
    ready = await population.ensure_ready(SETTLE.state, load, wanted)
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(open_connection(population))
            for _ in range(load.clients)
        ]

        def settling(post: Callable[[bytes], Awaitable[bytes]]) -> Callable[[], Awaitable[bool]]:
            async def settle() -> bool:
                answer = await post(_body(ready.pop().id))
                if b'"settled"' not in answer.lower():
                    raise RuntimeError(answer.decode())
                return bool(ready)

            return settle

        return await _measure(population, [settling(post) for post in clients], seconds)


def _body(case: UUID) -> bytes:
    input = {"id": to_global_id("Transfer", case), "idempotencyKey": str(uuid4())}
    return json.dumps({"query": SETTLE_MUTATION, "variables": {"input": input}}).encode()


@asynccontextmanager
async def open_connection(
    population: Population,
) -> AsyncIterator[Callable[[bytes], Awaitable[bytes]]]:
    """Function that sends a body on a connection of its own and returns the body of the answer."""
    reader, writer = await asyncio.open_connection(*population.address)
    head = (
        "POST /graphql HTTP/1.1\r\nhost: loopback\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {population.token}\r\ncontent-length: "
    ).encode()

    async def post(body: bytes) -> bytes:
        writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
        head_of_answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head_of_answer.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return await reader.readexactly(length)

    try:
        yield post
    finally:
        writer.close()


async def _measure(
    population: Population, clients: list[Callable[[], Awaitable[bool]]], seconds: float
) -> Measurement:
    """Run the clients until the time is over or a client has no transfer left.

    The first second is not counted, as in pgbench: each connection prepares its statements, and
    plans them anew after the tables were analysed.
    """
    await _run_for(clients, WARM_SECONDS)
    before, began = population.cpu_seconds(), time.perf_counter()
    done = await _run_for(clients, seconds)
    return population.measurement(before, done, done / (time.perf_counter() - began))


async def _run_for(clients: list[Callable[[], Awaitable[bool]]], seconds: float) -> int:
    """Run the clients at once; the number of operations."""
    until = time.perf_counter() + seconds

    async def run(client: Callable[[], Awaitable[bool]]) -> int:
        done = 0
        while time.perf_counter() < until:
            done += 1
            if not await client():
                break
        return done

    return sum(await asyncio.gather(*map(run, clients)))


Method = Callable[[Population, Load, float], Awaitable[Measurement]]

METHODS: dict[str, Method] = {
    "pgbench": by_pgbench,
    "post_entry": by_post_entry,
    "settle": by_operation(SETTLE),
    "settle over HTTP": by_http,
}
"""Ways to settle, each measured under every load."""

OTHER_OPERATIONS: dict[str, Method] = {
    "qualify": by_operation(QUALIFY),
    "approve": by_operation(APPROVE),
}
"""Operations measured beside settlement, at random accounts."""
