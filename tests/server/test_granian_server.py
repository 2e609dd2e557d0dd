"""Listening, and what the command line says of a port that is taken."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from server.graphql.handler import client_address
from server.http.granian_server import bind, open_server
from server.settings import ConfigurationError, Settings
from tests.support.waiting import SECONDS_MAX


def test_a_busy_port_is_one_sentence() -> None:
    with bind(Settings(port=0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port} is in use") as refusal:
            bind(Settings(port=port))

    assert "\n" not in str(refusal.value)


def test_an_address_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(ConfigurationError, match="cannot be listened on"):
        bind(Settings(host="192.0.2.1", port=0))


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine speaks no IPv6")
def test_it_listens_on_this_machine_alone() -> None:
    with bind(Settings(port=0)) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


async def test_the_body_of_an_answer_does_not_wait_until_its_head_is_acknowledged() -> None:
    nodelay = asyncio.Queue[int]()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = writer.get_extra_info("socket")
        await nodelay.put(there.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with bind(Settings(port=0)) as listening:
        async with await asyncio.start_server(answer, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            assert await nodelay.get()
            writer.close()


@pytest.mark.parametrize(
    ("proxies", "believed"),
    [
        ("", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9"),
        ("127.0.0.0/24,10.1.0.1", "203.0.113.9"),
        ("127.0.0.8", "127.0.0.1"),
    ],
)
async def test_a_trusted_proxy_determines_the_client_address(proxies: str, believed: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(client_address(scope))(scope, receive, send)

    settings = Settings(port=0, trusted_proxies=proxies)
    with bind(settings) as listener:
        async with open_server(Starlette(routes=[Mount("/", app)]), settings, listener):
            port = listener.getsockname()[1]
            # The client's own claim comes before the address that the proxy adds.
            forwarded = {"x-forwarded-for": "198.51.100.1, 203.0.113.9"}
            async with httpx2.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{port}/", headers=forwarded)

    assert answer.text == believed


def run_cli(state: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "server.admin.cli", *arguments],
        env={"PATH": os.defpath, "BIANDAN_STATE_DIR": str(state)} | environment,
        check=False,
        capture_output=True,
        text=True,
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_the_command_line_signs_a_token(tmp_path: Path) -> None:
    code, out, _ = run_cli(tmp_path / "state", "token", "liu-wei")

    assert (code, out.count(".")) == (0, 2)


def test_what_the_operator_can_mend_is_one_sentence(tmp_path: Path) -> None:
    code, out, err = run_cli(tmp_path, "token", "liu-wei", BIANDAN_MODE="production")

    assert (code, out, err) == (1, "", "Production needs DATABASE_URL.\n")


STARTED = """
from starlette.applications import Starlette
from server.http.granian_server import bind, serve
from server.settings import Settings
settings = Settings(port=0)
listening = bind(settings)
print(listening.getsockname()[1], flush=True)
print(serve(Starlette(), settings, listening), flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_what_was_opened_can_be_closed(number: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTED], stdout=subprocess.PIPE, text=True
    ) as ran:
        assert ran.stdout is not None
        port = int(ran.stdout.readline())
        answer(port)

        ran.send_signal(number)

        logged, _, outcome = ran.stdout.read().rstrip("\n").rpartition("\n")
    assert f"address=http://127.0.0.1:{port}" in logged
    assert (outcome, ran.returncode) == ("True", 0)


EARLY = """
import os
from granian.asgi import LifespanProtocol
startup = LifespanProtocol.startup
async def signalled(lifespan):
    os.kill(os.getpid(), {number})
    await startup(lifespan)
LifespanProtocol.startup = signalled
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_before_it_answers_is_not_lost(number: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", EARLY.format(number=int(number)) + STARTED],
        stdout=subprocess.PIPE,
        text=True,
        timeout=SECONDS_MAX,
        check=True,
    )

    assert ran.stdout.endswith("\nTrue\n")


def answer(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return connection.recv(100).decode()
