"""A registry that runs as its operator runs it, in processes that a test may stop as it likes."""

import asyncio
import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from server.composition import prepare_database
from server.postgres import embedded
from tests.support.cluster import OPTIONS

# A server killed here must find what it acknowledged; only the machine itself never fails.
DURABLE = {**OPTIONS, "synchronous_commit": "on"}
STARTS_SECONDS_MAX = 60
PORTS = range(20_000, 32_000)


def find_free_port() -> int:
    """A port outside the ephemeral range, so that no other process gets it meanwhile."""
    while True:
        port = secrets.choice(PORTS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class ServerProcess:
    """``biandan serve`` on a port of its own, which it keeps when it is started again."""

    def __init__(
        self,
        state: Path,
        *,
        python: str = sys.executable,
        folder: str = ".",
        **environment: str,
    ) -> None:
        self._command, self._folder = [python, "-m", "server.admin.cli", "serve"], folder
        self.log = state / f"serve-{id(self)}.log"
        self.port = find_free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {
            "PATH": os.defpath,
            "BIANDAN_STATE_DIR": str(state),
            "BIANDAN_PORT": str(self.port),
            **environment,
        }
        self._ran: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        with self.log.open("ab") as log:
            self._ran = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        ends = time.monotonic() + STARTS_SECONDS_MAX
        while not self.is_ready():
            assert self._ran.poll() is None, self.log.read_text()
            assert time.monotonic() < ends, self.log.read_text()
            time.sleep(0.1)

    def is_ready(self, *, path: str = "/readyz") -> bool:
        """Whether it says so."""
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            asked.request("GET", path)
            return asked.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asked.close()

    def log_after(self, word: str) -> str:
        """The end of its log, from the last line on with this word."""
        return self.log.read_text().rpartition(word)[2][:8000]

    def kill(self) -> None:
        """Kill -9, in the middle of its work."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._ran is not None:
            self._ran.send_signal(number)
            self._ran.wait(30)
            self._ran = None


@contextmanager
def run_server_process(state: Path, **environment: str) -> Iterator[ServerProcess]:
    """A process that serves, killed afterwards."""
    process = ServerProcess(state, **environment)
    try:
        process.start()
        yield process
    finally:
        process.kill()


@contextmanager
def temporary_state_dir() -> Iterator[Path]:
    """An empty place for a cluster and a signing key."""
    with TemporaryDirectory(prefix="biandan-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # Root's server runs as another user, who passes through here.
        yield Path(folder) / "state"


class PostgresProcess:
    """The PostgreSQL of a registry, which can be killed, held and started again."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.cluster = embedded.start(state, options=DURABLE)
        self.addresses = self.cluster.role_urls()
        self.socket = state / "socket" / ".s.PGSQL.5432"

    def fill(self) -> None:
        """Tables, reference data, rule book."""
        asyncio.run(
            prepare_database(
                self.addresses.owner, embedded.APPLICATION, reader_role=embedded.READER
            )
        )

    def kill(self) -> None:
        """Kill -9 of the postmaster."""
        os.kill(self._postmaster(), signal.SIGKILL)

    def start(self) -> None:
        """Start it where it was killed; its last sessions end by themselves."""
        for _ in range(100):
            try:
                embedded.start(self.state).release()
            except embedded.EmbeddedDatabaseError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("PostgreSQL does not start again")

    @contextmanager
    def stall(self) -> Iterator[None]:
        """Every process of a session is stopped; connections stay open."""
        pids = [self._postmaster(), *asyncio.run(self._sessions())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def cut_sessions(self) -> None:
        """End every session of the application at once."""
        asyncio.run(
            self._as_superuser(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1",
                embedded.APPLICATION,
            )
        )

    def close(self) -> None:
        """Stop it, also if it is in use."""
        self.cluster.release()
        embedded.stop(self.state)

    def _postmaster(self) -> int:
        return int((self.state / "data" / "postmaster.pid").read_text().split()[0])

    async def _sessions(self) -> list[int]:
        found = await self._as_superuser(
            "SELECT pid FROM pg_stat_activity WHERE usename = $1", embedded.APPLICATION
        )
        return [session["pid"] for session in found]

    async def _as_superuser(self, sql: str, *args: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.cluster.url("postgres", "postgres"))
        try:
            return await connection.fetch(sql, *args)
        finally:
            await connection.close()
