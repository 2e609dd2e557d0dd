"""The four ways to settle that are measured, and the population they settle in."""

import asyncio
import contextlib
import json
import os
import random
import re
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
from registry.access.authorizer import authorizer
from registry.access.principals import Principal
from registry.access.rulebook_store import load_edition
from registry.commands.command import execute_command
from registry.db.session import close_database, execute, open_database
from registry.transfers.settlement import settle_transfer
from schema.framework.global_ids import to_global_id
from server.auth.demo_tokens import load_signer
from server.composition import prepare_database
from server.postgres import embedded
from server.settings import Settings

_SETTLED = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)

CLIENTS_MAX = 16
ENTERPRISES_PER_CITY = 100
TRANSFERS_PER_SECOND = 1500
"""So many paid cases lie ready for each second of a run; one that uses them up ends early."""

OFFICER = Principal(subject="bench-officer", client="demonstration")
FILL = Path(__file__).with_name("settlement.sql")
SETTLE = (
    "mutation ($input: TransferInput!) { settleTransfer(input: $input) {"
    " __typename ... on Transfer { id state } ... on Refusal { code message { en } } } }"
)

# The enterprises' numbers are the only arguments, so that pgbench sends the same statement.
POST = """SELECT post_entry(gen_random_uuid(), bench.act(), 'settlement', now(), NULL, NULL, '',
NULL, false, NULL,
 ARRAY[bench.known('000f', {a}), bench.known('000f', {b})], ARRAY[bench.known('000f', {b}),
 bench.known('000f', {a})], ARRAY[bench.known('0001', 0), '00000000-0000-4000-8000-000000000003'],
 ARRAY[1000, 750000]::bigint[])"""
BY_POOL = POST.format(a="$1", b="$2")
BY_PGBENCH = POST.format(a=":a", b=":b").replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Load:
    """How many clients at once; whether one enterprise sells in every settlement."""

    clients: int
    is_single_seller: bool

    def __str__(self) -> str:
        return f"{'hot' if self.is_single_seller else 'random'}, c{self.clients}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a run came to.

    Attributes:
        rate: settlements a second, by the clock.
        processor_ms: of client, server and database together, for one settlement.

    """

    rate: float
    processor_ms: float


@dataclass(slots=True)
class Population:
    """What there is to settle, and where it is served."""

    owner: asyncpg.Connection
    application_url: str
    pgbench: Path
    database: int
    enterprises: int
    address: tuple[str, int]
    token: str
    payable: dict[bool, list[UUID]] = field(default_factory=lambda: {False: [], True: []})

    async def ensure_ready(self, load: Load, wanted: int) -> list[UUID]:
        """At least so many paid cases that wait for settlement."""
        ready = self.payable[load.is_single_seller]
        if len(ready) < wanted:
            sql = "SELECT bench.cases($1, $2, $3) AS id"
            found = await self.owner.fetch(
                sql, wanted - len(ready), self.enterprises, load.is_single_seller, timeout=120
            )
            ready += [case["id"] for case in found]
            await self.owner.execute("VACUUM ANALYZE")
        return ready

    def cpu_seconds(self) -> float:
        """Seconds of processor time so far: of this process, all it started, and the database."""
        return cpu_seconds(os.getpid()) + cpu_seconds(self.database)

    def pair(self, load: Load) -> tuple[int, int]:
        """A seller and another enterprise."""
        seller = 1 if load.is_single_seller else random.randint(1, self.enterprises)  # noqa: S311 - a load
        step = random.randint(1, self.enterprises - 1)  # noqa: S311 - a load
        return seller, (seller - 1 + step) % self.enterprises + 1


@contextmanager
def cluster() -> Iterator[embedded.Cluster]:
    """A server of this run's own, durable as in operation."""
    with tempfile.TemporaryDirectory(prefix="biandan-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # Root's server runs as another user, who passes through here.
        options = {"shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "80"}
        running = embedded.start(Path(folder) / "cluster", options=options)
        try:
            yield running
        finally:
            running.stop()


@asynccontextmanager
async def populate(running: embedded.Cluster) -> AsyncIterator[Population]:
    """The database filled, open as the application role, and served by another process."""
    at = running.role_urls()
    await prepare_database(at.owner, embedded.APPLICATION, reader_role=embedded.READER)
    owner = await asyncpg.connect(at.owner)
    await owner.execute(FILL.read_text())
    cities = await owner.fetchval("SELECT count(*) FROM division WHERE level = 'city'")
    enterprises = cities * ENTERPRISES_PER_CITY
    await owner.execute("SELECT bench.fill($1)", enterprises, timeout=120)
    await open_database(at.application, minsize=CLIENTS_MAX, maxsize=CLIENTS_MAX)
    try:
        authorizer.activate(await load_edition())
        with _serving(at.application, running.directory) as (address, token):
            pgbench = embedded._binaries(running.directory) / "pgbench"  # noqa: SLF001 - of the wheel
            database = int((running.directory / "data" / "postmaster.pid").read_text().split()[0])
            yield Population(owner, at.application, pgbench, database, enterprises, address, token)
    finally:
        await close_database()
        await owner.close()


@contextmanager
def _serving(url: str, state: Path) -> Iterator[tuple[tuple[str, int], str]]:
    """The registry answering on loopback: its address, and a token of the officer's."""
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
            yield address, signer.issue_token(OFFICER.subject, client=OFFICER.client, seconds=7200)
        finally:
            serving.terminate()


def _await_port(address: tuple[str, int]) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nobody answers on {address}")


async def by_pgbench(population: Population, load: Load, seconds: float) -> Measurement:
    """The pgbench of the same installation: prepared statements, the application role."""
    pick = (
        "\\set a 1\n" if load.is_single_seller else f"\\set a random(1, {population.enterprises})\n"
    )
    another = f"\\set b (:a - 1 + random(1, {population.enterprises - 1}))"
    another += f" % {population.enterprises} + 1\n"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(pick + another + BY_PGBENCH + ";\n")
        script.flush()
        program = [
            str(population.pgbench),
            *("--no-vacuum", "--protocol=prepared", f"--time={max(1, round(seconds))}"),
            *(
                f"--client={load.clients}",
                f"--jobs={min(2, load.clients)}",
                f"--file={script.name}",
            ),
            population.application_url,
        ]
        before = population.cpu_seconds()
        ran = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
        said = (await ran.communicate())[0].decode()
    spent = population.cpu_seconds() - before
    settled = int(_SETTLED.findall(said)[0])
    return Measurement(float(_RATE.findall(said)[0]), spent / settled * 1000)


async def by_post_entry(population: Population, load: Load, seconds: float) -> Measurement:
    """``post_entry`` on the program's pool, each call its own transaction."""

    async def settle() -> bool:
        await execute(BY_POOL, *population.pair(load))
        return True

    return await _measure(population, [settle] * load.clients, seconds)


async def by_operation(population: Population, load: Load, seconds: float) -> Measurement:
    """The whole operation through ``command``."""
    ready = await population.ensure_ready(load, int(TRANSFERS_PER_SECOND * seconds))

    async def settle() -> bool:
        await settle_one(ready.pop())
        return bool(ready)

    return await _measure(population, [settle] * load.clients, seconds)


async def settle_one(case: UUID) -> None:
    """Settle a case as the centre's officer."""
    await execute_command(settle_transfer, OFFICER, {"id": case}, key=str(uuid4()))


async def by_http(population: Population, load: Load, seconds: float) -> Measurement:
    """GraphQL mutations over HTTP/1.1, one process serving; each client keeps its connection."""
    ready = await population.ensure_ready(load, int(TRANSFERS_PER_SECOND * seconds))
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(_connect(population)) for _ in range(load.clients)
        ]

        def settling(post: Callable[[bytes], Awaitable[bytes]]) -> Callable[[], Awaitable[bool]]:
            async def settle() -> bool:
                answer = await post(_body(ready.pop()))
                if b'"settled"' not in answer:
                    raise RuntimeError(answer.decode())
                return bool(ready)

            return settle

        return await _measure(population, [settling(post) for post in clients], seconds)


def _body(case: UUID) -> bytes:
    input = {"id": to_global_id("Transfer", case), "idempotencyKey": str(uuid4())}
    return json.dumps({"query": SETTLE, "variables": {"input": input}}).encode()


@asynccontextmanager
async def _connect(population: Population) -> AsyncIterator[Callable[[bytes], Awaitable[bytes]]]:
    """Sends a body and answers the answer's, on a connection of its own."""
    reader, writer = await asyncio.open_connection(*population.address)
    head = (
        "POST /graphql HTTP/1.1\r\nhost: loopback\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {population.token}\r\ncontent-length: "
    ).encode()

    async def post(body: bytes) -> bytes:
        writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
        said = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(said.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return await reader.readexactly(length)

    try:
        yield post
    finally:
        writer.close()


async def _measure(
    population: Population, clients: list[Callable[[], Awaitable[bool]]], seconds: float
) -> Measurement:
    """How the clients settle; each goes on until time or cases are over."""
    before, began = population.cpu_seconds(), time.perf_counter()

    async def settling(settle: Callable[[], Awaitable[bool]]) -> int:
        done = 0
        while time.perf_counter() < began + seconds:
            done += 1
            if not await settle():
                break
        return done

    settled = sum(await asyncio.gather(*map(settling, clients)))
    took, spent = time.perf_counter() - began, population.cpu_seconds() - before
    return Measurement(settled / took, spent / settled * 1000)


Method = Callable[[Population, Load, float], Awaitable[Measurement]]

METHODS: dict[str, Method] = {
    "pgbench": by_pgbench,
    "post_entry": by_post_entry,
    "operation": by_operation,
    "http": by_http,
}
